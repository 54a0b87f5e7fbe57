/**
 * The partitions of one handler, by slot: opened, moved in and out by value, given new settings, removed and closed as main
 * says, and looked after as time passes.
 */
import type { RememberedProducers } from '../../api/controller-desk.ts';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { DiskError } from '../../log/disk.ts';
import type { LogEnvironment } from '../../log/environment.ts';
import { PartitionLog } from '../../log/partition-log.ts';
import { Partition } from '../../replica/partition.ts';
import type { PartitionDesk } from '../../replica/partition-desk.ts';
import { OFFLINE } from '../../replica/published.ts';
import { ERROR } from '../../wire/errors.ts';
import type { Cause, ControlMessage, FrozenPartition, PartitionMessage, Refused } from '../control.ts';
import type { Reply } from '../role.ts';
import type { Errands } from './errands.ts';
import type { QuestionsDesk } from './questions.ts';

export interface PartitionGuests {
  opened(slot: number, topic: string, partition: Partition): void;
  closed(slot: number): void;
  /** Nothing of theirs is on its way into the log. */
  quiet(slot: number): boolean;
}

export interface OwnedPartitionsParts {
  /** The handler's name and number. */
  readonly name: string;
  readonly index: number;
  readonly retentionCheckMs: number;
  readonly checkpointMs: number;
  /** What the logs need of the world. */
  readonly environment: LogEnvironment;
  readonly clock: Clock;
  readonly errands: Errands;
  /** What lives with partitions comes and goes with them. */
  readonly coordinators: PartitionGuests;
  /** Nothing that was said to processors waits for room. */
  saidAll(): boolean;
  /** The handler. */
  readonly desk: PartitionDesk & Pick<QuestionsDesk, 'touch'>;
}

/** Less than this is read again sooner than a file is written for it. */
const MARK_BYTES_MIN = 65_536;
const NO_BYTES = new Uint8Array(0);

/** What went wrong: the kernel's name for it where the disk said so, where in the code it happened where it is ours. */
export function causeOf(problem: unknown): Cause {
  if (problem instanceof DiskError) return { why: problem.message, code: problem.code, stack: null };
  const { message, stack = null } = problem as Error;
  return { why: message, code: '', stack };
}

export class OwnedPartitions {
  readonly #parts: OwnedPartitionsParts;
  readonly #partitions: (Partition | undefined)[] = [];
  /** Partitions whose files cannot be used. */
  readonly #offline = new Set<number>();
  /** When each partition is next looked at for what is old, by slot: at a moment of its own, so that they do not all go at once. */
  readonly #retainAt: number[] = [];
  /** And when it is next noted how far its log is written. */
  readonly #markAt: number[] = [];
  #freezing: { slots: readonly number[]; reply: Reply } | null = null;
  #frozenReply: (() => void) | null = null;

  constructor(parts: OwnedPartitionsParts) {
    this.#parts = parts;
  }

  at(slot: number): Partition | undefined {
    return this.#partitions[slot];
  }

  /** The error code for what is asked of a partition that is not here. */
  absent(slot: number): number {
    return this.#offline.has(slot) ? ERROR.KAFKA_STORAGE_ERROR : ERROR.NOT_LEADER_OR_FOLLOWER;
  }

  open(partitions: readonly PartitionMessage[], reply: Reply): void {
    const { environment, clock } = this.#parts;
    const offline: Refused[] = [];
    for (const message of partitions) {
      try {
        this.#place(message, PartitionLog.open({ ...environment, ...message, now: clock.now() }));
      } catch (problem) {
        // What an earlier partition has said in this slot is not its word.
        this.#parts.desk.published.clear(message.slot);
        this.#takeOffline(message.slot);
        offline.push({ slot: message.slot, ...causeOf(problem) });
      }
    }
    reply(offline);
  }

  thaw(partitions: readonly (PartitionMessage & FrozenPartition)[], reply: Reply): void {
    const { environment, clock } = this.#parts;
    for (const message of partitions) {
      try {
        if (message.bytes.length === 0) this.#takeOffline(message.slot);
        else this.#place(message, PartitionLog.thaw(message.bytes, { ...environment, ...message, now: clock.now() }));
      } catch (problem) {
        this.#takeOffline(message.slot);
        this.#parts.desk.offline(message.slot, problem as Error);
      }
    }
    reply();
  }

  /** What is asked for is frozen together, once nothing is under way in any of it: `settle` sees to it. */
  freeze(slots: readonly number[], reply: Reply): void {
    this.#freezing = { slots, reply };
    this.settle();
  }

