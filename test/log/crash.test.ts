/**
 * Random lives of one log on a disk that forgets: appends, syncs, rolls, clean ends, kills and power losses, in an order that
 * the seed gives. After every start: nothing synced is lost, nothing half-written is served, offsets are dense, what is
 * there is byte for byte what was appended, and indexes, epochs and producers agree with it.
 */
import { expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import { removeRetired } from '../../src/log/deletions.ts';
import { DiskError } from '../../src/log/disk.ts';
import { PartitionLog } from '../../src/log/partition-log.ts';
import type { ReadPlan } from '../../src/log/reading.ts';
import type { AppendResult } from '../../src/log/validation.ts';
import * as batch from '../../src/wire/batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { SimulatedDisk } from '../sim/disk.ts';
import { batchOf, config, DIRECTORY, environment, NOW, type TestEnvironment } from './fixture.ts';

interface Appended {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly epoch: number;
  readonly producerId: number;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

const TOPIC_ID = randomUuid(new SeededRandom(99));
const READ_BYTES = 1_500;

class Life {
  readonly disk = new SimulatedDisk();
  readonly #random: SeededRandom;
  readonly #seed: number;
  readonly appended: Appended[] = [];
  #world: TestEnvironment;
  #log: PartitionLog;
  #durableEnd = 0;
  /** What the checkpoint files of the data directory say. */
  #checkpoint = 0;
  #startCheckpoint = 0;
  #highestStart = 0;
  #epoch = 0;
  #now = NOW;
  readonly #result: AppendResult = { errorCode: 0, baseOffset: -1, endOffset: -1, logAppendTime: -1, duplicate: false };

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.disk.makeDirectory('/data');
    this.disk.syncDirectory('/');
    this.#world = environment(this.disk, 1 + this.#random.below(8), seed);
    this.#log = this.#open(false);
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step++) this.#step();
    this.#log.close();
    this.#settle();
    this.#log = this.#open(true);
    this.check(this.#log.logEndOffset);
    this.#log.close();
    this.#settle();
  }

  #step(): void {
    const dice = this.#random.below(100);
    if (dice < 56) this.#append();
    else if (dice < 74) this.#sync();
    else if (dice < 78) this.#epoch += 1;
    else if (dice < 84) this.#writeCheckpoints();
    else if (dice < 86) this.#truncate();
    else if (dice < 88) this.#advanceStart();
    else if (dice < 90) this.#retain();
    else if (dice < 92) this.#restart(true);
    else if (dice < 95) this.#kill();
    else if (dice < 96) this.#move();
    else if (dice < 97) this.#log.mark(this.#random.below(2_000));
    else this.#crash();
  }

  #append(): void {
    const staged = 1 + this.#random.below(3);
    for (let i = 0; i < staged; i++) this.#stage();
    this.#log.write();
  }

  #stage(): void {
    const producerId = this.#random.below(4) - 1;
    const sequence = producerId < 0 ? -1 : this.#nextSequence(producerId);
    const count = 1 + this.#random.below(5);
    this.#now += this.#random.below(1_000);
    const memory = batchOf({
      count,
      valueBytes: this.#random.below(200),
      timestamp: this.#now,
      gzip: this.#random.below(4) === 0,
      ...(producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence: sequence }),
    });
    const result = this.#result;
    this.#log.stage(memory, 0, memory.bytes.length, this.#epoch, this.#now, result, 'client');
    if (this.#log.broken !== null) throw this.#log.broken;
    expect(result.errorCode).toBe(ERROR.NONE);
    const last = this.appended.at(-1);
    expect(result.baseOffset).toBe(last?.endOffset ?? 0);
    expect(result.endOffset).toBe(result.baseOffset + count);
    const { baseOffset, endOffset } = result;
    this.appended.push({ baseOffset, endOffset, epoch: this.#epoch, producerId, sequence, bytes: memory.bytes });
  }

  #nextSequence(producerId: number): number {
    const last = this.appended.findLast((each) => each.producerId === producerId);
    return last === undefined ? 0 : last.sequence + last.endOffset - last.baseOffset;
  }

  /** As the blocker does it; sometimes more is written meanwhile. */
  #sync(): void {
    const plan = this.#log.syncPlan();
    expect(plan.slots.length).toBeGreaterThan(0);
    for (const slot of plan.slots) this.disk.sync(this.#world.table.descriptor(slot));
    if (this.#random.below(2) === 0) this.#append();
    for (const slot of plan.slots) this.#world.files.release(slot);
    this.#log.synced(plan);
    this.#durableEnd = Math.max(this.#durableEnd, plan.endOffset);
    expect(this.#log.recoveryPoint).toBe(this.#durableEnd);
  }

  #writeCheckpoints(): void {
    this.#checkpoint = this.#log.recoveryPoint;
    this.#startCheckpoint = this.#log.logStartOffset;
  }

  /** As a follower does it, between batches; the recovery point on disk is lowered first. */
  #truncate(): void {
    const bounds = this.appended.map((each) => each.baseOffset).filter((offset) => offset >= this.#log.logStartOffset);
    const offset = bounds[this.#random.below(Math.max(1, bounds.length))] ?? this.#log.logEndOffset;
    this.#durableEnd = Math.min(this.#durableEnd, offset);
    this.#checkpoint = Math.min(this.#checkpoint, offset);
    this.#log.truncateTo(offset, this.#now);
    while ((this.appended.at(-1)?.endOffset ?? 0) > offset) this.appended.pop();
    this.check(offset);
  }

  #advanceStart(): void {
    this.#log.advanceLogStart(this.#random.below(this.#durableEnd + 1));
    this.#highestStart = Math.max(this.#highestStart, this.#log.logStartOffset);
  }

  #retain(): void {
    this.#log.config = { ...this.#log.config, retentionBytes: this.#random.below(30_000) };
    this.#log.retention(this.#now, this.#log.endPosition.offset);
    for (const path of this.#log.dueDeletions(this.#now + this.#random.below(100_000))) removeRetired(this.disk, path);
    this.check(this.#log.logEndOffset);
  }

  #restart(clean: boolean): void {
    const end = this.#log.logEndOffset;
    const start = this.#log.logStartOffset;
    if (clean) {
      this.#log.close();
      this.#durableEnd = end;
      this.#writeCheckpoints();
    }
    this.#settle();
    this.#log = this.#open(clean);
    expect(this.#log.logStartOffset).toBe(start);
    this.check(end);
  }

  /** The process is gone, what it wrote is in the page cache. */
  #kill(): void {
    const end = this.#log.endPosition.offset;
    this.disk.kill();
    this.#log = this.#open(false, true);
    this.check(end);
  }

  #crash(): void {
    this.disk.crash(this.#random);
    this.#log = this.#open(false);
    const end = this.#log.logEndOffset;
    this.check(end);
    while ((this.appended.at(-1)?.endOffset ?? 0) > end) this.appended.pop();
    expect(this.appended.at(-1)?.endOffset ?? 0).toBe(end);
  }

  /** After the disk has failed: a new process finds what it can. */
  recovered(): void {
    this.disk.kill();
    this.#log = this.#open(false);
    this.check(this.#log.logEndOffset);
    this.#log.close();
    this.#settle();
  }

  /** From one owner to another, by value. */
  #move(): void {
    const end = this.#log.logEndOffset;
    const bytes = this.#log.freeze();
    this.#settle();
    this.#world = environment(this.disk, 4, this.#seed);
    this.#log = PartitionLog.thaw(bytes, this.#options(true));
    this.check(end);
  }

  /** The old owner holds nothing. */
  #settle(): void {
    this.#world.files.close();
    expect(this.#world.table.leased()).toBe(0);
    expect(this.disk.openDescriptors).toBe(0);
  }

  #open(cleanShutdown: boolean, pageCacheKept = false): PartitionLog {
    this.#world = environment(this.disk, 1 + this.#random.below(8), this.#seed);
    return PartitionLog.open({ ...this.#options(cleanShutdown), pageCacheKept });
  }

  #options(cleanShutdown: boolean) {
    return {
      ...this.#world,
      directory: DIRECTORY,
      topic: 'orders',
      partition: 0,
      topicId: TOPIC_ID,
      config: config({ segmentBytes: 4_000, indexIntervalBytes: 300, segmentIndexBytes: 240, maxMessageBytes: 4_000 }),
      cleanShutdown,
      recoveryPoint: this.#checkpoint,
      logStartOffset: this.#startCheckpoint,
      now: this.#now,
    };
  }

  /** The log holds exactly the batches that were appended below `end`, and finds each of them. */
  check(end: number): void {
    const log = this.#log;
    expect(log.logEndOffset).toBe(end);
    expect(end).toBeGreaterThanOrEqual(this.#durableEnd);
    expect(log.endPosition.offset).toBe(end);
    const start = log.logStartOffset;
    const expected = this.appended.filter((each) => each.endOffset <= end && each.endOffset > start);
    expect(expected.at(-1)?.endOffset ?? start).toBe(end);
    let offset = start;
    let index = 0;
    while (offset < end) {
      const bytes = this.#read(offset);
      for (let at = 0; at + batch.HEADER_BYTES <= bytes.length; index++) {
        const each = expected[index] as Appended;
        const length = Math.min(each.bytes.length, bytes.length - at);
        expect(bytes.subarray(at, at + length)).toEqual(each.bytes.subarray(0, length));
        at += each.bytes.length;
        if (at > bytes.length) break;
        offset = each.endOffset;
      }
    }
    expect(index).toBe(expected.length);
    const probe = expected[this.#random.below(Math.max(1, expected.length))];
    if (probe === undefined) return;
    const within = Math.max(start, probe.baseOffset + this.#random.below(probe.endOffset - probe.baseOffset));
    expect(this.#read(within).subarray(0, probe.bytes.length)).toEqual(probe.bytes.subarray(0, READ_BYTES));
    // A start that was raised and forgotten again has taken the epochs below with it.
    this.#highestStart = Math.max(this.#highestStart, start);
    const known = probe.endOffset > this.#highestStart;
    if (known) expect(log.epochs.epochOf(probe.endOffset - 1)).toBe(probe.epoch);
    const position = log.positionOf(probe.baseOffset);
    const before = expected.reduce(
      (sum, { baseOffset, bytes }) => sum + (baseOffset < probe.baseOffset ? bytes.length : 0),
      0,
    );
    const all = expected.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(log.endPosition.cumulativeBytes - position.cumulativeBytes).toBe(all - before);
    this.#checkTime(expected, probe, end);
    this.#checkProducers(expected);
  }

  #checkTime(expected: readonly Appended[], probe: Appended, end: number): void {
    const wanted = batch.baseTimestamp(viewOf(probe.bytes), 0);
    const first = expected.find(({ bytes }) => batch.maxTimestamp(viewOf(bytes), 0) >= wanted) as Appended;
    const base = batch.baseTimestamp(viewOf(first.bytes), 0);
    const delta = Math.max(0, wanted - base, this.#log.logStartOffset - first.baseOffset);
    const found = { offset: first.baseOffset + delta, timestamp: base + delta, leaderEpoch: first.epoch };
    expect(this.#log.offsetForTimestamp(wanted, end)).toEqual(found);
    expect(this.#log.offsetForTimestamp(Number.MAX_SAFE_INTEGER, end)).toBeNull();
  }

  /** The last batch of each producer is known as a repetition. */
  #checkProducers(expected: readonly Appended[]): void {
    for (const producerId of [0, 1, 2]) {
      const last = expected.findLast((each) => each.producerId === producerId);
      if (last === undefined) continue;
      const copy = memoryOver(last.bytes.slice());
      batch.setBaseOffset(copy.view, 0, 0);
      this.#log.stage(copy, 0, copy.bytes.length, this.#epoch, this.#now, this.#result, 'client');
      const { baseOffset, endOffset } = last;
      expect(this.#result).toMatchObject({ errorCode: ERROR.NONE, duplicate: true, baseOffset, endOffset });
    }
    expect(this.#log.logEndOffset).toBe(expected.at(-1)?.endOffset ?? 0);
  }

  #read(offset: number): Uint8Array {
    const plan: ReadPlan = { errorCode: -2, slot: -1, position: 0, length: 0, firstBatchBytes: 0 };
    this.#log.locate(offset, READ_BYTES, true, this.#log.endPosition, plan);
    expect(plan.errorCode).toBe(ERROR.NONE);
    expect(plan.length).toBeGreaterThan(0);
    const into = memoryOver(new Uint8Array(plan.length));
    const got = this.disk.read(this.#world.table.descriptor(plan.slot), plan.position, into, 0, plan.length);
    this.#world.files.release(plan.slot);
    expect(got).toBe(plan.length);
    const first = viewOf(into.bytes);
    expect(batch.sizeInBytes(first, 0)).toBe(plan.firstBatchBytes);
    expect(batch.baseOffset(first, 0)).toBeLessThanOrEqual(offset);
    expect(batch.lastOffset(first, 0)).toBeGreaterThanOrEqual(offset);
    return into.bytes;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

test('what was synced is there, what is there was appended', () => {
  for (let seed = 0; seed < 100; seed++) {
    try {
      new Life(seed).run(60);
    } catch (problem) {
      throw new Error(`seed ${seed}`, { cause: problem });
    }
  }
});

test('a disk that fails anywhere breaks the log loudly and loses nothing that was synced', () => {
  let broken = 0;
  for (let seed = 0; seed < 100; seed++) {
    const life = new Life(seed);
    let calls = 20 + new SeededRandom(seed).below(400);
    life.disk.fault = () => (--calls === 0 ? 'EIO' : null);
    try {
      life.run(60);
    } catch (problem) {
      if (!(problem instanceof DiskError)) throw new Error(`seed ${seed}`, { cause: problem });
      broken += 1;
      life.disk.fault = null;
      life.recovered();
    }
  }
  expect(broken).toBeGreaterThan(30);
});
