/**
 * A log and a plain list in memory are told the same, in any order, and must answer the same: appends of all kinds, lookups,
 * deletions, retention, moves, ends and crashes. A sequence that parts them is made as short as it can be.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { removeRetired } from '../../src/log/deletions.ts';
import { PartitionLog } from '../../src/log/partition-log.ts';
import { sequenceAfter } from '../../src/log/producers.ts';
import type { ReadPlan } from '../../src/log/reading.ts';
import type { AppendResult } from '../../src/log/validation.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { seedOf } from '../kit/seeds.ts';
import { batchOf, config, DIRECTORY, environment, NOW, type TestEnvironment } from '../log/fixture.ts';
import { TOPIC_ID } from '../log/opened.ts';
import { SimulatedDisk } from './disk.ts';
import { type ModelBatch, ModelPartition } from './model.ts';
import { type Append, KNOWN_BY_SNAPSHOT, READ_BYTES, ROLLING, SKIPPING, type Step, step } from './model-steps.ts';

const RUNS = Number(process.env.ODRADEK_MODEL_RUNS ?? 400);
/** Of a run of any size, and of making a failure short. */
const TIMEOUT_MS = 3_600_000;
const SEGMENT_BYTES = 2_000;
const SEGMENT_MS = 60_000;

/** How often each thing has come about in all runs: what never happens is not tested. */
const happened = new Map<string, number>();
function count(what: string): void {
  happened.set(what, (happened.get(what) ?? 0) + 1);
}

class Both {
  readonly #model = new ModelPartition();
  readonly #disk = new SimulatedDisk();
  readonly #filesMax: number;
  #world: TestEnvironment;
  #log: PartitionLog;
  #now = NOW;
  #epoch = 0;
  #segmentMs = SEGMENT_MS;
  #durableEnd = 0;
  /** What the checkpoint files say. */
  #checkpoint = 0;
  #keptStart = 0;
  /** A start that was raised and forgotten in a crash has taken the epochs below with it. */
  #highestStart = 0;
  readonly #result: AppendResult = { errorCode: 0, baseOffset: -1, endOffset: -1, logAppendTime: -1, duplicate: false };

  constructor(filesMax: number) {
    this.#filesMax = filesMax;
    this.#disk.makeDirectory('/data');
    this.#disk.syncDirectory('/');
    this.#world = environment(this.#disk, filesMax);
    this.#log = PartitionLog.open(this.#options(false));
  }

  do(step: Step): void {
    switch (step.kind) {
      case 'append':
        return this.#append(step);
      case 'repeat':
        return this.#repeat(step.which);
      case 'skip':
        return this.#stage(step.producerId, this.#nextSequence(step.producerId) + step.steps, SKIPPING);
      case 'roll':
        this.#segmentMs = 0;
        this.#append(ROLLING);
        this.#segmentMs = SEGMENT_MS;
        return;
      case 'fetch':
        return this.#fetch(step.at % (this.#model.endOffset + 3), step.bytesMax);
      case 'time':
        return this.#time(step.at, step.plus);
      case 'delete':
        this.#log.advanceLogStart(step.at % (this.#model.endOffset + 1));
        return this.#model.deleteTo(step.at % (this.#model.endOffset + 1));
      case 'retainBytes':
        return this.#retain(-1, step.bytes);
      case 'retainMs':
        return this.#retain(step.ms, -1);
      case 'pass':
        this.#now += step.ms;
        return;
      case 'epoch':
        this.#epoch += 1;
        return;
      case 'sync':
        return this.#sync(step.meanwhile);
      case 'checkpoint':
        this.#checkpoint = this.#log.recoveryPoint;
        this.#keptStart = this.#log.logStartOffset;
        return;
      case 'truncate':
        return this.#truncate(step.which);
      case 'move':
        return this.#move();
      case 'restart':
        return this.#restart();
      case 'kill':
        return this.#kill();
      case 'crash':
        return this.#crash(step.seed);
    }
  }

