/**
 * A proxy between clients and a broker that knows requests from answers: it keeps what clients said, cuts a connection at
 * the answer that a test names (the broker has done its work, the client does not hear of it), and refuses a produce request
 * in the broker's place.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { memoryOver } from '../../src/base/memory.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { requestReader, responseReader, responseWriter } from '../../src/wire/compiler.ts';
import {
  beginFrame,
  endFrame,
  RequestHeader,
  readRequestHeader,
  readResponseHeader,
  writeResponseHeader,
} from '../../src/wire/headers.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';
import { type ReadBatch, readBatches } from './records.ts';

const SIZE_BYTES = 4;

/** A request as it went by, without its size. */
export interface Passed {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly connection: number;
  readonly bytes: Uint8Array;
}

interface Open {
  readonly request: Passed;
  /** The answer that is given in the broker's place; null for the broker's own. */
  readonly refusal: Buffer | null;
}

/** Cuts whole frames, each with its size in front. */
class Splitter {
  #rest: Buffer = Buffer.alloc(0);

  take(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    let all = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (all.length >= SIZE_BYTES && all.length >= SIZE_BYTES + all.readInt32BE(0)) {
      const end = SIZE_BYTES + all.readInt32BE(0);
      frames.push(all.subarray(0, end));
      all = all.subarray(end);
    }
    this.#rest = all;
    return frames;
  }
}

export class WireProxy {
  readonly requests: Passed[] = [];
  /** Error codes of the broker's answers to produce requests, by partition, in order. */
  readonly produceErrors: number[] = [];
  /** Asked for each answer: true cuts its connection, and the answer is lost. */
  cut: (request: Passed) => boolean = () => false;
  cuts = 0;
  /** Asked for each produce request: another error than 0 is answered without the broker. */
  refuse: (request: Passed) => number = () => 0;
  /** A refusal is held back until so many produce requests of its connection are under way. */
  refuseBehind = 1;
  /** Most produce requests of one connection that were under way at once. */
  produceInFlightMax = 0;
  target = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;
  readonly #seen: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** Listens at once; clients may come when `target` is set. */
  static async listen(): Promise<WireProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WireProxy(server);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** What a broker must say so that its clients come here. */
  get settings(): Record<string, string> {
    return { 'advertised.listeners': `PLAINTEXT://${this.address}` };
  }

  get produced(): Passed[] {
    return this.requests.filter(({ apiKey }) => apiKey === Produce.key);
  }

  /** Resolves when `count` requests of the API have gone by. */
  seen(apiKey: number, count: number): Promise<void> {
    return this.#until(() => this.requests.filter((request) => request.apiKey === apiKey).length >= count);
  }

  /** Resolves when `count` requests of any kind have gone by. */
  passed(count: number): Promise<void> {
    return this.#until(() => this.requests.length >= count);
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((done) => this.#seen.push(done));
  }

  /** Forgets what went by and does nothing more than pass on. */
  reset(): void {
    this.requests.length = 0;
    this.produceErrors.length = 0;
    this.cut = () => false;
    this.cuts = 0;
    this.refuse = () => 0;
    this.refuseBehind = 1;
    this.produceInFlightMax = 0;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(client: Socket): void {
    const broker = connect(this.target, '127.0.0.1');
    const connection = this.#connections++;
    const open: Open[] = [];
    const said = new Splitter();
    const answered = new Splitter();
    const end = (): void => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    const arrived: Buffer[] = [];
    /** Answers leave in the order of their requests; a refusal that is held back holds those behind it. */
    const answer = (): void => {
      for (let first = open[0]; first !== undefined; first = open[0]) {
        const { request, refusal: refused } = first;
        if (refused !== null && producing(open) < this.refuseBehind) return;
        const frame = refused ?? arrived.shift();
        if (frame === undefined) return;
        open.shift();
        if (refused !== null) this.refuseBehind = 1;
        else if (this.cut(request)) {
          this.cuts += 1;
          return end();
        } else if (request.apiKey === Produce.key) {
          this.produceErrors.push(...errorsOf(request, frame.subarray(SIZE_BYTES)));
        }
        client.write(frame);
      }
    };
    client.on('data', (chunk) => {
      for (const frame of said.take(chunk)) {
        const bytes = new Uint8Array(frame.subarray(SIZE_BYTES));
        const request = { apiKey: frame.readInt16BE(4), apiVersion: frame.readInt16BE(6), connection, bytes };
        const isProduce = request.apiKey === Produce.key;
        this.requests.push(request);
        const error = isProduce ? this.refuse(request) : 0;
        // What has no answer must not stand in line for one.
        if (!isProduce || readProduce(request).request.acks !== 0) {
          open.push({ request, refusal: error === 0 ? null : refusal(request, error) });
        }
        this.produceInFlightMax = Math.max(this.produceInFlightMax, producing(open));
        if (error === 0) broker.write(frame);
      }
      answer();
      for (const done of this.#seen.splice(0)) done();
    });
    broker.on('data', (chunk) => {
      arrived.push(...answered.take(chunk));
      answer();
    });
  }
}

function producing(open: readonly Open[]): number {
  return open.filter(({ request }) => request.apiKey === Produce.key).length;
}

function readProduce({ apiVersion, bytes }: Passed) {
  const memory = memoryOver(bytes);
  const reader = new Reader();
  reader.reset(memory, 0, bytes.length);
  const header = new RequestHeader();
  readRequestHeader(reader, header);
  return { memory, correlationId: header.correlationId, request: requestReader(Produce, apiVersion)(reader) };
}

function errorsOf({ apiVersion }: Passed, answer: Uint8Array): number[] {
  const reader = new Reader();
  reader.reset(memoryOver(new Uint8Array(answer)), 0, answer.length);
  readResponseHeader(reader, Produce, apiVersion);
  const { responses } = responseReader(Produce, apiVersion)(reader);
  return responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode));
}

function refusal(passed: Passed, errorCode: number): Buffer {
  const { correlationId, request } = readProduce(passed);
  const writer = new Writer();
  beginFrame(writer);
  writeResponseHeader(writer, Produce, passed.apiVersion, correlationId);
  responseWriter(Produce, passed.apiVersion)(writer, {
    responses: request.topicData.map(({ name, topicId, partitionData }) => ({
      name: name ?? '',
      topicId: topicId ?? ZERO_UUID,
      partitionResponses: partitionData.map(({ index }) => ({
        index,
        errorCode,
        baseOffset: -1,
        logAppendTimeMs: -1,
        logStartOffset: -1,
        recordErrors: [],
        errorMessage: null,
      })),
    })),
    throttleTimeMs: 0,
  });
  endFrame(writer);
  return Buffer.from(writer.memory.bytes.subarray(0, writer.writtenBytes));
}

/** The batches that a produce request carries. */
export function producedBatches(passed: Passed): ReadBatch[] {
  const { memory, request } = readProduce(passed);
  return request.topicData.flatMap(({ partitionData }) =>
    partitionData.flatMap(({ records }) =>
      records === null ? [] : readBatches(memory, records.offset, records.length),
    ),
  );
}
