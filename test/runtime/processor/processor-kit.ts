import { SeededRandom } from '../../../src/base/random.ts';
import { randomUuid, ZERO_UUID } from '../../../src/base/uuid.ts';
import { emptyImage, type MetadataImage } from '../../../src/cluster/image.ts';
import { GROUP_LOG } from '../../../src/cluster/internal-topics.ts';
import { newPartitionView, ONLINE, PublishedPartitions, SLOT_BYTES } from '../../../src/replica/published.ts';
import type { FromThread } from '../../../src/runtime/control.ts';
import { type CounterName, Counters, countersMemory } from '../../../src/runtime/counters.ts';
import { Answers, UNREGISTERED } from '../../../src/runtime/net/answers.ts';
import type { Processor } from '../../../src/runtime/processor/processor.ts';
import { Bell } from '../../../src/runtime/rings/bell.ts';
import { LetterWriter, newLetters } from '../../../src/runtime/rings/letters.ts';
import { ACCEPTED, COORDINATED } from '../../../src/runtime/rings/messages.ts';
import { Inbox, newRing, Outbox } from '../../../src/runtime/rings/ring.ts';
import { requestWriter } from '../../../src/wire/compiler.ts';
import { beginFrame, endFrame, writeRequestHeader } from '../../../src/wire/headers.ts';
import { Heartbeat } from '../../../src/wire/messages/heartbeat.ts';
import { Metadata } from '../../../src/wire/messages/metadata.ts';
import { Produce } from '../../../src/wire/messages/produce.ts';
import type { Api, RequestInput } from '../../../src/wire/schema.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { HandClock } from '../../kit/hand-clock.ts';
import { batchOf } from '../../kit/records.ts';
import { PRODUCE_VERSION } from '../../kit/requests.ts';
import { FakeFiles, FakeTransport } from '../net/sockets.ts';
import { NO_SOCKETS, newProcessor } from './new-processor.ts';

export const RING_SLOTS = 4;
const PARTITIONS = 10;
const METADATA_VERSION = 12;
export const TOPIC = {
  name: 'orders',
  id: randomUuid(new SeededRandom(1)),
  slots: Array.from({ length: PARTITIONS }, (_, slot) => slot),
};

export const GROUPS = { name: GROUP_LOG, id: randomUuid(new SeededRandom(2)), slots: [PARTITIONS] };

export interface AskedOwner {
  readonly type: number;
  readonly operation: number;
  readonly part: number;
  readonly slot: number;
  /** The word `f`. */
  readonly more: number;
}

const silent = () => new Bell(new Int32Array(1), () => {});

export class ProcessorBench {
  readonly processor: Processor;
  readonly answers = new Answers(UNREGISTERED);
  readonly posted: FromThread[] = [];
  readonly #counters = new Counters(countersMemory(), 0);
  /** By the connection's number. */
  readonly #transports: FakeTransport[] = [];
  readonly #accepted: Outbox;
  readonly #asked: Inbox;
  readonly #answered: Outbox;
  readonly #letters: LetterWriter;

  constructor({ image = emptyImage('cluster') }: { readonly image?: MetadataImage } = {}) {
    const published = new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES * 64));
    for (const slot of [...TOPIC.slots, ...GROUPS.slots]) {
      published.setOwner(slot, 0);
      published.publish(slot, newPartitionView());
      published.setState(slot, ONLINE);
    }
    this.processor = newProcessor({
      answers: this.answers,
      clock: new HandClock(),
      published,
      sockets: {
        ...NO_SOCKETS,
        adopt: (_descriptor, connection) => {
          const transport = new FakeTransport(new FakeFiles());
          this.#transports[connection] = transport;
          return transport;
        },
      },
      counters: this.#counters,
      image,
      routes: [TOPIC, GROUPS],
      post: (message) => this.posted.push(message),
    });
    const [accepted, asked, answered, unused] = [0, 1, 2, 3].map(() => newRing(RING_SLOTS)) as [
      SharedArrayBuffer,
      SharedArrayBuffer,
      SharedArrayBuffer,
      SharedArrayBuffer,
    ];
    const letters = newLetters();
    this.processor.linked('h0', new Inbox(answered), new Outbox(asked, silent()), letters);
    this.processor.linked('a0', new Inbox(accepted), new Outbox(unused, silent()));
    this.#accepted = new Outbox(accepted, silent());
    this.#asked = new Inbox(asked);
    this.#answered = new Outbox(answered, silent());
    this.#letters = new LetterWriter(letters, this.#answered, COORDINATED);
  }

  /** One turn of the loop. */
  turn(): void {
    this.processor.drain(0);
    this.processor.settle(0);
  }

  connect(): FakeTransport {
    const connection = Math.max(1, this.#transports.length);
    this.#accepted.send(ACCEPTED, 4 + connection, 0, 0, 0, 0, 0, 0);
    this.turn();
    return this.#transports[connection] as FakeTransport;
  }

  counter(name: CounterName): number {
    this.processor.count();
    return this.#counters.get(name);
  }

  /** What the handler was asked since. */
  asked(): AskedOwner[] {
    const { words } = this.#asked;
    const all = [];
    for (let at = this.#asked.peek(); at >= 0; at = this.#asked.peek()) {
      const [type, operation, part, slot] = words.subarray(at, at + 4) as unknown as [number, number, number, number];
      all.push({ type, operation, part, slot, more: words[at + 6] as number });
      this.#asked.next();
    }
    return all;
  }

  answer(type: number, operation: number, part: number, error: number): void {
    this.#answered.send(type, operation, part, error, 0, 0, 0, 0);
  }

  /** A coordinator that cannot answer. */
  refuse(operation: number, part: number, error: number): void {
    this.#letters.send(operation, part, error, new Uint8Array(0));
  }

  heartbeat(transport: FakeTransport): void {
    this.#request(transport, Heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null });
  }

  /** One request to append to each of these partitions. */
  produce(transport: FakeTransport, partitions: readonly number[]): void {
    this.#request(transport, Produce, PRODUCE_VERSION, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1_000,
      topicData: [
        {
          name: TOPIC.name,
          topicId: TOPIC.id,
          partitionData: partitions.map((index) => ({ index, records: batchOf(['x']) })),
        },
      ],
    });
  }

  metadata(transport: FakeTransport): void {
    this.#request(transport, Metadata, METADATA_VERSION, {
      topics: [{ topicId: ZERO_UUID, name: TOPIC.name }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
  }

  #request<A extends Api>(transport: FakeTransport, api: A, version: number, request: RequestInput<A>): void {
    const writer = new Writer();
    beginFrame(writer);
    writeRequestHeader(writer, api, version, 1, 'test');
    requestWriter(api, version)(writer, request);
    endFrame(writer);
    transport.arrive(writer.memory.bytes.slice(0, writer.writtenBytes));
    this.processor.connection(this.#transports.indexOf(transport))?.readable(0);
  }
}
