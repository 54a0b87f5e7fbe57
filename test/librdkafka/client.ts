/** librdkafka through its Node module, as promises: what the tests ask of producers, consumers and the admin client. */
import { createRequire } from 'node:module';
import { RawClient } from '../kit/client.ts';
import { eventually } from '../kit/eventually.ts';
import { describeConsumerGroup, describeGroup } from '../kit/group-calls.ts';

export type Config = Readonly<Record<string, string | number | boolean>>;

type Callback<T> = (problem: Error | null, value: T) => void;

export interface Message {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
  readonly headers?: readonly Readonly<Record<string, Buffer>>[];
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface RawProducer {
  connect(options: object, done: Callback<unknown>): void;
  disconnect(done: Callback<unknown>): void;
  on(event: string, listener: (...values: never[]) => void): void;
  setPollInterval(ms: number): void;
  produce(
    topic: string,
    partition: number | null,
    value: Buffer | null,
    key: Buffer | string | null,
    timestamp: number | null,
    opaque: unknown,
    headers?: readonly Readonly<Record<string, string | Buffer>>[],
  ): void;
  flush(timeoutMs: number, done: Callback<unknown>): void;
}

interface RawConsumer {
  connect(options: object, done: Callback<unknown>): void;
  disconnect(done: Callback<unknown>): void;
  assign(places: readonly Place[]): void;
  subscribe(topics: readonly string[]): void;
  assignments(): Place[];
  unsubscribe(): void;
  consume(count: number, done: Callback<Message[]>): void;
  setDefaultConsumeTimeout(ms: number): void;
  queryWatermarkOffsets(
    topic: string,
    partition: number,
    timeoutMs: number,
    done: Callback<{ lowOffset: number; highOffset: number }>,
  ): void;
  offsetsForTimes(places: readonly Place[], timeoutMs: number, done: Callback<Place[]>): void;
  getMetadata(
    options: object,
    done: Callback<{ topics: { name: string; partitions: { id: number; leader: number }[] }[] }>,
  ): void;
}

interface RawAdmin {
  createTopic(topic: object, done: (problem: Error | null) => void): void;
  createPartitions(topic: string, count: number, done: (problem: Error | null) => void): void;
  deleteTopic(topic: string, done: (problem: Error | null) => void): void;
  deleteRecords(places: readonly Place[], options: object, done: Callback<{ lowWatermark: number }[]>): void;
  disconnect(): void;
}

interface Module {
  readonly librdkafkaVersion: string;
  readonly Producer: new (config: Config, topic?: Config) => RawProducer;
  readonly KafkaConsumer: new (config: Config, topic?: Config) => RawConsumer;
  readonly AdminClient: { create(config: Config): RawAdmin };
}

const module = createRequire(new URL('../../scripts/librdkafka/', import.meta.url))(
  '@confluentinc/kafka-javascript',
) as Module;

export const VERSION = module.librdkafkaVersion;

function settled<T>(start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((problem, value) => (problem ? reject(problem) : resolve(value)));
  });
}

export interface Report {
  readonly problem: Error | null;
  readonly partition: number;
  readonly offset: number;
  readonly opaque: unknown;
}

const REPORTED_WITHIN_MS = 30_000;

export class Producer {
  readonly reports: Report[] = [];
  readonly #raw: RawProducer;
  #sent = 0;

  private constructor(raw: RawProducer) {
    this.#raw = raw;
  }

  static async connect(address: string, config: Config = {}): Promise<Producer> {
    const raw = new module.Producer({ 'bootstrap.servers': address, dr_cb: true, ...config });
    const producer = new Producer(raw);
    raw.on('delivery-report', (problem: Error | null, { partition, offset, opaque }: Place & { opaque: unknown }) => {
      producer.reports.push({ problem, partition, offset, opaque });
    });
    raw.setPollInterval(5);
    await settled((done) => raw.connect({}, done));
    return producer;
  }

  send(
    topic: string,
    value: string | Buffer | null,
    more: {
      partition?: number;
      key?: string | null;
      timestamp?: number;
      opaque?: unknown;
      headers?: readonly Readonly<Record<string, string>>[];
    } = {},
  ): void {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    const { partition = null, key = null, timestamp = null, opaque, headers } = more;
    this.#sent += 1;
    this.#raw.produce(topic, partition, bytes, key, timestamp, opaque, headers);
  }

