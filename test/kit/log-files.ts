/** The files of one partition as they lie on disk, read without the broker's own code: segments, index entries, batches. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const OFFSET_ENTRY_BYTES = 8;
const TIME_ENTRY_BYTES = 12;
/** Base offset and batch length stand before what the length counts. */
const OVERHEAD_BYTES = 12;
const LAST_OFFSET_DELTA_AT = 23;
const MAX_TIMESTAMP_AT = 35;
const HEADER_BYTES = 61;

export interface OffsetEntry {
  readonly offset: number;
  readonly position: number;
}

export interface TimeEntry {
  readonly timestamp: number;
  readonly offset: number;
}

export interface FileBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly position: number;
  readonly sizeBytes: number;
  readonly maxTimestamp: number;
}

/** Of a partition, by ending (`.log`, `.index`), in rising order. */
export function logFiles(partition: string, ending: string): string[] {
  return readdirSync(partition)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(partition, name));
}

/** The offset that a segment's file is called by. */
export function baseOffsetOf(path: string): number {
  return Number(basename(path).split('.')[0]);
}

/** Of an index whose segment is finished: that of the active one is as long as it may become. */
export function offsetEntries(path: string): OffsetEntry[] {
  const bytes = readFileSync(path);
  if (bytes.length % OFFSET_ENTRY_BYTES !== 0) throw new Error(`${path} ends within an entry`);
  const base = baseOffsetOf(path);
  return Array.from({ length: bytes.length / OFFSET_ENTRY_BYTES }, (_, index) => {
    const at = index * OFFSET_ENTRY_BYTES;
    return { offset: base + bytes.readInt32BE(at), position: bytes.readInt32BE(at + 4) };
  });
}

export function timeEntries(path: string): TimeEntry[] {
  const bytes = readFileSync(path);
  if (bytes.length % TIME_ENTRY_BYTES !== 0) throw new Error(`${path} ends within an entry`);
  const base = baseOffsetOf(path);
  return Array.from({ length: bytes.length / TIME_ENTRY_BYTES }, (_, index) => {
    const at = index * TIME_ENTRY_BYTES;
    return { timestamp: Number(bytes.readBigInt64BE(at)), offset: base + bytes.readInt32BE(at + 8) };
  });
}

/** `cutOff`: what a crash left of the last batch is no batch. */
export function fileBatches(path: string, cutOff = false): FileBatch[] {
  const bytes = readFileSync(path);
  const batches: FileBatch[] = [];
  for (let position = 0; position < bytes.length; ) {
    if (cutOff && bytes.length - position < HEADER_BYTES) return batches;
    const baseOffset = Number(bytes.readBigInt64BE(position));
    const sizeBytes = OVERHEAD_BYTES + bytes.readInt32BE(position + 8);
    if (cutOff && bytes.length - position < sizeBytes) return batches;
    batches.push({
      baseOffset,
      lastOffset: baseOffset + bytes.readInt32BE(position + LAST_OFFSET_DELTA_AT),
      position,
      sizeBytes,
      maxTimestamp: Number(bytes.readBigInt64BE(position + MAX_TIMESTAMP_AT)),
    });
    position += sizeBytes;
  }
  return batches;
}
