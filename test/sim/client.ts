/**
 * A virtual client: a producer that numbers its batches or does not, and a consumer, over one connection at a time. A
 * producer with an id sends what was not answered again, in order, until it is; nobody else ever does. Every answer is held
 * against the ledger the moment it leaves the broker.
 */
import { memoryOver } from '../../src/base/memory.ts';
import type { Random } from '../../src/base/random.ts';
import { CODEC } from '../../src/wire/batch.ts';
import { responseReader } from '../../src/wire/compiler.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { readResponseHeader } from '../../src/wire/headers.ts';
import { DeleteRecords } from '../../src/wire/messages/delete-records.ts';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { LIST_OFFSETS_TIMESTAMP, ListOffsets } from '../../src/wire/messages/list-offsets.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { Reader } from '../../src/wire/reader.ts';
import type { Api, RequestInput, ResponseOf } from '../../src/wire/schema.ts';
import { requestFrame } from '../kit/frames.ts';
import { batchOf } from '../kit/records.ts';
import { FETCH_VERSION, fetchRequest, PRODUCE_VERSION, produceRequest } from '../kit/requests.ts';
import { type FakeTransport, must } from '../runtime/net/sockets.ts';
import { TOPIC } from './home.ts';
import type { Ledger, Places, Sent } from './ledger.ts';

const LIST_OFFSETS_VERSION = 7;
const DELETE_RECORDS_VERSION = 2;
const IN_FLIGHT_MAX = 5;
const SEQUENCE_EPOCHS = 1_000;

/** The world, as its clients see it. */
export interface ClientDesk {
  readonly ledger: Ledger;
  readonly random: Random;
  readonly partitions: number;
  now(): number;
  nextId(): number;
  /** Acknowledged means durable. */
  readonly ackIsDurable: boolean;
  /** Whoever reads a record has it for ever. */
  readonly readIsDurable: boolean;
  /** The end of what everybody may read of a partition now. */
  highWatermark(partition: number): number;
  /** The disk has failed this process: requests may be refused. */
  readonly inTrouble: boolean;
  note(what: string): void;
}

interface Waiting {
  readonly correlationId: number;
  readonly take: (reader: Reader, memory: ReturnType<typeof memoryOver>) => void;
  readonly what: string;
  /** Whether it may wait for something that has yet to come. */
  mayWait(): boolean;
}

/** What a producer with an id knows of one partition. */
interface Stream {
  epoch: number;
  sequence: number;
  /** Not answered, oldest first. */
  flying: Sent[];
  /** It was told no, and waits for another process. */
  stuck: boolean;
}

export class Client {
  readonly id: number;
  readonly idempotent: boolean;
  transport: FakeTransport | null = null;
  /** On its way to the broker. */
  outgoing: Uint8Array[] = [];
  readonly #desk: ClientDesk;
  readonly #streams: Stream[] = [];
  readonly #positions: number[] = [];
  #waiting: Waiting[] = [];
  #received = new Uint8Array(0);
  #correlation = 1;

  constructor(id: number, idempotent: boolean, desk: ClientDesk) {
    this.id = id;
    this.idempotent = idempotent;
    this.#desk = desk;
  }

  get waits(): number {
    return this.#waiting.length;
  }

  /** A new connection: what was not answered goes first. */
  connected(transport: FakeTransport): void {
    this.transport = transport;
    for (const stream of this.#streams) {
      if (stream === undefined) continue;
      stream.stuck = false;
      for (const sent of stream.flying) this.#sendBatch(sent, -1);
    }
  }

  /** The connection is gone; of what was under way nothing is known. */
  lost(): void {
    this.transport = null;
    this.outgoing = [];
    this.#waiting = [];
    this.#received = new Uint8Array(0);
  }

