/**
 * What waiting fetches cost and how fast they wake: ten thousand connections, each in a long poll on one of a thousand
 * partitions, against a broker in a process of its own. Idle first; then one partition after the other gets a record.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { PortableKernels } from '../src/base/portable-kernels.ts';
import { ZERO_UUID } from '../src/base/uuid.ts';
import { requestWriter } from '../src/wire/compiler.ts';
import { beginFrame, endFrame, writeRequestHeader } from '../src/wire/headers.ts';
import { CreateTopics } from '../src/wire/messages/create-topics.ts';
import { Fetch } from '../src/wire/messages/fetch.ts';
import { Produce } from '../src/wire/messages/produce.ts';
import { encodeBatch } from '../src/wire/records.ts';
import type { Api, RequestInput } from '../src/wire/schema.ts';
import { Writer } from '../src/wire/writer.ts';
import { cpuSeconds, memoryOf } from './kit/process.ts';
import { digits } from './kit/statistics.ts';
import type { Row, Suite } from './kit/suite.ts';
import { broker, start } from './limit/servers.ts';

const TOPIC = 'waiting';
const MAX_WAIT_MS = 600_000;
const SIZE_BYTES = 4;
const CREATE_VERSION = 5;
const PRODUCE_VERSION = 7;
const FETCH_VERSION = 11;
const CONNECTING_AT_ONCE = 200;
const FILES_MAX = 5_000;

function frame<A extends Api>(api: A, version: number, request: RequestInput<A>): Buffer {
  const writer = new Writer();
  beginFrame(writer);
  writeRequestHeader(writer, api, version, 1, 'bench');
  requestWriter(api, version)(writer, request);
  endFrame(writer);
  return Buffer.from(writer.memory.bytes.subarray(0, writer.writtenBytes));
}

function create(partitions: number): Buffer {
  const topic = { name: TOPIC, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] };
  return frame(CreateTopics, CREATE_VERSION, { topics: [topic], timeoutMs: 60_000, validateOnly: false });
}

function produce(partition: number): Buffer {
  const value = new Uint8Array(100).fill(120);
  const records = encodeBatch({ records: [{ timestamp: Date.now(), key: null, value }] }, new PortableKernels());
  const partitionData = [{ index: partition, records }];
  const topicData = [{ name: TOPIC, topicId: ZERO_UUID, partitionData }];
  return frame(Produce, PRODUCE_VERSION, { transactionalId: null, acks: 1, timeoutMs: 10_000, topicData });
}

function fetch(partition: number, fetchOffset: number): Buffer {
  const wanted = { partition, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1, logStartOffset: -1 };
  const partitions = [{ ...wanted, partitionMaxBytes: 1_048_576 }];
  return frame(Fetch, FETCH_VERSION, {
    replicaId: -1,
    maxWaitMs: MAX_WAIT_MS,
    minBytes: 1,
    maxBytes: 1_048_576,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic: TOPIC, topicId: ZERO_UUID, partitions }],
    forgottenTopicsData: [],
    rackId: '',
  });
}

/** One connection with at most one request under way. */
class Line {
  readonly #socket: Socket;
  #got: Buffer[] = [];
  #gotBytes = 0;
  #answered: (at: number) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#got.push(chunk);
      this.#gotBytes += chunk.length;
      const all = this.#got.length === 1 ? chunk : Buffer.concat(this.#got);
      if (all.length < SIZE_BYTES || this.#gotBytes < SIZE_BYTES + all.readInt32BE(0)) return;
      this.#got = [];
      this.#gotBytes = 0;
      this.#answered(performance.now());
    });
  }

  static async open(port: number): Promise<Line> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Line(socket);
  }

  /** Resolves with the moment of the answer. */
  ask(bytes: Buffer): Promise<number> {
    this.#socket.write(bytes);
    return new Promise((done) => {
      this.#answered = done;
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

export const suite: Suite = {
  question: 'ten thousand fetches that wait: CPU and memory while nothing comes, and how soon one wakes',
  async run({ quick, progress }) {
    const connections = quick ? 1_000 : 10_000;
    const partitions = connections / 10;
    const idleSeconds = quick ? 2 : 10;
    const rounds = quick ? 50 : 300;
    // By itself a broker leaves half of what it may open to files, and takes fewer connections where that is little.
    const server = await start(broker({ 'file.handles.max': FILES_MAX }));
    const lines: Line[] = [];
    try {
      const writer = await Line.open(server.port);
      lines.push(writer);
      await writer.ask(create(partitions));
      const before = memoryOf(server.pid);
      const readers: Line[] = [];
      while (readers.length < connections) {
        const opening = Array.from({ length: CONNECTING_AT_ONCE }, () => Line.open(server.port));
        readers.push(...(await Promise.all(opening)));
        progress(`${readers.length} connections`);
      }
      lines.push(...readers);
      const waiting = readers.map((reader, index) => reader.ask(fetch(index % partitions, 0)));
      await sleep(2_000);

      const startCpu = cpuSeconds(server.pid);
      await sleep(idleSeconds * 1_000);
      const idlePercent = ((cpuSeconds(server.pid) - startCpu) / idleSeconds) * 100;
      const after = memoryOf(server.pid);

      const wakes: number[] = [];
      const acks: number[] = [];
      for (let round = 0; round < rounds; round++) {
        // Each gets its only record.
        const partition = (round * 7) % partitions;
        const bytes = produce(partition);
        const mine = readers.map((_, index) => index).filter((index) => index % partitions === partition);
        const sentAt = performance.now();
        acks.push((await writer.ask(bytes)) - sentAt);
        for (const index of mine) {
          wakes.push((await (waiting[index] as Promise<number>)) - sentAt);
          waiting[index] = (readers[index] as Line).ask(fetch(partition, 1));
        }
      }
      wakes.sort((a, b) => a - b);
      acks.sort((a, b) => a - b);
      const perConnection =
        (after.anonymousBytes + after.sharedBytes - before.anonymousBytes - before.sharedBytes) / connections;
      const rss = after.anonymousBytes + after.sharedBytes + after.fileBytes;
      const rows: Row[] = [
        { name: 'waiting fetches', value: connections, unit: '', note: `on ${partitions} partitions` },
        { name: 'CPU while idle', value: idlePercent, unit: '%', note: `of one core, over ${idleSeconds} s` },
        {
          name: 'resident',
          value: rss / 1_048_576,
          unit: 'MiB',
          note: `${digits(perConnection / 1_024)} KiB for each`,
        },
        { name: 'wake, median', value: quantile(wakes, 0.5), unit: 'ms', note: 'from sending a record to its readers' },
        { name: 'wake, p99', value: quantile(wakes, 0.99), unit: 'ms', note: `${wakes.length} wakes` },
        {
          name: 'acknowledged, median',
          value: quantile(acks, 0.5),
          unit: 'ms',
          note: 'the same records: what the machine is worth',
        },
        { name: 'acknowledged, p99', value: quantile(acks, 0.99), unit: 'ms' },
      ];
      return rows;
    } finally {
      for (const line of lines) line.close();
      await server.stop();
    }
  },
};
