/**
 * The file `<offset>.snapshot`: all producers as they were at that offset, with their last batch. Kafka's version 1.
 *
 *   0 int16 version | 2 uint32 CRC-32C of all that follows | 6 int32 count | per producer, 46 bytes:
 *   int64 id | int16 epoch | int32 last sequence | int64 last offset | int32 offset delta | int64 timestamp |
 *   int32 coordinator epoch | int64 first offset of the open transaction, or -1
 */
import type { Kernels } from '../base/kernels.ts';
import type { Memory } from '../base/memory.ts';
import type { Producer, ProducerBatch } from './producers.ts';

const VERSION = 1;
const CRC_AT = 2;
const COUNT_AT = 6;
const FIRST_AT = 10;
const ENTRY_BYTES = 46;

/** CRC of bytes that neither disk nor kernels need to know: through the scratch memory, piece by piece. */
function crcOf(bytes: Uint8Array, kernels: Kernels, scratch: Memory): number {
  let crc = 0;
  for (let at = COUNT_AT; at < bytes.length; at += scratch.bytes.length) {
    const piece = bytes.subarray(at, at + scratch.bytes.length);
    scratch.bytes.set(piece);
    crc = kernels.crc32c(scratch, 0, piece.length, crc);
  }
  return crc;
}

export function encodeSnapshot(
  producers: Iterable<Producer>,
  count: number,
  kernels: Kernels,
  scratch: Memory,
): Uint8Array {
  const bytes = new Uint8Array(FIRST_AT + count * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, VERSION);
  view.setInt32(COUNT_AT, count);
  let at = FIRST_AT;
  for (const producer of producers) {
    const last = producer.batches.at(-1);
    setInt64(view, at, producer.id);
    view.setInt16(at + 8, producer.epoch);
    view.setInt32(at + 10, last?.lastSequence ?? -1);
    setInt64(view, at + 14, last?.lastOffset ?? -1);
    view.setInt32(at + 22, last?.offsetDelta ?? 0);
    setInt64(view, at + 26, producer.lastTimestamp);
    view.setInt32(at + 34, producer.coordinatorEpoch);
    setInt64(view, at + 38, producer.transactionStart);
    at += ENTRY_BYTES;
  }
  view.setUint32(CRC_AT, crcOf(bytes, kernels, scratch));
  return bytes;
}

/** Null when the bytes are no whole snapshot. */
export function decodeSnapshot(bytes: Uint8Array, kernels: Kernels, scratch: Memory): Producer[] | null {
  if (bytes.length < FIRST_AT) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getInt16(0) !== VERSION || view.getUint32(CRC_AT) !== crcOf(bytes, kernels, scratch)) return null;
  const count = view.getInt32(COUNT_AT);
  if (count * ENTRY_BYTES !== bytes.length - FIRST_AT) return null;
  const producers: Producer[] = [];
  for (let at = FIRST_AT; at < bytes.length; at += ENTRY_BYTES) producers.push(readProducer(view, at));
  return producers;
}

function readProducer(view: DataView, at: number): Producer {
  const lastOffset = int64(view, at + 14);
  const timestamp = int64(view, at + 26);
  const batches: ProducerBatch[] = [];
  if (lastOffset >= 0) {
    batches.push({ lastSequence: view.getInt32(at + 10), lastOffset, offsetDelta: view.getInt32(at + 22), timestamp });
  }
  return {
    id: int64(view, at),
    epoch: view.getInt16(at + 8),
    coordinatorEpoch: view.getInt32(at + 34),
    lastTimestamp: timestamp,
    transactionStart: int64(view, at + 38),
    batches,
  };
}

function int64(view: DataView, at: number): number {
  return view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}

function setInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / 0x1_0000_0000));
  view.setInt32(at + 4, value | 0);
}