  /** Everything is sent, and reported. */
  async flush(): Promise<void> {
    await settled((done) => this.#raw.flush(30_000, done));
    const deadline = performance.now() + REPORTED_WITHIN_MS;
    while (this.reports.length < this.#sent && performance.now() < deadline) {
      await new Promise((done) => setTimeout(done, 5));
    }
    if (this.reports.length < this.#sent) throw new Error(`${this.#sent - this.reports.length} reports are missing`);
  }

  async close(): Promise<void> {
    await settled((done) => this.#raw.disconnect(done));
  }
}

export class Consumer {
  readonly #raw: RawConsumer;

  private constructor(raw: RawConsumer) {
    this.#raw = raw;
  }

  static async connect(address: string, config: Config = {}): Promise<Consumer> {
    const raw = new module.KafkaConsumer({
      'bootstrap.servers': address,
      'group.id': 'nobody',
      'enable.auto.commit': false,
      'fetch.wait.max.ms': 20,
      ...config,
    });
    raw.setDefaultConsumeTimeout(200);
    await settled((done) => raw.connect({}, done));
    return new Consumer(raw);
  }

  /** As many messages from there on, or fewer when `rounds` answers brought none. */
  async read(topic: string, partition: number, offset: number, count: number, rounds = 50): Promise<Message[]> {
    this.#raw.assign([{ topic, partition, offset }]);
    const messages: Message[] = [];
    for (let empty = 0; messages.length < count && empty < rounds; ) {
      const some = await settled<Message[]>((done) => this.#raw.consume(Math.min(1000, count - messages.length), done));
      messages.push(...some);
      empty = some.length === 0 ? empty + 1 : 0;
    }
    return messages;
  }

  watermarks(topic: string, partition: number): Promise<{ lowOffset: number; highOffset: number }> {
    return settled((done) => this.#raw.queryWatermarkOffsets(topic, partition, 10_000, done));
  }

  async offsetForTime(topic: string, partition: number, timestamp: number): Promise<number> {
    const places = await settled<Place[]>((done) =>
      this.#raw.offsetsForTimes([{ topic, partition, offset: timestamp }], 10_000, done),
    );
    return places[0]?.offset ?? -2;
  }

  async partitions(topic: string): Promise<{ id: number; leader: number }[]> {
    const { topics } = await settled<{ topics: { name: string; partitions: { id: number; leader: number }[] }[] }>(
      (done) => this.#raw.getMetadata({ topic, timeout: 10_000 }, done),
    );
    return topics.find(({ name }) => name === topic)?.partitions ?? [];
  }

  async close(): Promise<void> {
    await settled((done) => this.#raw.disconnect(done));
  }
}

const CONSUME_MAX = 100;
const LEAVES_WITHIN_MS = 30_000;
let membersMade = 0;

/** A member of a group, in the protocol that its settings name. It reads until it is stopped, and commits what it has read. */
export class GroupMember {
  readonly #raw: RawConsumer;
  readonly #clientId: string;
  readonly #group: string;
  readonly #port: number;
  readonly #ended: Promise<void>;
  readonly read: { readonly partition: number; readonly offset: number; readonly value: string }[] = [];
  #isGoing = true;
  /** What ended its life; whoever asks it anything is told. */
  #failure: Error | null = null;

  private constructor(raw: RawConsumer, clientId: string, group: string, port: number) {
    this.#raw = raw;
    this.#clientId = clientId;
    this.#group = group;
    this.#port = port;
    this.#ended = this.#live();
    this.#ended.catch((problem: Error) => {
      this.#failure = problem;
    });
  }

  static async join(address: string, group: string, topic: string, config: Config = {}): Promise<GroupMember> {
    membersMade += 1;
    const clientId = `member-${membersMade}`;
    const raw = new module.KafkaConsumer(
      {
        'bootstrap.servers': address,
        'client.id': clientId,
        'group.id': group,
        'auto.commit.interval.ms': 50,
        'fetch.wait.max.ms': 20,
        ...config,
      },
      { 'auto.offset.reset': 'earliest' },
    );
    raw.setDefaultConsumeTimeout(100);
    await settled((done) => raw.connect({}, done));
    raw.subscribe([topic]);
    return new GroupMember(raw, clientId, group, Number(address.split(':')[1]));
  }

  /** Partitions that it has now, ascending. */
  get owned(): number[] {
    if (this.#failure !== null) throw this.#failure;
    return this.#raw
      .assignments()
      .map(({ partition }) => partition)
      .toSorted((left, right) => left - right);
  }

  async #live(): Promise<void> {
    while (this.#isGoing) {
      const messages = await settled<Message[]>((done) => this.#raw.consume(CONSUME_MAX, done));
      for (const { partition, offset, value } of messages) this.read.push({ partition, offset, value: String(value) });
    }
  }

  /**
   * Leaves the group, and disconnects when its coordinator says that it has: one that is closed while what it gives up is still
   * being committed never says that it goes, and stays in the group until its session ends.
   */
  async stop(): Promise<void> {
    this.#raw.unsubscribe();
    const asking = await RawClient.connect(this.#port);
    const isGone = await eventually(() => this.#isGone(asking), Boolean, LEAVES_WITHIN_MS);
    await asking.close();
    if (!isGone) throw new Error(`${this.#clientId} is still in ${this.#group}`);
    this.#isGoing = false;
    await this.#ended;
    await settled((done) => this.#raw.disconnect(done));
  }

  async #isGone(asking: RawClient): Promise<boolean> {
    const groups = [await describeGroup(asking, this.#group), await describeConsumerGroup(asking, this.#group)];
    return !groups.some(({ members }) => members.some(({ clientId }) => clientId === this.#clientId));
  }
}

export class Admin {
  readonly #raw: RawAdmin;

  constructor(address: string) {
    this.#raw = module.AdminClient.create({ 'bootstrap.servers': address });
  }

  createTopic(topic: string, count: number, config: Readonly<Record<string, string>> = {}): Promise<void> {
    return settled((done) =>
      this.#raw.createTopic({ topic, num_partitions: count, replication_factor: 1, config }, (problem) =>
        done(problem, undefined),
      ),
    );
  }

  createPartitions(topic: string, count: number): Promise<void> {
    return settled((done) => this.#raw.createPartitions(topic, count, (problem) => done(problem, undefined)));
  }

  deleteTopic(topic: string): Promise<void> {
    return settled((done) => this.#raw.deleteTopic(topic, (problem) => done(problem, undefined)));
  }

  deleteRecords(topic: string, partition: number, offset: number): Promise<{ lowWatermark: number }[]> {
    return settled((done) => this.#raw.deleteRecords([{ topic, partition, offset }], {}, done));
  }

  close(): void {
    this.#raw.disconnect();
  }
}
