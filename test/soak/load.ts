/**
 * The soak's clients: paced, so that the machine has air and a latency says something. Each checks what it gets; the first
 * that is wrong ends the soak. Latencies are kept by kind until they are taken.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../src/base/random.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { DeleteTopics } from '../../src/wire/messages/delete-topics.ts';
import { RawClient } from '../kit/client.ts';
import { filledBatch, textOf } from '../kit/records.ts';
import { createTopic, fetch, initProducer, metadata, produce } from '../kit/requests.ts';
import type { SoakedBroker } from './soaked-broker.ts';

export const KINDS = ['produce', 'follow', 'catch up', 'metadata'] as const;
export type Kind = (typeof KINDS)[number];

const TOPIC = 'soaked';
const QUIET_TOPIC = 'quiet';
const PARTITIONS = 6;
const RECORDS = 10;
const VALUE_BYTES = 1_000;
const PRODUCE_EVERY_MS = 20;
const READ_EVERY_MS = 50;
const ROUND_EVERY_MS = 1_000;
const RESIZE_EVERY_MS = 5_000;
const IDLE_CONNECTIONS = 100;
const WAITING_CONNECTIONS = 20;
const THREADS_MAX = 4;

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

export class SoakLoad {
  readonly #port: number;
  readonly #broker: SoakedBroker;
  readonly #dice: Random;
  readonly #stopping = new AbortController();
  readonly #latencies = new Map<Kind, number[]>();
  readonly #clients: RawClient[] = [];
  readonly counts = { batches: 0, read: 0, topics: 0, resizes: 0 };

  constructor(port: number, broker: SoakedBroker, dice: Random) {
    this.#port = port;
    this.#broker = broker;
    this.#dice = dice;
  }

  /** Goes on until it is stopped, or something is wrong: then it rejects. */
  async run(): Promise<void> {
    const setter = await this.#connect();
    await createTopic(setter, { name: TOPIC, partitions: PARTITIONS });
    await createTopic(setter, { name: QUIET_TOPIC });
    const partitions = Array.from({ length: PARTITIONS }, (_, index) => index);
    const work = [
      ...partitions.map((partition) => this.#write(partition)),
      ...partitions.map((partition) => this.#follow(partition)),
      ...partitions.slice(0, 2).map((partition) => this.#catchUp(partition)),
      ...Array.from({ length: WAITING_CONNECTIONS }, () => this.#wait()),
      this.#rest(),
      this.#comeAndGo(),
      this.#resize(),
    ];
    try {
      await Promise.all(work.map((one) => one.catch((problem: Error) => this.#ended(problem))));
    } finally {
      this.stop();
      await Promise.all(this.#clients.map((client) => client.close()));
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** In milliseconds, since they were taken last. */
  take(kind: Kind): readonly number[] {
    const taken = this.#latencies.get(kind) ?? [];
    this.#latencies.set(kind, []);
    return taken;
  }

  get #going(): boolean {
    return !this.#stopping.signal.aborted;
  }

  /** A pause that was cut short by the end is none of the load's troubles; all else is, and ends it. */
  #ended(problem: Error): void {
    if (problem.name === 'AbortError' && !this.#going) return;
    this.stop();
    throw problem;
  }

  async #every(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stopping.signal });
  }

  async #connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.#port, 'soak');
    this.#clients.push(client);
    return client;
  }

  async #timed<T>(kind: Kind, work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    const result = await work();
    this.#note(kind, performance.now() - startMs);
    return result;
  }

  #note(kind: Kind, ms: number): void {
    const list = this.#latencies.get(kind) ?? [];
    this.#latencies.set(kind, list);
    list.push(ms);
  }

  async #write(partition: number): Promise<void> {
    const client = await this.#connect();
    const producer = await initProducer(client);
    for (let sent = 0; this.#going; sent++) {
      const baseSequence = sent * RECORDS;
      const batch = filledBatch(`${performance.now()} `, RECORDS, VALUE_BYTES, { ...producer, baseSequence });
      const { errorCode, baseOffset } = await this.#timed('produce', () =>
        produce(client, TOPIC, batch, { partition }),
      );
      must(
        errorCode === ERROR.NONE && baseOffset === baseSequence,
        `produce: error ${errorCode} at ${baseOffset} for ${baseSequence}`,
      );
      this.counts.batches += 1;
      await this.#every(PRODUCE_EVERY_MS);
    }
  }

  /** At the end of a partition, by long polls: from the producer's hand to the consumer's. */
  async #follow(partition: number): Promise<void> {
    const client = await this.#connect();
    let next = 0;
    while (this.#going) {
      const { errorCode, batches } = await fetch(client, TOPIC, {
        partition,
        offset: next,
        minBytes: 1,
        maxWaitMs: 500,
      });
      must(errorCode === ERROR.NONE, `follow: error ${errorCode} at ${next}`);
      for (const { baseOffset, lastOffset, records } of batches) {
        must(baseOffset === next, `follow: ${baseOffset} where ${next} is due`);
        const sentMs = Number.parseFloat(textOf(records[0]?.value ?? null) ?? '');
        if (records.length > 0 && next > 0) this.#note('follow', performance.now() - sentMs);
        next = lastOffset + 1;
        this.counts.read += 1;
      }
    }
  }

  /** From where the log begins to its end and over again; what retention takes away meanwhile is jumped over. */
  async #catchUp(partition: number): Promise<void> {
    const client = await this.#connect();
    let next = 0;
    while (this.#going) {
      const offset = next;
      const got = await this.#timed('catch up', () =>
        fetch(client, TOPIC, { partition, offset, partitionMaxBytes: 262_144 }),
      );
      if (got.errorCode === ERROR.OFFSET_OUT_OF_RANGE) next = got.logStartOffset;
      else {
        must(got.errorCode === ERROR.NONE, `catch up: error ${got.errorCode} at ${offset}`);
        const last = got.batches.at(-1);
        next = last === undefined ? got.logStartOffset : last.lastOffset + 1;
      }
      await this.#every(READ_EVERY_MS);
    }
  }

  /** For what never comes. */
  async #wait(): Promise<void> {
    const client = await this.#connect();
    while (this.#going) {
      const { errorCode, batches } = await fetch(client, QUIET_TOPIC, { minBytes: 1, maxWaitMs: ROUND_EVERY_MS });
      must(errorCode === ERROR.NONE && batches.length === 0, `wait: error ${errorCode}, ${batches.length} batches`);
    }
  }

  /** Many connections that say a word now and then, one after the other. */
  async #rest(): Promise<void> {
    const clients = await Promise.all(Array.from({ length: IDLE_CONNECTIONS }, () => this.#connect()));
    for (let turn = 0; this.#going; turn = (turn + 1) % IDLE_CONNECTIONS) {
      const client = clients[turn] as RawClient;
      const { topics } = await this.#timed('metadata', () => metadata(client, [TOPIC]));
      must(topics[0]?.partitions.length === PARTITIONS, 'metadata: partitions are missing');
      await this.#every(ROUND_EVERY_MS / 4);
    }
  }

  /** Topics and connections that live shortly. */
  async #comeAndGo(): Promise<void> {
    while (this.#going) {
      const client = await RawClient.connect(this.#port, 'soak');
      const { name } = await createTopic(client, { name: `short-${this.counts.topics}`, partitions: 3 });
      const { errorCode } = await produce(client, name, filledBatch('x', RECORDS, VALUE_BYTES), { partition: 1 });
      must(errorCode === ERROR.NONE, `produce to ${name}: error ${errorCode}`);
      const { responses } = await client.call(DeleteTopics, 4, {
        topics: [],
        topicNames: [name],
        timeoutMs: 10_000,
      });
      must(responses[0]?.errorCode === ERROR.NONE, `delete ${name}: error ${responses[0]?.errorCode}`);
      this.counts.topics += 1;
      await client.close();
      await this.#every(ROUND_EVERY_MS);
    }
  }

  async #resize(): Promise<void> {
    const size = () => 1 + this.#dice.below(THREADS_MAX);
    while (this.#going) {
      await this.#every(RESIZE_EVERY_MS);
      await this.#broker.resize(size(), size());
      this.counts.resizes += 1;
    }
  }
}
