/**
 * One segment: a log file and its two indexes, called by the first offset it may hold. Only the active segment grows.
 * `sizeBytes` is what is written; `stagedBytes` is where the next batch will stand, written or not.
 */
import { BatchScan, LOOKUP_WINDOW_BYTES, SCAN_BATCH, SCAN_END } from './batch-scan.ts';
import { Boundaries } from './boundaries.ts';
import type { LogConfig } from './config.ts';
import { DiskError } from './disk.ts';
import type { LogEnvironment } from './environment.ts';
import { CachedFile } from './files.ts';
import { filePath, LOG, OFFSET_INDEX, TIME_INDEX } from './names.ts';
import { OffsetIndex } from './offset-index.ts';
import { TimeIndex } from './time-index.ts';

/** Offsets in the indexes are int32, relative to the segment. */
const RELATIVE_OFFSET_MAX = 0x7fffffff;
const NO_TIMESTAMP = -1;
const NOT_READ = -2;

/** A segment by value: what thawing it takes beside its files. */
export interface FrozenSegment {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  readonly cumulativeStart: number;
  readonly offsetEntries: number;
  readonly timeEntries: number;
  readonly maxTimestamp: number;
  readonly maxTimestampOffset: number;
  readonly firstTimestamp: number;
  readonly createdMs: number;
  readonly jitterMs: number;
  readonly growing: boolean;
}

export class Segment {
  readonly baseOffset: number;
  readonly log: CachedFile;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  readonly createdMs: number;
  /** Taken off the age at which this segment ends. */
  readonly jitterMs: number;
  readonly #environment: LogEnvironment;
  readonly #boundaries = new Boundaries();
  readonly #place = { position: 0, sizeBytes: 0 };
  /** Bytes of the log before this segment, counted since the log was opened first. */
  cumulativeStart = 0;
  sizeBytes = 0;
  stagedBytes = 0;
  maxTimestamp = NO_TIMESTAMP;
  /** The last offset of the first batch that has it. */
  maxTimestampOffset: number;
  #growing = false;
  /** Of the first batch; it says how old the segment is. */
  #firstTimestamp = NOT_READ;

  constructor(
    environment: LogEnvironment,
    directory: string,
    baseOffset: number,
    createdMs: number,
    jitterMs: number,
    fresh: boolean,
  ) {
    const mode = fresh ? 'create' : 'write';
    this.#environment = environment;
    this.baseOffset = baseOffset;
    this.createdMs = createdMs;
    this.jitterMs = jitterMs;
    this.maxTimestampOffset = baseOffset;
    this.log = new CachedFile(filePath(directory, baseOffset, LOG), mode);
    // Indexes can always be made anew, so a missing one is made rather than missed.
    const offsetFile = new CachedFile(filePath(directory, baseOffset, OFFSET_INDEX), 'create');
    const timeFile = new CachedFile(filePath(directory, baseOffset, TIME_INDEX), 'create');
    this.offsetIndex = new OffsetIndex(environment, offsetFile, baseOffset);
    this.timeIndex = new TimeIndex(environment, timeFile, baseOffset);
  }

  /** Makes the files of a new active segment. */
  create(config: LogConfig): void {
    const { disk, files } = this.#environment;
    // What may lie there under this name is left over from a log that was cut back. An empty file is left alone: ext4
    // writes a file that was ever truncated to nothing back to disk when it is closed.
    if (disk.size(files.descriptor(this.log)) > 0) disk.truncate(files.descriptor(this.log), 0);
    this.offsetIndex.clear();
    this.timeIndex.clear();
    this.activate(config);
  }

  /** It was appended to since it was opened here, or is about to be. */
  get growing(): boolean {
    return this.#growing;
  }

  /** Room for the indexes of the segment that is appended to. */
  activate(config: LogConfig): void {
    this.#growing = true;
    this.offsetIndex.index.preallocate(config.segmentIndexBytes);
    this.timeIndex.index.preallocate(config.segmentIndexBytes);
  }

  /** Takes the files as they lie. False when an index does not fit its log and has to be made anew. */
  load(): boolean {
    const { disk, files } = this.#environment;
    this.setSize(disk.size(files.descriptor(this.log)));
    const sound = this.offsetIndex.load(this.sizeBytes);
    if (!this.timeIndex.load(this.sizeBytes) || !sound) return false;
    this.maxTimestamp = this.timeIndex.lastTimestamp;
    this.maxTimestampOffset = this.timeIndex.lastOffset;
    return true;
  }

