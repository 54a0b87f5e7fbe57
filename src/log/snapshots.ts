/**
 * The producer snapshots of one log, and the producers made from them: the newest good one, then every batch behind it.
 * One is written when a segment begins, when the log is closed, and as a mark now and then: it says that all below its offset is
 * written, with its epochs, so that a start after a killed process has that much less to read.
 */
import { type BatchScan, SCAN_BATCH } from './batch-scan.ts';
import { writeWhole } from './checkpoint.ts';
import type { Deletions } from './deletions.ts';
import type { LogEnvironment } from './environment.ts';
import { filePath, offsetOf, PRODUCER_SNAPSHOT } from './names.ts';
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot.ts';
import { type Producer, type Producers, sequenceAfter } from './producers.ts';
import { transactionEnd } from './record-walk.ts';
import type { Segments } from './segments.ts';

export class Snapshots {
  readonly #environment: LogEnvironment;
  readonly #directory: string;
  /** Rising. */
  #offsets: number[];
  #lastRead: { readonly offset: number; readonly producers: Producer[] | null } | null = null;

  constructor(environment: LogEnvironment, directory: string, offsets: readonly number[]) {
    this.#environment = environment;
    this.#directory = directory;
    this.#offsets = offsets.toSorted((a, b) => a - b);
  }

  static offsetsIn(names: readonly string[]): number[] {
    return names.map((name) => offsetOf(name, PRODUCER_SNAPSHOT)).filter((offset) => offset >= 0);
  }

  get offsets(): readonly number[] {
    return this.#offsets;
  }

  /** Returns its path. */
  write(producers: Producers, offset: number, durable: boolean): string {
    const { disk, kernels, scratch } = this.#environment;
    const bytes = encodeSnapshot(producers.values(), producers.count, kernels, scratch);
    writeWhole(disk, this.#path(offset), bytes, durable);
    if (!this.#offsets.includes(offset)) {
      this.#offsets.push(offset);
      this.#offsets.sort((a, b) => a - b);
    }
    return this.#path(offset);
  }

  /** Everything below is written. What the last mark stood for, this one says, too. */
  mark(producers: Producers, offset: number, segments: Segments): void {
    this.write(producers, offset, false);
    this.prune(segments);
  }

  /** The highest offset with a snapshot that is whole, -1 when there is none. */
  newestSound(): number {
    return this.#offsets.findLast((offset) => this.#readOnce(offset) !== null) ?? -1;
  }

  /** Makes `producers` what they were at `endOffset`. Damaged snapshots, and those outside of the log, are removed. */
  restore(producers: Producers, segments: Segments, endOffset: number, scanAllowed: boolean): void {
    // Between an older snapshot and the first segment batches are missing: it knows sequences that were passed since.
    this.#keep((offset) => offset >= segments.first.baseOffset && offset <= endOffset);
    producers.load([], segments.first.baseOffset);
    let found = false;
    for (let newest = this.#offsets.at(-1); newest !== undefined && !found; newest = this.#offsets.at(-1)) {
      const decoded = this.#readOnce(newest);
      if (decoded === null) this.#keep((offset) => offset !== newest);
      else {
        producers.load(decoded, newest);
        found = true;
      }
    }
    this.#lastRead = null;
    if (found || scanAllowed) replay(producers, segments, endOffset);
    producers.endOffset = endOffset;
  }

  /** Keeps the snapshots that segments begin with, and the newest. */
  prune(segments: Segments): void {
    const newest = this.#offsets.at(-1);
    const bases = new Set(segments.list.map((segment) => segment.baseOffset));
    this.#keep((offset) => offset === newest || bases.has(offset));
  }

  /** The snapshots of segments that are gone go with them. */
  retireBefore(offset: number, deletions: Deletions, dueMs: number): void {
    const { disk } = this.#environment;
    for (const old of this.#offsets) if (old < offset) deletions.retire(disk, this.#path(old), dueMs);
    this.#offsets = this.#offsets.filter((kept) => kept >= offset);
  }

  removeAll(): void {
    this.#keep(() => false);
  }

  #keep(keeps: (offset: number) => boolean): void {
    const { disk } = this.#environment;
    for (const offset of this.#offsets) {
      const path = this.#path(offset);
      if (!keeps(offset) && disk.exists(path)) disk.remove(path);
    }
    this.#offsets = this.#offsets.filter(keeps);
  }

  /** What was read last is kept until the log is open. */
  #readOnce(offset: number): Producer[] | null {
    if (this.#lastRead?.offset === offset) return this.#lastRead.producers;
    const { disk, kernels, scratch } = this.#environment;
    const bytes = disk.readFile(this.#path(offset));
    const producers = bytes === null ? null : decodeSnapshot(bytes, kernels, scratch);
    this.#lastRead = { offset, producers };
    return producers;
  }

  #path(offset: number): string {
    return filePath(this.#directory, offset, PRODUCER_SNAPSHOT);
  }
}

/** Lets the producers see every batch from their end offset up to `endOffset`. */
function replay(producers: Producers, segments: Segments, endOffset: number): void {
  const from = producers.endOffset;
  for (let index = Math.max(0, segments.floor(from)); index < segments.count; index++) {
    const segment = segments.at(index);
    const scan = segment.headers(segment.offsetIndex.lookup(from), segment.sizeBytes);
    while (scan.next() === SCAN_BATCH) {
      if (scan.baseOffset >= endOffset) return;
      if (scan.producerId >= 0 && scan.lastOffset >= from) replayBatch(scan, producers);
    }
  }
}

/** A batch that stands in the log is a fact: it is not checked. */
export function replayBatch(scan: BatchScan, producers: Producers): void {
  const { producerId, producerEpoch, maxTimestamp } = scan;
  if (scan.control) {
    const end = transactionEnd(scan.records() ?? new Uint8Array(0));
    if (end !== null) producers.endTransaction(producerId, producerEpoch, end.coordinatorEpoch, maxTimestamp);
    return;
  }
  const delta = scan.lastOffset - scan.baseOffset;
  const lastSequence = scan.baseSequence < 0 ? -1 : sequenceAfter(scan.baseSequence, delta);
  producers.append(producerId, producerEpoch, lastSequence, scan.lastOffset, delta, maxTimestamp, scan.transactional);
}