  /** At the end of a round: what waits to be frozen may be at rest now. It is given away once all is said that was said of it. */
  settle(): void {
    if (this.#freezing !== null) this.#freeze(this.#freezing);
    if (this.#frozenReply === null || !this.#parts.saidAll()) return;
    this.#frozenReply();
    this.#frozenReply = null;
  }

  #freeze({ slots, reply }: { slots: readonly number[]; reply: Reply }): void {
    const { coordinators } = this.#parts;
    for (const slot of slots) if (this.#partitions[slot]?.quiet === false || !coordinators.quiet(slot)) return;
    this.#freezing = null;
    for (const slot of slots) coordinators.closed(slot);
    const frozen = slots.map((slot) => ({ slot, bytes: this.#frozen(slot) }));
    this.#frozenReply = () => reply(frozen);
  }

  #frozen(slot: number): Uint8Array {
    const partition = this.#partitions[slot];
    assert(partition !== undefined || this.#offline.has(slot), 'the handler owns the partition', { slot });
    this.#offline.delete(slot);
    this.#partitions[slot] = undefined;
    partition?.leave();
    if (partition === undefined || partition.log.broken !== null) return NO_BYTES;
    try {
      return partition.log.freeze();
    } catch (problem) {
      this.#parts.desk.offline(slot, problem as Error);
      return NO_BYTES;
    }
  }

  configure({ slots, config, minInsyncReplicas }: Extract<ControlMessage, { kind: 'configure' }>, reply: Reply): void {
    for (const slot of slots) {
      const partition = this.#partitions[slot];
      if (partition === undefined) continue;
      partition.log.config = config;
      partition.minInsyncReplicas = minInsyncReplicas;
    }
    reply();
  }

  /** Of deleted topics. Gives those whose files could not be put out of the way. */
  remove(slots: readonly number[], reply: Reply): void {
    const { errands, coordinators, clock } = this.#parts;
    const now = clock.now();
    const left: Refused[] = [];
    for (const slot of slots) {
      this.#offline.delete(slot);
      const partition = this.#partitions[slot];
      if (partition === undefined) continue;
      coordinators.closed(slot);
      partition.end(now);
      this.#partitions[slot] = undefined;
      try {
        errands.removeLater(partition.log.remove(now));
      } catch (problem) {
        left.push({ slot, ...causeOf(problem) });
      }
    }
    reply(left);
  }

  /** Their directory has failed elsewhere. */
  fail(slots: readonly number[], why: string, reply: Reply): void {
    for (const slot of slots) this.#partitions[slot]?.fail(new DiskError('EIO', why, ''));
    reply();
  }

  /** Slot, bytes and end offset of each log, one behind the other. */
  sizes(reply: Reply): void {
    const sizes: number[] = [];
    for (const [slot, partition] of this.#partitions.entries())
      if (partition !== undefined) sizes.push(slot, partition.log.sizeBytes, partition.log.logEndOffset);
    reply(Float64Array.from(sizes));
  }

  /** For DescribeProducers. */
  producers(slots: readonly number[], reply: Reply): void {
    reply(
      slots.map((slot): RememberedProducers => {
        const partition = this.#partitions[slot];
        if (partition === undefined) return { errorCode: this.absent(slot), producers: [] };
        if (partition.log.broken !== null) return { errorCode: ERROR.KAFKA_STORAGE_ERROR, producers: [] };
        const producers = Array.from(partition.log.producers(), (producer) => ({
          producerId: producer.id,
          producerEpoch: producer.epoch,
          lastSequence: producer.batches.at(-1)?.lastSequence ?? -1,
          lastTimestamp: producer.lastTimestamp,
          coordinatorEpoch: producer.coordinatorEpoch,
          currentTxnStartOffset: producer.transactionStart,
        }));
        return { errorCode: ERROR.NONE, producers };
      }),
    );
  }

  /** What time alone brings: syncs that are due, old segments, silent producers, files to remove. */
  look(now: number): void {
    for (const [slot, partition] of this.#partitions.entries()) {
      if (partition === undefined) continue;
      partition.look(now);
      if (now >= (this.#markAt[slot] as number)) {
        this.#markAt[slot] = now + this.#parts.checkpointMs;
        partition.mark(MARK_BYTES_MIN);
      }
      if (now < (this.#retainAt[slot] as number)) continue;
      this.#retainAt[slot] = now + this.#parts.retentionCheckMs;
      partition.retain(now);
    }
    this.#parts.errands.removeDue(this.#partitions, now);
  }

  /** A clean end: every log closed, with what main writes into the checkpoint files. */
  close(reply: Reply): void {
    const closed: {
      slot: number;
      recoveryPoint: number;
      logStartOffset: number;
      highWatermark: number;
      error: string | null;
    }[] = [];
    const unfinished = new Map<number, string>();
    for (const slot of this.#partitions.keys()) this.#parts.coordinators.closed(slot);
    for (const [slot, partition] of this.#partitions.entries()) {
      try {
        partition?.log.finish();
      } catch (problem) {
        unfinished.set(slot, (problem as Error).message);
      }
    }
    const synced = new Set<string>();
    for (const [slot, partition] of this.#partitions.entries()) {
      if (partition === undefined) continue;
      let error = unfinished.get(slot) ?? null;
      try {
        partition.log.close(synced);
      } catch (problem) {
        error ??= (problem as Error).message;
      }
      const { recoveryPoint, logStartOffset } = partition.log;
      closed.push({ slot, recoveryPoint, logStartOffset, highWatermark: partition.highWatermark, error });
      this.#partitions[slot] = undefined;
    }
    reply(closed);
  }

  #place(message: PartitionMessage, log: PartitionLog): void {
    const { desk, coordinators, index, clock, environment, retentionCheckMs, checkpointMs } = this.#parts;
    desk.published.setOwner(message.slot, index);
    const partition = new Partition(message.slot, log, message.leaderEpoch, desk);
    partition.minInsyncReplicas = message.minInsyncReplicas;
    this.#partitions[message.slot] = partition;
    // What its last process did not make durable, and should have, is due at the end of the round.
    desk.touch(partition);
    coordinators.opened(message.slot, message.topic, partition);
    this.#retainAt[message.slot] = clock.now() + 1 + environment.random.below(retentionCheckMs);
    this.#markAt[message.slot] = clock.now() + 1 + environment.random.below(checkpointMs);
  }

  /** One that cannot be used is answered for here all the same. */
  #takeOffline(slot: number): void {
    const { desk, index } = this.#parts;
    desk.published.setOwner(slot, index);
    desk.published.setState(slot, OFFLINE);
    this.#offline.add(slot);
  }
}