  /**
   * Takes the index entries of batches below `mark` as a killed process left them in its files, and the batches up to the last
   * one indexed. False when they do not fit each other; then nothing is taken that counts.
   */
  takeIndexed(mark: number, logBytes: number): boolean {
    const { offsetIndex, timeIndex } = this;
    offsetIndex.takeBelow(mark);
    if (offsetIndex.index.entries === 0) {
      this.beginAgain();
      return true;
    }
    if (!timeIndex.takeUpTo(offsetIndex.lastOffset)) return false;
    const last = this.scan(offsetIndex.lastPosition, logBytes, LOOKUP_WINDOW_BYTES);
    if (last.next() !== SCAN_BATCH || last.lastOffset !== offsetIndex.lastOffset) return false;
    this.setSize(last.position + last.sizeBytes);
    const { maxTimestamp } = last;
    if (!this.#hasNewest(last.lastOffset, maxTimestamp)) return false;
    this.maxTimestamp = timeIndex.lastTimestamp;
    this.maxTimestampOffset = timeIndex.lastOffset;
    offsetIndex.index.trim();
    timeIndex.index.trim();
    return true;
  }

  /** The time index ends with a batch that is there, the last one indexed, mostly. */
  #hasNewest(lastOffset: number, maxTimestamp: number): boolean {
    const { offsetIndex, timeIndex } = this;
    if (timeIndex.lastOffset === lastOffset) return timeIndex.lastTimestamp === maxTimestamp;
    const newest = this.scan(offsetIndex.lookup(timeIndex.lastOffset), this.sizeBytes, LOOKUP_WINDOW_BYTES);
    let found = newest.next();
    while (found === SCAN_BATCH && newest.lastOffset < timeIndex.lastOffset) found = newest.next();
    if (found !== SCAN_BATCH || newest.lastOffset !== timeIndex.lastOffset) return false;
    return newest.maxTimestamp === timeIndex.lastTimestamp;
  }

  /** As if nothing had been appended; the log file stays as it is. */
  beginAgain(): void {
    this.offsetIndex.clear();
    this.timeIndex.clear();
    this.setSize(0);
    this.maxTimestamp = NO_TIMESTAMP;
    this.maxTimestampOffset = this.baseOffset;
    this.#firstTimestamp = NOT_READ;
  }

  setSize(bytes: number): void {
    this.#boundaries.clear();
    this.sizeBytes = bytes;
    this.stagedBytes = bytes;
  }

  get files(): readonly CachedFile[] {
    return [this.log, this.offsetIndex.index.file, this.timeIndex.index.file];
  }

  /** Whether a batch of this size, largest timestamp and last offset must go into a new segment. */
  mustRoll(bytes: number, maxTimestamp: number, lastOffset: number, now: number, config: LogConfig): boolean {
    if (this.stagedBytes === 0) return false;
    if (this.stagedBytes > config.segmentBytes - bytes) return true;
    if (lastOffset - this.baseOffset > RELATIVE_OFFSET_MAX) return true;
    const indexBytes = config.segmentIndexBytes;
    if (this.offsetIndex.isFull(indexBytes) || this.timeIndex.isFull(indexBytes)) return true;
    const first = this.#readFirstTimestamp();
    const waited = first >= 0 ? maxTimestamp - first : now - this.createdMs;
    return waited > config.segmentMs - this.jitterMs;
  }

  /** A batch was put behind the last one. */
  appended(bytes: number, lastOffset: number, maxTimestamp: number, indexIntervalBytes: number): void {
    const position = this.stagedBytes;
    if (position === 0) this.#firstTimestamp = maxTimestamp;
    if (maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = maxTimestamp;
      this.maxTimestampOffset = lastOffset;
    }
    if (position - this.offsetIndex.lastPosition > indexIntervalBytes) {
      if (this.offsetIndex.index.flushDue) this.flushIndexes();
      this.offsetIndex.append(lastOffset, position);
      this.timeIndex.append(this.maxTimestamp, this.maxTimestampOffset);
    }
    this.stagedBytes = position + bytes;
    this.#boundaries.appended(position, bytes, lastOffset);
  }

  /** The end of appending: indexes complete, cut to their entries, on disk (not synced). */
  finish(): void {
    this.timeIndex.append(this.maxTimestamp, this.maxTimestampOffset);
    this.offsetIndex.index.trim();
    this.timeIndex.index.trim();
  }