  /** What should have an answer when the broker is at rest: the oldest request, unless it is a fetch that has not enough. */
  get overdue(): string | null {
    const { transport, outgoing } = this;
    const isHeard = transport !== null && transport.closed === 0 && outgoing.length === 0;
    const first = this.#waiting[0];
    if (!isHeard || transport.room < Number.POSITIVE_INFINITY || first === undefined) return null;
    return first.mayWait() ? null : `${first.what} of client ${this.id}`;
  }

  // ---- Requests

  produce(partition: number, acks: number): void {
    const { random } = this.#desk;
    const stream = this.idempotent ? this.#stream(partition) : null;
    if (stream !== null && (stream.stuck || stream.flying.length >= IN_FLIGHT_MAX)) return;
    const id = this.#desk.nextId();
    const count = 1 + random.below(4);
    const valueBytes = 10 + random.below(150);
    const producerId = stream === null ? -1 : this.id * 16 + partition;
    const firstTimestamp = this.#desk.now() - random.below(3_000);
    const values = Array.from({ length: count }, (_, index) => ({
      timestamp: firstTimestamp + index,
      key: null,
      value: new TextEncoder().encode(`${id}-${index}`.padEnd(valueBytes, '.')),
    }));
    const { epoch = -1, sequence = -1 } = stream ?? {};
    const codec = random.below(4) === 0 ? { codec: CODEC.GZIP } : {};
    const producer = stream === null ? {} : { producerId, producerEpoch: epoch, baseSequence: sequence };
    const bytes = batchOf(values, { ...producer, ...codec });
    const sent: Sent = { id, partition, bytes, count, firstTimestamp, producerId, producerEpoch: epoch, sequence };
    this.#desk.ledger.send(sent);
    if (stream !== null) {
      stream.sequence += count;
      stream.flying.push(sent);
    }
    this.#desk.note(`client ${this.id} sends batch ${id} of ${count} to ${partition}, acks ${acks}`);
    this.#sendBatch(sent, stream === null ? acks : -1);
  }

