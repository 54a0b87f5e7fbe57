/**
 * A partition as a plain list in memory: what a log must answer, whatever its files, indexes and snapshots do. Segments are
 * kept even when they are retired, for a crash may bring back what was renamed and not made durable.
 */
import { sequenceAfter } from '../../src/log/producers.ts';
import { ERROR } from '../../src/wire/errors.ts';

export interface ModelBatch {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly epoch: number;
  /** Of each record. */
  readonly timestamps: readonly number[];
  readonly bytes: Uint8Array;
  /** -1 for none. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly sequence: number;
}

interface ModelSegment {
  readonly baseOffset: number;
  batches: ModelBatch[];
}

export type NewModelBatch = Omit<ModelBatch, 'baseOffset' | 'endOffset'>;
export interface Verdict {
  readonly errorCode: number;
  /** The batch that this one repeats. */
  readonly duplicate: ModelBatch | null;
  /** It is older than what is remembered for sure: it may be known or not, and is not taken. */
  readonly unsure: boolean;
}

interface ModelProducer {
  /** Oldest first. */
  batches: ModelBatch[];
  /** How many of the last ones are remembered for sure, and whether others may be. */
  sure: number;
  hazy: boolean;
}

const BATCHES_KEPT = 5;
const TAKEN: Verdict = { errorCode: ERROR.NONE, duplicate: null, unsure: false };
const refuse = (errorCode: number): Verdict => ({ errorCode, duplicate: null, unsure: false });
const sum = (batches: readonly ModelBatch[]) => batches.reduce((bytes, batch) => bytes + batch.bytes.length, 0);
const newest = ({ timestamps }: ModelBatch) => Math.max(...timestamps);

export class ModelPartition {
  startOffset = 0;
  #segments: ModelSegment[] = [{ baseOffset: 0, batches: [] }];
  /** Of those that were not retired. */
  #first = 0;
  #producers = new Map<number, ModelProducer>();
  /** A snapshot may know producers of whom no batch is left. */
  #strangers = false;

  get segments(): readonly ModelSegment[] {
    return this.#segments.slice(this.#first);
  }

  get batches(): ModelBatch[] {
    return this.segments.flatMap(({ batches }) => batches);
  }

  get endOffset(): number {
    const active = this.#segments.at(-1) as ModelSegment;
    return active.batches.at(-1)?.endOffset ?? active.baseOffset;
  }

  get sizeBytes(): number {
    return sum(this.batches);
  }

  /** What a leader says to a producer's batch. */
  check({ producerId, producerEpoch, sequence, timestamps }: NewModelBatch): Verdict {
    const producer = this.#producers.get(producerId);
    const last = producer?.batches.at(-1);
    if (producer === undefined || last === undefined) return TAKEN;
    if (producerEpoch < last.producerEpoch) return refuse(ERROR.INVALID_PRODUCER_EPOCH);
    const [inOrder, old] = [ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER, ERROR.DUPLICATE_SEQUENCE_NUMBER];
    if (producerEpoch > last.producerEpoch) return sequence === 0 ? TAKEN : refuse(inOrder);
    const kept = producer.batches.filter((batch) => batch.producerEpoch === producerEpoch).slice(-BATCHES_KEPT);
    const twin = kept.findLastIndex((one) => one.sequence === sequence && one.timestamps.length === timestamps.length);
    const unsure = producer.hazy && producer.sure < BATCHES_KEPT && twin < kept.length - producer.sure;
    if (twin >= 0) return { errorCode: ERROR.NONE, duplicate: kept[twin] as ModelBatch, unsure };
    if (sequence === sequenceAfter(last.sequence, last.timestamps.length)) return TAKEN;
    const isOld = sequence + timestamps.length - 1 < (kept[0] as ModelBatch).sequence;
    return { ...refuse(isOld ? old : inOrder), unsure };
  }

  append(batch: NewModelBatch, segmentBytes: number, segmentMs: number): ModelBatch {
    const baseOffset = this.endOffset;
    const appended = { ...batch, baseOffset, endOffset: baseOffset + batch.timestamps.length };
    let active = this.#segments.at(-1) as ModelSegment;
    const first = active.batches[0];
    const full = sum(active.batches) + batch.bytes.length > segmentBytes;
    if (first !== undefined && (full || newest(appended) - newest(first) > segmentMs)) active = this.#roll();
    active.batches.push(appended);
    if (batch.producerId >= 0) this.#remember(appended);
    return appended;
  }

