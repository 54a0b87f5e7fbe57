/**
 * Records of a section numbered anew: their offset deltas become 0, 1, 2 ..., all else stays byte for byte. No object is made
 * of a record: a batch of a few kilobytes may hold millions of them.
 */
import type { Kernels } from '../base/kernels.ts';
import { type Memory, memoryOver } from '../base/memory.ts';
import { Reader } from '../wire/reader.ts';
import { sizeOfVarint, zigzag } from '../wire/varint.ts';

/** An offset delta and a length of the record take this much more at most. */
const GROWTH_BYTES_MAX = 5;
/** Length, attributes, two deltas, two lengths and the headers count. */
const RECORD_BYTES_MIN = 7;

/** Throws WireError when a record does not lie within the section; what is in its key, value and headers is not looked at. */
export function renumbered(records: Memory, count: number, kernels: Kernels): Memory {
  const reader = new Reader();
  const end = records.bytes.length;
  reader.reset(records, 0, end);
  if (count < 0 || count * RECORD_BYTES_MIN > end) reader.fail('batch', `${count} records announced`);
  const made = memoryOver(new Uint8Array(end + count * GROWTH_BYTES_MAX));
  let at = 0;
  for (let delta = 0; delta < count; delta++) {
    const size = reader.varint('record.length');
    const start = reader.offset;
    if (size < 0 || size > reader.remaining) reader.fail('record.length', `${size} bytes announced`);
    reader.int8('record.attributes');
    reader.varlong('record.timestampDelta');
    const number = reader.offset;
    reader.varint('record.offsetDelta');
    const rest = reader.offset;
    const restBytes = start + size - rest;
    if (restBytes < 0) reader.fail('record', 'longer than its length');
    reader.skip(restBytes, 'record');
    at = putVarint(made.bytes, at, number - start + sizeOfVarint(delta) + restBytes);
    for (let from = start; from < number; from++) made.bytes[at++] = records.bytes[from] as number;
    at = putVarint(made.bytes, at, delta);
    kernels.move(made, at, records, rest, restBytes);
    at += restBytes;
  }
  reader.expectEnd('batch');
  return memoryOver(made.bytes.slice(0, at));
}

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let left = zigzag(value);
  let to = at;
  for (; left >= 0x80; left >>>= 7) bytes[to++] = (left & 0x7f) | 0x80;
  bytes[to++] = left;
  return to;
}