  /** The first batch that ends at or behind `offset` and lies before `limit`; null when there is none. */
  find(offset: number, limit: number): BatchScan | null {
    const start = this.offsetIndex.lookup(offset);
    const scan = this.scan(start, limit, LOOKUP_WINDOW_BYTES);
    for (;;) {
      const found = scan.next();
      if (found === SCAN_END) return null;
      // Within what was written and checked there is no torn batch: the disk has lost or changed bytes.
      if (found !== SCAN_BATCH) throw new DiskError('EBADMSG', 'read', this.log.path);
      if (scan.lastOffset >= offset) return scan;
    }
  }

  /** Where that batch stands and its size: for a reader who goes from batch to batch. Valid until the next call. */
  place(offset: number, limit: number): { readonly position: number; readonly sizeBytes: number } | null {
    const boundaries = this.#boundaries;
    const place = this.#place;
    const known = boundaries.find(offset);
    if (known >= 0 && boundaries.sizeBytes(known) > 0) {
      place.position = boundaries.position(known);
      place.sizeBytes = boundaries.sizeBytes(known);
      return place.position + place.sizeBytes <= limit ? place : null;
    }
    const scan = known < 0 ? this.find(offset, limit) : this.#first(boundaries.position(known), limit);
    if (scan === null) return null;
    boundaries.note(scan.baseOffset, scan.position, scan.sizeBytes);
    boundaries.note(scan.lastOffset + 1, scan.position + scan.sizeBytes, 0);
    place.position = scan.position;
    place.sizeBytes = scan.sizeBytes;
    return place;
  }

  #first(position: number, limit: number): BatchScan | null {
    const scan = this.scan(position, limit, LOOKUP_WINDOW_BYTES);
    const found = scan.next();
    if (found === SCAN_END) return null;
    if (found !== SCAN_BATCH) throw new DiskError('EBADMSG', 'read', this.log.path);
    return scan;
  }

  /** For whoever wants no more than headers: of large batches the rest is not read. */
  headers(position: number, limit: number): BatchScan {
    return new BatchScan(this.#environment, this.log, position, limit, LOOKUP_WINDOW_BYTES, true);
  }

  scan(position: number, limit: number, windowBytes?: number): BatchScan {
    return new BatchScan(this.#environment, this.log, position, limit, windowBytes);
  }

  forget(): void {
    for (const file of this.files) this.#environment.files.forget(file);
  }

  /** Index entries that are pending go to their files. The time index goes first: of what the other holds there, it lacks nothing. */
  flushIndexes(): void {
    this.timeIndex.index.flush();
    this.offsetIndex.index.flush();
  }

  freeze(): FrozenSegment {
    this.flushIndexes();
    return {
      baseOffset: this.baseOffset,
      sizeBytes: this.sizeBytes,
      cumulativeStart: this.cumulativeStart,
      offsetEntries: this.offsetIndex.index.entries,
      timeEntries: this.timeIndex.index.entries,
      maxTimestamp: this.maxTimestamp,
      maxTimestampOffset: this.maxTimestampOffset,
      firstTimestamp: this.#firstTimestamp,
      createdMs: this.createdMs,
      jitterMs: this.jitterMs,
      growing: this.#growing,
    };
  }

  static thaw(environment: LogEnvironment, directory: string, frozen: FrozenSegment): Segment {
    const segment = new Segment(environment, directory, frozen.baseOffset, frozen.createdMs, frozen.jitterMs, false);
    segment.setSize(frozen.sizeBytes);
    segment.cumulativeStart = frozen.cumulativeStart;
    segment.offsetIndex.thaw(frozen.offsetEntries);
    segment.timeIndex.thaw(frozen.timeEntries);
    segment.maxTimestamp = frozen.maxTimestamp;
    segment.maxTimestampOffset = frozen.maxTimestampOffset;
    segment.#firstTimestamp = frozen.firstTimestamp;
    segment.#growing = frozen.growing;
    return segment;
  }

  #readFirstTimestamp(): number {
    if (this.#firstTimestamp !== NOT_READ) return this.#firstTimestamp;
    const scan = this.scan(0, this.sizeBytes, LOOKUP_WINDOW_BYTES);
    this.#firstTimestamp = scan.next() === SCAN_BATCH ? scan.maxTimestamp : NO_TIMESTAMP;
    return this.#firstTimestamp;
  }
}