  #roll(): ModelSegment {
    const segment = { baseOffset: this.endOffset, batches: [] };
    this.#segments.push(segment);
    return segment;
  }

  /** What a fetch gives, without a limit: from the batch that holds the offset to the end of its segment; null when out of range. */
  fetch(offset: number): readonly ModelBatch[] | null {
    if (offset < this.startOffset || offset > this.endOffset) return null;
    for (const { batches } of this.segments) {
      const from = batches.findIndex(({ endOffset }) => endOffset > offset);
      if (from >= 0) return batches.slice(from);
    }
    return [];
  }

  #records(): { offset: number; timestamp: number; leaderEpoch: number }[] {
    const all = this.batches.flatMap(({ baseOffset, epoch, timestamps }) =>
      timestamps.map((timestamp, index) => ({ offset: baseOffset + index, timestamp, leaderEpoch: epoch })),
    );
    return all.filter(({ offset }) => offset >= this.startOffset);
  }

  offsetForTimestamp(wanted: number) {
    return this.#records().find(({ timestamp }) => timestamp >= wanted) ?? null;
  }

  maxTimestamp() {
    const records = this.#records();
    const largest = Math.max(...records.map(({ timestamp }) => timestamp));
    return records.find(({ timestamp }) => timestamp === largest) ?? null;
  }

  deleteTo(offset: number): void {
    this.startOffset = Math.max(this.startOffset, offset);
  }

  /** Segments that passed a limit go, the active one only with all others. How many. */
  retention(now: number, retentionMs: number, retentionBytes: number): number {
    const alive = this.segments;
    let excess = retentionBytes >= 0 ? this.sizeBytes - retentionBytes : -1;
    let count = 0;
    for (const [index, { batches }] of alive.entries()) {
      const next = alive[index + 1];
      if (next === undefined && batches.length === 0) break;
      const deleted = next !== undefined && next.baseOffset <= this.startOffset;
      const tooOld = retentionMs >= 0 && batches.length > 0 && now - Math.max(...batches.map(newest)) > retentionMs;
      if (!deleted && !tooOld && excess < sum(batches)) break;
      excess -= sum(batches);
      count += 1;
    }
    if (count === alive.length) this.#roll();
    this.#first += count;
    if (count > 0) this.deleteTo((this.#segments[this.#first] as ModelSegment).baseOffset);
    return count;
  }

  /** Everything from the batch on that holds the offset is gone. */
  truncateTo(offset: number): void {
    const kept = this.#segments.filter(({ baseOffset }, index) => index <= this.#first || baseOffset <= offset);
    const first = kept[this.#first] as ModelSegment;
    this.#segments =
      first.baseOffset <= offset ? kept : [...kept.slice(0, this.#first), { baseOffset: offset, batches: [] }];
    for (const segment of this.#segments) segment.batches = segment.batches.filter((one) => one.endOffset <= offset);
    this.#forgetProducers();
  }

  /**
   * What a crash left: the log ends at `endOffset`, and of the retired segments as many are back as `sizeBytes` says.
   * `kept` is the start that was on disk.
   */
  crash(endOffset: number, sizeBytes: number, segmentCount: number, kept: number): void {
    const beyond = this.#segments.filter(({ baseOffset }) => baseOffset < endOffset);
    // The files ended below the start: the log begins anew there.
    if (kept === endOffset && sizeBytes === 0) beyond.length = 0;
    for (const segment of beyond) segment.batches = segment.batches.filter((one) => one.endOffset <= endOffset);
    const bytesFrom = (first: number) => sum(beyond.slice(first).flatMap(({ batches }) => batches));
    this.#first = Math.min(this.#first, beyond.length);
    while (this.#first > 0 && bytesFrom(this.#first) < sizeBytes) this.#first -= 1;
    this.#segments = beyond;
    // The file of the segment that was about to be filled is there or not.
    if (beyond.length - this.#first < segmentCount) this.#segments.push({ baseOffset: endOffset, batches: [] });
    this.startOffset = Math.max(kept, this.segments[0]?.baseOffset ?? endOffset);
    this.#forgetProducers();
  }

  #remember(batch: ModelBatch): void {
    // Whoever begins at 0 was known to nobody.
    const hazy = this.#strangers && batch.sequence !== 0;
    const known = this.#producers.get(batch.producerId) ?? { batches: [], sure: 0, hazy };
    this.#producers.set(batch.producerId, { ...known, batches: [...known.batches, batch], sure: known.sure + 1 });
  }

  /** A clean end: the snapshot has the last batch of each producer. */
  restart(): void {
    for (const producer of this.#producers.values()) {
      producer.batches = producer.batches.slice(-1);
      producer.sure = 1;
      producer.hazy = false;
    }
  }

  /** Of what stands in the log the last batch is remembered for sure; a snapshot may have cut off the others, or know older ones. */
  #forgetProducers(): void {
    this.#producers.clear();
    this.#strangers = true;
    for (const batch of this.batches) if (batch.producerId >= 0) this.#remember(batch);
    for (const producer of this.#producers.values()) {
      producer.sure = 1;
      producer.hazy = true;
    }
  }

  knows(producerId: number): boolean {
    return this.#producers.has(producerId);
  }
}
