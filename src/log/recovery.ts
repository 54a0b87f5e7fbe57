/**
 * From files to segments. After a clean end the files are believed and only the last batches are looked at. After a crash
 * every segment from the recovery point on is read and checked, its indexes are made anew, and at the first batch that is
 * not whole the log ends: what follows is cut off, later segments are retired. Where the kernel has lived on, all that was
 * written before the last mark (`Snapshots`) is believed, too, and only what follows is read.
 */
import type { BatchScan } from './batch-scan.ts';
import { LOOKUP_WINDOW_BYTES, SCAN_BATCH, SCAN_END } from './batch-scan.ts';
import { hasPolicy, type LogConfig } from './config.ts';
import type { Deletions } from './deletions.ts';
import { DiskError } from './disk.ts';
import type { LogEnvironment } from './environment.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import { fileName, filePath, LOG, OFFSET_INDEX, offsetOf, SEGMENT_SUFFIXES, TIME_INDEX } from './names.ts';
import { Segment } from './segment.ts';
import type { Segments } from './segments.ts';

const RELATIVE_OFFSET_MAX = 0x7fffffff;
const REWRITE_BYTES = 65_536;

export interface LoadOptions {
  readonly directory: string;
  readonly config: LogConfig;
  readonly now: number;
  readonly cleanShutdown: boolean;
  readonly recoveryPoint: number;
  /** Everything below was written, and whatever was written is to be read; -1 when that is not known. */
  readonly mark: number;
  /** Of what is behind the recovery point nobody knows whether the kernel will ever write it. */
  readonly pageCacheDoubtful?: boolean;
}

export interface LoadedSegments {
  /** The log's end; -1 when there is no segment. */
  readonly endOffset: number;
  /** Nothing had to be recovered. */
  readonly clean: boolean;
  /** Segments whose indexes were made anew although the recovery point lies behind them. */
  readonly rebuilt: readonly Segment[];
}

/** Fills `segments` from the directory. */
export function loadSegments(
  environment: LogEnvironment,
  options: LoadOptions,
  names: readonly string[],
  segments: Segments,
  epochs: LeaderEpochs,
  deletions: Deletions,
): LoadedSegments {
  const unsound = new Set<Segment>();
  const found = openSegments(environment, options, names, unsound);
  const last = found[found.length - 1];
  if (last === undefined) return { endOffset: -1, clean: options.cleanShutdown, rebuilt: [] };
  const rebuilt: Segment[] = [];
  const rebuild = (segment: Segment): void => {
    if (!unsound.delete(segment)) return;
    checkSegment(environment, segment, segment.baseOffset, options.config, epochs);
    rebuilt.push(segment);
  };
  if (options.cleanShutdown) {
    for (const segment of found) rebuild(segment);
    const endOffset = cleanEnd(last);
    if (endOffset >= 0) {
      for (const segment of found) segments.add(segment);
      return { endOffset, clean: true, rebuilt };
    }
  }
  const endOffset = recover(environment, options, found, segments, epochs, deletions, rebuild);
  return { endOffset, clean: false, rebuilt };
}

function openSegments(
  environment: LogEnvironment,
  options: LoadOptions,
  names: readonly string[],
  unsound: Set<Segment>,
): Segment[] {
  const { disk } = environment;
  const { directory, config } = options;
  const present = new Set(names);
  const bases = names.map((name) => offsetOf(name, LOG)).filter((base) => base >= 0);
  for (const name of names) {
    const base = Math.max(offsetOf(name, OFFSET_INDEX), offsetOf(name, TIME_INDEX));
    if (base >= 0 && !bases.includes(base)) disk.remove(`${directory}/${name}`);
  }
  const rising = bases.sort((a, b) => a - b);
  return rising.map((base, index) => {
    const segment = newSegment(environment, directory, base, config, options.now, false);
    // What is read again is not looked at before.
    if (!options.cleanShutdown && isReadAgain(options, rising[index + 1])) return segment;
    const complete = present.has(fileName(base, OFFSET_INDEX)) && present.has(fileName(base, TIME_INDEX));
    if (!segment.load() || !complete) unsound.add(segment);
    return segment;
  });
}

/** A segment of an unclean end, by where the next one begins. One that ends exactly where all is believed was perhaps still appended to at the last sync: its indexes were not synced with it. */
function isReadAgain({ recoveryPoint, mark }: LoadOptions, nextBase: number | undefined): boolean {
  return nextBase === undefined || nextBase >= Math.max(recoveryPoint, mark + 1);
}

export function newSegment(
  environment: LogEnvironment,
  directory: string,
  base: number,
  config: LogConfig,
  now: number,
  fresh: boolean,
): Segment {
  const jitter = config.segmentJitterMs > 0 ? environment.random.below(config.segmentJitterMs) : 0;
  return new Segment(environment, directory, base, now, jitter, fresh);
}

/** The next offset behind the last segment's last batch; -1 when its end is not whole after all. */
function cleanEnd(segment: Segment): number {
  const scan = segment.headers(segment.offsetIndex.lastPosition, segment.sizeBytes);
  let end = segment.baseOffset;
  for (;;) {
    const step = scan.next();
    if (step === SCAN_END) return end;
    if (step !== SCAN_BATCH || scan.baseOffset < end) return -1;
    end = scan.lastOffset + 1;
  }
}

