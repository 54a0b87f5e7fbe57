/** A handler over a simulated disk and a clock that is turned by hand, with a processor's and a blocker's ends of its rings. */
import { type Memory, memoryOver } from '../../../src/base/memory.ts';
import { SeededRandom } from '../../../src/base/random.ts';
import { Timers } from '../../../src/base/timers.ts';
import { randomUuid } from '../../../src/base/uuid.ts';
import { apply, type Change } from '../../../src/cluster/changes.ts';
import { emptyImage } from '../../../src/cluster/image.ts';
import { parseSettings } from '../../../src/config/settings.ts';
import { groupSettings } from '../../../src/host/groups.ts';
import type { LogConfig } from '../../../src/log/config.ts';
import type { FileTable } from '../../../src/log/leases.ts';
import { PublishedPartitions, SLOT_BYTES } from '../../../src/replica/published.ts';
import type { ControlMessage, FromThread, PartitionMessage } from '../../../src/runtime/control.ts';
import { Counters, countersMemory } from '../../../src/runtime/counters.ts';
import { Handler, type HandlerParts } from '../../../src/runtime/handler/handler.ts';
import { Bell } from '../../../src/runtime/rings/bell.ts';
import { newLetters } from '../../../src/runtime/rings/letters.ts';
import { APPEND } from '../../../src/runtime/rings/messages.ts';
import { Inbox, newRing, Outbox } from '../../../src/runtime/rings/ring.ts';
import { HandClock } from '../../kit/hand-clock.ts';
import { config, environment } from '../../log/fixture.ts';
import { SimulatedDisk } from '../../sim/disk.ts';

export interface Reported {
  readonly value: unknown;
  readonly error: string | null;
}

const INTAKE_BYTES = 262_144;
const uuids = new SeededRandom(9);
export const silent = () => new Bell(new Int32Array(new SharedArrayBuffer(4)), () => {});

export class HandlerBench {
  readonly clock = new HandClock();
  readonly timers = new Timers(0);
  readonly disk: SimulatedDisk;
  readonly published = new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES * 1_024));
  readonly handler: Handler;
  readonly posted: FromThread[] = [];
  /** What the processor p0 received its requests into. */
  readonly intake: Memory;
  readonly files: FileTable;
  /** For what the handler says to p0 beside its ring. */
  readonly letters = newLetters();
  /** The ends that p0 and b0 have. */
  readonly toHandler: Outbox;
  readonly fromHandler: Inbox;
  readonly toBlocker: Inbox;
  readonly fromBlocker: Outbox;
  #intakeUsed = 0;

  constructor(
    options: Partial<
      Pick<HandlerParts, 'groupCommit' | 'fullValidation' | 'retentionCheckMs' | 'checkpointMs' | 'index'>
    > & {
      readonly seed?: number;
      readonly ringSlots?: number;
      readonly disk?: SimulatedDisk;
      /** To an image that knows nothing. */
      readonly changes?: readonly Change[];
      readonly intake?: Memory;
    } = {},
  ) {
    const { seed = 1, ringSlots = 64, index = 0 } = options;
    this.disk = options.disk ?? new SimulatedDisk();
    this.intake = options.intake ?? memoryOver(new Uint8Array(INTAKE_BYTES));
    const world = environment(this.disk, 64, seed);
    this.files = world.table;
    this.handler = new Handler({
      name: `h${index}`,
      index,
      groupCommit: options.groupCommit ?? false,
      fullValidation: options.fullValidation ?? false,
      retentionCheckMs: options.retentionCheckMs ?? 300_000,
      checkpointMs: options.checkpointMs ?? 60_000,
      environment: world,
      cache: world.files,
      registry: { register: (bytes) => memoryOver(bytes), unregister: () => {} },
      files: world.table,
      published: this.published,
      clock: this.clock,
      timers: this.timers,
      groups: groupSettings(parseSettings([]).settings),
      groupExpiryCheckMs: 600_000,
      image: apply(emptyImage('test'), options.changes ?? []),
      counters: new Counters(countersMemory(), 0),
      post: (message) => this.posted.push(message),
    });
    const [asked, answered, done, wanted] = [0, 1, 2, 3].map(() => newRing(ringSlots)) as [
      SharedArrayBuffer,
      SharedArrayBuffer,
      SharedArrayBuffer,
      SharedArrayBuffer,
    ];
    this.toHandler = new Outbox(asked, silent());
    this.fromHandler = new Inbox(answered);
    this.fromBlocker = new Outbox(done, silent());
    this.toBlocker = new Inbox(wanted);
    this.handler.linked('p0', new Inbox(asked), new Outbox(answered, silent()), this.intake, this.letters);
    this.handler.linked('b0', new Inbox(done), new Outbox(wanted, silent()), null, null);
  }

  /** One turn of the loop. */
  turn(): void {
    this.timers.advance(this.clock.monotonic());
    this.handler.drain(this.clock.monotonic());
    this.handler.settle(this.clock.monotonic());
  }

  /** The answers to a control message, as they come. */
  control(message: ControlMessage): Reported[] {
    const replies: Reported[] = [];
    this.handler.control(message, (value, error) => replies.push({ value, error: error ?? null }));
    return replies;
  }

  partition(slot: number, changes: Partial<LogConfig> = {}): PartitionMessage {
    return {
      slot,
      topic: 'orders',
      topicId: randomUuid(uuids),
      partition: slot,
      leaderEpoch: 0,
      directory: `/data/orders-${slot}`,
      config: config(changes),
      minInsyncReplicas: 1,
      cleanShutdown: true,
      pageCacheKept: false,
      pageCacheDoubtful: false,
      recoveryPoint: 0,
      logStartOffset: 0,
    };
  }

  /** Lies in the intake until the test is over; an answer names the operation. */
  append(slot: number, bytes: Uint8Array, operation: number): void {
    this.toHandler.send(APPEND, operation, 0, slot, this.receive(bytes), bytes.length, -1, 0);
  }

  /** Puts bytes where p0 receives: where they lie. */
  receive(bytes: Uint8Array): number {
    const offset = this.#intakeUsed;
    this.intake.bytes.set(bytes, offset);
    this.#intakeUsed += (bytes.length + 7) & ~7;
    return offset;
  }

  /** What came since: type, operation, error and first float of each message. */
  received(inbox: Inbox = this.fromHandler): { type: number; a: number; b: number; c: number; w: number }[] {
    const messages = [];
    for (let at = inbox.peek(); at >= 0; at = inbox.peek()) {
      const [type, a, b, c] = inbox.words.subarray(at, at + 4) as unknown as [number, number, number, number];
      messages.push({ type, a, b, c, w: inbox.floats[(at >> 1) + 4] as number });
      inbox.next();
    }
    return messages;
  }
}