  #append(append: Append): void {
    const { producerId, newEpoch } = append;
    const bump = newEpoch && this.#model.knows(producerId);
    this.#stage(producerId, bump ? 0 : this.#nextSequence(producerId), append, bump ? 1 : 0);
  }

  #stage(producerId: number, sequence: number, { count: records, valueBytes, lateMs, gzip }: Append, newer = 0): void {
    this.#now += 10;
    const baseSequence = producerId < 0 ? -1 : Math.max(0, sequence);
    const producerEpoch = producerId < 0 ? -1 : this.#producerEpoch(producerId) + newer;
    const timestamp = this.#now - lateMs;
    const producer = producerId < 0 ? {} : { producerId, producerEpoch, baseSequence };
    const { bytes } = batchOf({ count: records, valueBytes, timestamp, gzip, ...producer });
    const timestamps = Array.from({ length: records }, (_, index) => timestamp + index);
    this.#tell({ epoch: this.#epoch, timestamps, bytes, producerId, producerEpoch, sequence: baseSequence });
  }

  #repeat(which: number): void {
    const all = this.#model.batches;
    const one = all[which % Math.max(1, all.length)];
    if (one === undefined) return;
    const bytes = one.bytes.slice();
    // Offset and epoch are the leader's to write.
    bytes.fill(0, 0, 8);
    this.#tell({ ...one, epoch: this.#epoch, bytes });
  }

  /** The same batch for both. */
  #tell(batch: Omit<ModelBatch, 'baseOffset' | 'endOffset'>): void {
    const verdict = this.#model.check(batch);
    const memory = memoryOver(batch.bytes);
    const result = this.#result;
    this.#log.config = { ...this.#log.config, segmentMs: this.#segmentMs };
    this.#log.stage(memory, 0, memory.bytes.length, this.#epoch, this.#now, result, 'client');
    this.#log.write();
    if (batch.producerId >= 0 && !this.#model.knows(batch.producerId)) {
      // A snapshot may know producers of which no batch is left; the model does not, and believes either answer.
      if (result.errorCode !== ERROR.NONE || result.duplicate) return count('known by a snapshot alone');
    }
    if (verdict.unsure) {
      const codes: number[] = [ERROR.DUPLICATE_SEQUENCE_NUMBER, ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER];
      const known = codes.includes(result.errorCode);
      expect(result.duplicate || known, 'what is old is not appended again').toBe(true);
      return count('older than its snapshot');
    }
    expect(result.errorCode).toBe(verdict.errorCode);
    if (verdict.errorCode !== ERROR.NONE) return count(`refused with ${verdict.errorCode}`);
    const { duplicate } = verdict;
    const expected = duplicate ?? this.#model.append(batch, SEGMENT_BYTES, this.#segmentMs);
    const { baseOffset, endOffset } = expected;
    expect(result).toMatchObject({ duplicate: duplicate !== null, baseOffset, endOffset });
    count(duplicate === null ? 'appended' : 'duplicate');
  }

  #last(producerId: number): ModelBatch | undefined {
    return this.#model.batches.findLast((batch) => batch.producerId === producerId);
  }

  #nextSequence(producerId: number): number {
    const last = this.#last(producerId);
    return last === undefined ? 0 : sequenceAfter(last.sequence, last.timestamps.length);
  }

  #producerEpoch(producerId: number): number {
    return this.#last(producerId)?.producerEpoch ?? 0;
  }

  #fetch(offset: number, bytesMax: number): void {
    const expected = this.#model.fetch(offset);
    const plan: ReadPlan = { errorCode: -2, slot: -1, position: 0, length: 0, firstBatchBytes: 0 };
    this.#log.locate(offset, bytesMax, true, this.#log.endPosition, plan);
    expect(plan.errorCode).toBe(expected === null ? ERROR.OFFSET_OUT_OF_RANGE : ERROR.NONE);
    const first = expected?.[0];
    if (expected === null || first === undefined) return expect(plan.slot).toBe(-1);
    const into = memoryOver(new Uint8Array(plan.length));
    const got = this.#disk.read(this.#world.table.descriptor(plan.slot), plan.position, into, 0, plan.length);
    this.#world.files.release(plan.slot);
    expect(got).toBe(plan.length);
    const all = Buffer.concat(expected.map(({ bytes }) => bytes));
    expect(plan.firstBatchBytes).toBe(first.bytes.length);
    expect(plan.length).toBe(Math.min(all.length, Math.max(bytesMax, first.bytes.length)));
    expect(Buffer.compare(into.bytes, all.subarray(0, plan.length))).toBe(0);
    count('fetched');
  }

  #time(at: number, plus: number): void {
    const all = this.#model.batches.flatMap(({ timestamps }) => timestamps);
    const wanted = (all[at % Math.max(1, all.length)] ?? this.#now) + plus;
    expect(this.#log.offsetForTimestamp(wanted, this.#log.logEndOffset)).toEqual(
      this.#model.offsetForTimestamp(wanted),
    );
    expect(this.#log.maxTimestamp()).toEqual(this.#model.maxTimestamp());
    count('looked up by time');
  }

  #retain(retentionMs: number, retentionBytes: number): void {
    this.#log.config = { ...this.#log.config, retentionMs, retentionBytes };
    const gone = this.#log.retention(this.#now);
    expect(gone).toBe(this.#model.retention(this.#now, retentionMs, retentionBytes));
    for (const path of this.#log.dueDeletions(this.#now)) removeRetired(this.#disk, path);
    if (gone > 0) count('retired');
  }

  /** As the blocker does it. */
  #sync(meanwhile: boolean): void {
    const plan = this.#log.syncPlan();
    for (const slot of plan.slots) this.#disk.sync(this.#world.table.descriptor(slot));
    if (meanwhile) this.#append(ROLLING);
    for (const slot of plan.slots) this.#world.files.release(slot);
    this.#log.synced(plan);
    this.#durableEnd = Math.max(this.#durableEnd, plan.endOffset);
    expect(this.#log.recoveryPoint).toBe(this.#durableEnd);
  }

  /** As a follower does it: the recovery point on disk is lowered first. */
  #truncate(which: number): void {
    const bounds = this.#model.batches
      .map(({ baseOffset }) => baseOffset)
      .filter((offset) => offset >= this.#model.startOffset);
    const offset = bounds[which % Math.max(1, bounds.length)];
    if (offset === undefined) return;
    this.#durableEnd = Math.min(this.#durableEnd, offset);
    this.#checkpoint = Math.min(this.#checkpoint, offset);
    this.#log.truncateTo(offset, this.#now);
    this.#model.truncateTo(offset);
    count('truncated');
  }

  /** From one owner to another, by value. */
  #move(): void {
    const bytes = this.#log.freeze();
    this.#settle();
    this.#world = environment(this.#disk, this.#filesMax);
    this.#log = PartitionLog.thaw(bytes, this.#options(true));
    count('moved');
  }

  #restart(): void {
    this.#log.close();
    this.#settle();
    this.#durableEnd = this.#model.endOffset;
    this.#checkpoint = this.#model.endOffset;
    this.#keptStart = this.#log.logStartOffset;
    this.#open(true);
    this.#model.restart();
    count('restarted');
  }

  #kill(): void {
    this.#disk.kill();
    this.#open(false);
    this.#afterUnclean(this.#model.endOffset);
    count('killed');
  }

  #crash(seed: number): void {
    const written = this.#model.endOffset;
    this.#disk.crash(new SeededRandom(seed));
    this.#open(false);
    const end = this.#log.logEndOffset;
    expect(end).toBeGreaterThanOrEqual(Math.min(written, Math.max(this.#durableEnd, this.#keptStart)));
    expect(end).toBeLessThanOrEqual(written);
    this.#afterUnclean(end);
    count('crashed');
    if (end < written) count('lost what was not synced');
  }

  #afterUnclean(end: number): void {
    const { sizeBytes, segmentCount } = this.#log;
    this.#model.crash(end, sizeBytes, segmentCount, this.#keptStart);
    this.#highestStart = Math.max(this.#highestStart, this.#model.startOffset);
  }

  #open(cleanShutdown: boolean): void {
    this.#world = environment(this.#disk, this.#filesMax);
    this.#log = PartitionLog.open(this.#options(cleanShutdown));
  }

  /** The old owner holds nothing. */
  #settle(): void {
    this.#world.files.close();
    expect(this.#world.table.leased()).toBe(0);
    expect(this.#disk.openDescriptors).toBe(0);
  }

  #options(cleanShutdown: boolean) {
    const limits = { segmentBytes: SEGMENT_BYTES, segmentMs: SEGMENT_MS, maxMessageBytes: SEGMENT_BYTES };
    const indexes = { indexIntervalBytes: 200, segmentIndexBytes: 4_096, fileDeleteDelayMs: 30_000 };
    return {
      ...this.#world,
      directory: DIRECTORY,
      topic: 'orders',
      partition: 0,
      topicId: TOPIC_ID,
      config: config({ ...limits, ...indexes }),
      cleanShutdown,
      recoveryPoint: this.#checkpoint,
      logStartOffset: this.#keptStart,
      now: this.#now,
    };
  }

  /** What is asked after every step. */
  compare(): void {
    const log = this.#log;
    const model = this.#model;
    const { startOffset, endOffset, sizeBytes } = model;
    this.#highestStart = Math.max(this.#highestStart, startOffset);
    const seen = { start: log.logStartOffset, end: log.logEndOffset, bytes: log.sizeBytes, segments: log.segmentCount };
    expect(seen).toEqual({ start: startOffset, end: endOffset, bytes: sizeBytes, segments: model.segments.length });
    expect(log.endPosition.offset).toBe(endOffset);
    const last = model.batches.at(-1);
    if (last !== undefined && last.endOffset > this.#highestStart) {
      expect(log.epochs.epochOf(last.endOffset - 1)).toBe(last.epoch);
    }
  }

  /** Every offset, and the epochs, once. */
  finish(): void {
    const { batches, startOffset, endOffset } = this.#model;
    for (let offset = Math.max(0, startOffset - 1); offset <= endOffset + 1; offset++) this.#fetch(offset, READ_BYTES);
    for (const { epoch, baseOffset, bytes } of batches) {
      const after = batches.find((other) => other.epoch > epoch);
      const known = baseOffset >= this.#highestStart;
      if (known)
        expect(this.#log.epochs.endOffsetFor(epoch, endOffset)).toEqual({
          epoch,
          endOffset: after?.baseOffset ?? endOffset,
        });
      const { cumulativeBytes } = this.#log.positionOf(baseOffset);
      const rest = batches.filter((other) => other.baseOffset > baseOffset);
      const behind = rest.reduce((all, other) => all + other.bytes.length, bytes.length);
      expect(this.#log.endPosition.cumulativeBytes - cumulativeBytes).toBe(behind);
    }
    this.#log.close();
    this.#settle();
  }
}

test(
  'a log answers what a plain list answers, through every sequence of steps',
  () => {
    const property = fc.property(
      fc.array(step, { minLength: 5, maxLength: 120, size: 'max' }),
      fc.integer({ min: 1, max: 8 }),
      (steps, filesMax) => {
        const both = new Both(filesMax);
        for (const one of steps) {
          both.do(one);
          both.compare();
        }
        both.finish();
      },
    );
    fc.assert(property, { seed: seedOf('the model of a partition'), numRuns: RUNS, examples: [KNOWN_BY_SNAPSHOT] });
    const rare = [
      'appended',
      'duplicate',
      'fetched',
      'retired',
      'truncated',
      'moved',
      'restarted',
      'killed',
      'crashed',
    ];
    const refusals = [ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER, ERROR.DUPLICATE_SEQUENCE_NUMBER].map(
      (code) => `refused with ${code}`,
    );
    for (const what of [...rare, ...refusals, 'lost what was not synced', 'looked up by time']) {
      expect(happened.get(what) ?? 0, what).toBeGreaterThan(RUNS / 20);
    }
  },
  TIMEOUT_MS,
);