function recover(
  environment: LogEnvironment,
  options: LoadOptions,
  found: readonly Segment[],
  segments: Segments,
  epochs: LeaderEpochs,
  deletions: Deletions,
  rebuild: (segment: Segment) => void,
): number {
  const { directory, config, now, mark } = options;
  // Compaction leaves gaps; without it a gap between segments is the lost end of the earlier one.
  const dense = !hasPolicy(config, 'compact');
  let end = -1;
  let cut = false;
  for (let i = 0; i < found.length; i++) {
    const segment = found[i] as Segment;
    const next = found[i + 1];
    const gap = end >= 0 && dense && segment.baseOffset !== end;
    if (cut || gap || segment.baseOffset < end) {
      retireSegment(environment, directory, segment, deletions, now + config.fileDeleteDelayMs);
      cut = true;
      continue;
    }
    if (isReadAgain(options, next?.baseOffset)) {
      const taken = mark > segment.baseOffset && takeWritten(environment, segment, mark, config);
      // The checkpoint may be older than the batches: they carry their epochs themselves.
      epochs.truncateFromEnd(taken ? mark : segment.baseOffset);
      const from = taken ? mark : Math.max(end, segment.baseOffset);
      const checked = checkSegment(environment, segment, from, config, epochs, taken);
      if (options.pageCacheDoubtful === true) writeAgain(environment, segment, options.recoveryPoint);
      end = checked.endOffset;
      cut = checked.cut;
    } else {
      rebuild(segment);
      end = -1;
    }
    segments.add(segment);
  }
  return end;
}

/** Reads a segment, whole or behind what it has taken already, makes its indexes, and cuts it at the first batch that is not good. */
export function checkSegment(
  environment: LogEnvironment,
  segment: Segment,
  startOffset: number,
  config: LogConfig,
  epochs: LeaderEpochs,
  taken = false,
): { readonly endOffset: number; readonly cut: boolean } {
  const { disk, files } = environment;
  const size = disk.size(files.descriptor(segment.log));
  let endOffset = startOffset;
  if (!taken) segment.beginAgain();
  const scan = segment.scan(segment.stagedBytes, size);
  let step = scan.next();
  for (; step === SCAN_BATCH && isGood(scan, segment, endOffset); step = scan.next()) {
    if (scan.leaderEpoch > epochs.latest) epochs.assign(scan.leaderEpoch, scan.baseOffset);
    segment.appended(scan.sizeBytes, scan.lastOffset, scan.maxTimestamp, config.indexIntervalBytes);
    endOffset = scan.lastOffset + 1;
  }
  segment.sizeBytes = segment.stagedBytes;
  if (step !== SCAN_END) {
    if (scan.isOlderFormat()) {
      throw new Error(
        `${segment.log.path} holds records of message format ${scan.magic}; this broker reads format 2 only`,
      );
    }
    disk.truncate(files.descriptor(segment.log), segment.sizeBytes);
    // Or what was cut could come back behind what is appended next.
    disk.sync(files.descriptor(segment.log));
  }
  segment.finish();
  return { endOffset, cut: step !== SCAN_END };
}

/** Takes all below the mark as it lies, going through the headers behind the last index entry. False when it does not lie so. */
function takeWritten(environment: LogEnvironment, segment: Segment, mark: number, config: LogConfig): boolean {
  const size = environment.disk.size(environment.files.descriptor(segment.log));
  if (!segment.takeIndexed(mark, size)) return false;
  const scan = segment.scan(segment.stagedBytes, size, LOOKUP_WINDOW_BYTES);
  let next = segment.stagedBytes === 0 ? segment.baseOffset : segment.offsetIndex.lastOffset + 1;
  while (next < mark) {
    if (scan.next() !== SCAN_BATCH || scan.baseOffset < next || scan.lastOffset >= mark) return false;
    segment.appended(scan.sizeBytes, scan.lastOffset, scan.maxTimestamp, config.indexIntervalBytes);
    next = scan.lastOffset + 1;
  }
  return true;
}

function isGood(scan: BatchScan, segment: Segment, nextOffset: number): boolean {
  return (
    scan.baseOffset >= nextOffset &&
    scan.lastOffset >= scan.baseOffset &&
    scan.lastOffset - segment.baseOffset <= RELATIVE_OFFSET_MAX &&
    scan.crcHolds()
  );
}

/**
 * Writes the batches behind the recovery point over themselves and makes them durable, and with them that the log ends
 * there: what was cut from it must not come back behind what is appended now.
 */
function writeAgain(environment: LogEnvironment, segment: Segment, recoveryPoint: number): void {
  const { disk, files, scratch } = environment;
  const { log, sizeBytes } = segment;
  let position = segment.offsetIndex.lookup(recoveryPoint);
  while (position < sizeBytes) {
    const got = disk.read(files.descriptor(log), position, scratch, 0, Math.min(sizeBytes - position, REWRITE_BYTES));
    if (got === 0) throw new DiskError('EIO', 'read', log.path);
    disk.writeBytes(files.descriptor(log), position, scratch.bytes.subarray(0, got));
    position += got;
  }
  disk.sync(files.descriptor(log));
}

/** Takes a segment's files out of the way; leases on them stay good. */
export function retireSegment(
  environment: LogEnvironment,
  directory: string,
  segment: Segment,
  deletions: Deletions,
  dueMs: number,
): void {
  segment.forget();
  for (const suffix of SEGMENT_SUFFIXES) {
    deletions.retire(environment.disk, filePath(directory, segment.baseOffset, suffix), dueMs);
  }
}