  #sendBatch(sent: Sent, acks: number): void {
    const request = produceRequest(TOPIC, sent.bytes, { partition: sent.partition, acks });
    if (acks === 0) this.#push(Produce, PRODUCE_VERSION, request);
    else this.#ask(Produce, PRODUCE_VERSION, request, (body) => this.#produced(sent, body));
  }

  /** A large frame that comes to nothing. */
  junk(bytes: number): void {
    const request = produceRequest('nobody', new Uint8Array(bytes), {});
    this.#ask(Produce, PRODUCE_VERSION, request, ({ responses }) => {
      must(responses[0]?.partitionResponses[0]?.errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION, 'nobody has no log');
    });
  }

  fetch(partition: number): void {
    const { random, ledger } = this.#desk;
    const places = ledger.places(partition);
    const offset = random.below(4) === 0 ? random.below(places.endOffset + 2) : (this.#positions[partition] ?? 0);
    const end = places.endOffset;
    const minBytes = random.below(3) === 0 ? 1 + random.below(2_000) : 0;
    const partitionMaxBytes = random.below(3) === 0 ? random.below(3_000) : 100_000;
    const request = fetchRequest(TOPIC, {
      partition,
      offset,
      minBytes,
      maxWaitMs: random.below(2_000),
      partitionMaxBytes,
    });
    const take = (body: ResponseOf<typeof Fetch>, memory: ReturnType<typeof memoryOver>) =>
      this.#fetched(partition, offset, end, body, memory);
    const mayWait = () => partitionMaxBytes < minBytes || this.#bytesFrom(partition, offset) < minBytes;
    this.#ask(Fetch, FETCH_VERSION, request, take, mayWait);
  }

  /** What there is to read. */
  #bytesFrom(partition: number, offset: number): number {
    const { ledger } = this.#desk;
    const end = this.#desk.highWatermark(partition);
    const found = ledger
      .places(partition)
      .from(offset)
      .filter(({ endOffset }) => endOffset <= end);
    return found.reduce((sum, { sent }) => sum + sent.bytes.length, 0);
  }

  list(partition: number): void {
    const places = this.#desk.ledger.places(partition);
    const earliest = this.#desk.random.below(2) === 0;
    const timestamp = earliest ? LIST_OFFSETS_TIMESTAMP.EARLIEST : LIST_OFFSETS_TIMESTAMP.LATEST;
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }];
    const request = { replicaId: -1, isolationLevel: 0, topics: [{ name: TOPIC, partitions }], timeoutMs: 1_000 };
    const from = places.startPromised;
    this.#ask(ListOffsets, LIST_OFFSETS_VERSION, request, ({ topics }) => {
      const answer = topics[0]?.partitions[0];
      must(answer !== undefined, 'the partition is answered');
      if (!this.#refused(answer.errorCode)) {
        must(
          answer.offset >= from && answer.offset <= Math.max(places.endOffset, places.startHighest),
          `offset ${answer.offset} lies in the log`,
        );
      }
    });
  }

  deleteRecords(partition: number): void {
    const { random, ledger } = this.#desk;
    const places = ledger.places(partition);
    const offset = random.below(6) === 0 ? -1 : random.below(places.endOffset + 1);
    const request = {
      topics: [{ name: TOPIC, partitions: [{ partitionIndex: partition, offset }] }],
      timeoutMs: 1_000,
    };
    this.#desk.note(`client ${this.id} deletes records of ${partition} below ${offset}`);
    this.#ask(DeleteRecords, DELETE_RECORDS_VERSION, request, ({ topics }) => {
      const answer = topics[0]?.partitions[0];
      must(answer !== undefined, 'the partition is answered');
      // Its high watermark may have been lower than the end of what is written.
      if (answer.errorCode === ERROR.OFFSET_OUT_OF_RANGE || this.#refused(answer.errorCode)) return;
      must(answer.lowWatermark >= offset, `records below ${offset} are deleted: ${answer.lowWatermark}`);
      places.startPromised = Math.max(places.startPromised, answer.lowWatermark);
    });
  }

  #ask<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
    take: (body: ResponseOf<A>, memory: ReturnType<typeof memoryOver>) => void,
    mayWait = () => false,
  ): void {
    const correlationId = this.#push(api, version, request);
    this.#waiting.push({
      correlationId,
      what: `${api.name} ${correlationId}`,
      mayWait,
      take: (reader, memory) => {
        const answered = readResponseHeader(reader, api, version);
        must(answered === correlationId, `answers come in order: ${answered} in place of ${correlationId}`);
        const body = responseReader(api, version)(reader) as ResponseOf<A>;
        must(reader.remaining === 0, 'an answer ends where its frame ends');
        take(body, memory);
      },
    });
  }

  #push<A extends Api>(api: A, version: number, request: RequestInput<A>): number {
    const correlationId = this.#correlation++;
    this.outgoing.push(requestFrame(api, version, correlationId, `client-${this.id}`, request));
    return correlationId;
  }

  // ---- Answers

  /** Bytes that have left the broker. */
  receive(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const all = Buffer.concat([this.#received, bytes]);
    let at = 0;
    while (all.length - at >= 4 && all.length - at >= 4 + all.readInt32BE(at)) {
      const size = all.readInt32BE(at);
      const memory = memoryOver(Uint8Array.from(all.subarray(at + 4, at + 4 + size)));
      const reader = new Reader();
      reader.reset(memory, 0, size);
      const next = this.#waiting.shift();
      must(next !== undefined, 'an answer has a request');
      next.take(reader, memory);
      at += 4 + size;
    }
    this.#received = Uint8Array.from(all.subarray(at));
  }

  #refused(errorCode: number): boolean {
    if (errorCode === ERROR.NONE) return false;
    must(
      errorCode === ERROR.KAFKA_STORAGE_ERROR && this.#desk.inTrouble,
      `nothing is refused without a reason: ${errorCode}`,
    );
    return true;
  }

  #produced(sent: Sent, { responses }: ResponseOf<typeof Produce>): void {
    const answer = responses[0]?.partitionResponses[0];
    must(answer !== undefined && answer.index === sent.partition, 'the partition is answered');
    const places = this.#desk.ledger.places(sent.partition);
    const stream = this.idempotent ? this.#stream(sent.partition) : null;
    if (stream !== null && !stream.flying.includes(sent)) return;
    const { errorCode, baseOffset } = answer;
    if (errorCode === ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER && stream !== null) {
      // Batches that it builds on were lost, which the policy allows, or were refused with the disk.
      must(places.gaps || this.#desk.inTrouble, `batch ${sent.id} is the next one of its producer`);
      if (stream.stuck) return;
      return this.#startAgain(stream);
    }
    const isOld = errorCode === ERROR.DUPLICATE_SEQUENCE_NUMBER && stream !== null;
    if (!isOld && this.#refused(errorCode)) {
      if (stream !== null) stream.stuck = true;
      return;
    }
    if (stream !== null) {
      const first = stream.flying.indexOf(sent);
      must(first === 0 || stream.stuck, 'batches are taken in their order');
      stream.flying.splice(first, 1);
    }
    this.#acknowledged(sent, places, isOld ? -1 : baseOffset);
  }

  #acknowledged(sent: Sent, places: Places, baseOffset: number): void {
    const placed = baseOffset < 0 ? places.placed.find((one) => one.sent === sent) : places.at(baseOffset);
    must(placed?.sent === sent, `batch ${sent.id} is where its answer says: at ${baseOffset}`);
    this.#desk.note(`batch ${sent.id} is acknowledged at ${placed.baseOffset}`);
    if (this.#desk.ackIsDurable) places.endPromised = Math.max(places.endPromised, placed.endOffset);
  }

  /** Its next batches have nothing to do with the ones before. */
  #startAgain(stream: Stream): void {
    stream.epoch = (stream.epoch + 1) % SEQUENCE_EPOCHS;
    stream.sequence = 0;
    stream.flying = [];
  }

  #stream(partition: number): Stream {
    this.#streams[partition] ??= { epoch: 0, sequence: 0, flying: [], stuck: false };
    return this.#streams[partition];
  }

  #fetched(
    partition: number,
    asked: number,
    end: number,
    { responses }: ResponseOf<typeof Fetch>,
    memory: ReturnType<typeof memoryOver>,
  ): void {
    const answer = responses[0]?.partitions[0];
    // A partition without news may be left out.
    if (answer === undefined) return;
    const places = this.#desk.ledger.places(partition);
    if (answer.errorCode === ERROR.OFFSET_OUT_OF_RANGE) {
      const inside = asked >= places.startHighest && asked <= end;
      must(!inside, `offset ${asked} lies in the log`);
      this.#positions[partition] = places.startHighest;
      return;
    }
    if (this.#refused(answer.errorCode) || answer.records === null) return;
    const { offset, length } = answer.records;
    const found = this.#desk.ledger.read(memory.bytes.slice(offset, offset + length), partition);
    const first = found[0];
    if (first === undefined) return must(length === 0, 'a fetch has a whole batch or nothing');
    must(first.baseOffset <= asked && first.endOffset > asked, `the first batch holds offset ${asked}`);
    for (const one of found) {
      const place = places.at(one.baseOffset);
      must(
        place?.sent === one.sent && place.epoch === one.epoch,
        `what is read at ${one.baseOffset} is what lies there`,
      );
    }
    const { endOffset } = found.at(-1) as { endOffset: number };
    must(endOffset <= answer.highWatermark, `nothing is read beyond the high watermark ${answer.highWatermark}`);
    if (this.#desk.readIsDurable) places.endPromised = Math.max(places.endPromised, endOffset);
    if (asked === (this.#positions[partition] ?? 0)) this.#positions[partition] = endOffset;
  }
}
