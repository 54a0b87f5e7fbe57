/**
 * Batches that a broker must refuse, and near misses that it must take, each with the code that Kafka 4.3 gives. It differs
 * in these: for unknown codecs, for what does not decompress and for a compressed batch with wrong offset deltas Kafka has
 * no better answer than -1, and none at all for null records; uncompressed records with wrong offset deltas and producers
 * without an epoch it stores.
 */
import { memoryOver } from '../../src/base/memory.ts';
import * as batch from '../../src/wire/batch.ts';
import { compress } from '../../src/wire/compression.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { encodeBatch, type NewBatch, type NewRecord } from '../../src/wire/records.ts';
import { kernels, utf8 } from '../kit/records.ts';

export interface BadBatch {
  readonly title: string;
  readonly code: number;
  readonly records: () => Uint8Array | null;
  readonly configs?: Readonly<Record<string, string>>;
  readonly version?: number;
  /** The records that the answer names, where it names any. */
  readonly named?: readonly number[];
}

const { GZIP, ZSTD, NONE } = batch.CODEC;
const COMPACTED = { 'cleanup.policy': 'compact' };
const APPEND_TIME = { 'message.timestamp.type': 'LogAppendTime' };
const HOUR_MS = 3_600_000;

function records(count = 3, more: Partial<NewRecord> = {}): NewRecord[] {
  const timestamp = Date.now();
  return Array.from({ length: count }, (_, index) => ({
    timestamp,
    key: utf8(`key-${index}`),
    value: utf8(`value-${index}`),
    ...more,
  }));
}

type Change = (view: DataView) => void;

function seal(bytes: Uint8Array): Uint8Array {
  const memory = memoryOver(bytes);
  const length = bytes.length - batch.ATTRIBUTES_AT;
  if (length > 0) batch.setCrc(memory.view, 0, kernels.crc32c(memory, batch.ATTRIBUTES_AT, length));
  return bytes;
}

/** A good batch with a change that its CRC covers. */
function sealed(change: Change, spec: Partial<NewBatch> = {}): Uint8Array {
  const bytes = encodeBatch({ records: records(), ...spec }, kernels);
  change(memoryOver(bytes).view);
  return seal(bytes);
}

function attributes(bits: number, spec: Partial<NewBatch> = {}): () => Uint8Array {
  return () => sealed((view) => batch.setAttributes(view, 0, batch.attributes(view, 0) | bits), spec);
}

/** A good batch with a change that its CRC does not know of. */
function changed(change: Change): () => Uint8Array {
  return () => {
    const bytes = encodeBatch({ records: records() }, kernels);
    change(memoryOver(bytes).view);
    return bytes;
  };
}

/** Record bytes of one's own making, under a header that fits them. */
function crafted(change: (plain: Uint8Array) => Uint8Array, codec: number = NONE, count = 3): () => Uint8Array {
  const pack = (plain: Uint8Array): Uint8Array => (codec === NONE ? change(plain) : compress(codec, change(plain)));
  return () => encodeBatch({ records: records(count), codec, compress: pack }, kernels);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** The offset delta is the fourth byte of a record whose length and timestamp delta take one byte each. */
function secondDelta(delta: number): (plain: Uint8Array) => Uint8Array {
  return (plain) => {
    const changedBytes = plain.slice();
    const second = 1 + (plain[0] as number) / 2;
    changedBytes[second + 3] = delta * 2;
    return changedBytes;
  };
}

/** A batch of exactly so many bytes. */
function ofSize(bytes: number): Uint8Array {
  for (let valueBytes = bytes - 80; ; valueBytes++) {
    const record = { timestamp: Date.now(), key: null, value: new Uint8Array(valueBytes) };
    const made = encodeBatch({ records: [record] }, kernels);
    if (made.length === bytes) return made;
    if (made.length > bytes) throw new Error(`no batch has ${bytes} bytes`);
  }
}

function old(magic: number): () => Uint8Array {
  return changed((view) => batch.setMagic(view, 0, magic));
}

const MAX_10K = { 'max.message.bytes': '10000' };

export const BAD_BATCHES: readonly BadBatch[] = [
  { title: 'no records (null)', code: ERROR.INVALID_RECORD, records: () => null },
  { title: 'no bytes', code: ERROR.INVALID_RECORD, records: () => new Uint8Array(0) },
  { title: 'half a header', code: ERROR.INVALID_RECORD, records: () => sealed(() => {}).slice(0, 40) },
  { title: 'half a batch', code: ERROR.INVALID_RECORD, records: () => sealed(() => {}).slice(0, 70) },
  {
    title: 'two batches',
    code: ERROR.INVALID_RECORD,
    records: () =>
      joined(
        sealed(() => {}),
        sealed(() => {}),
      ),
  },
  { title: 'a wrong CRC', code: ERROR.CORRUPT_MESSAGE, records: changed((view) => view.setUint32(batch.CRC_AT, 1)) },
  { title: 'a changed byte', code: ERROR.CORRUPT_MESSAGE, records: changed((view) => view.setInt8(70, 0x7f)) },
  { title: 'magic 0', code: ERROR.INVALID_RECORD, records: old(0) },
  { title: 'magic 1', code: ERROR.INVALID_RECORD, records: old(1) },
  { title: 'magic 3', code: ERROR.CORRUPT_MESSAGE, records: old(3) },
  { title: 'magic -1', code: ERROR.CORRUPT_MESSAGE, records: old(-1) },
  {
    title: 'a length below a header',
    code: ERROR.CORRUPT_MESSAGE,
    records: changed((view) => batch.setBatchLength(view, 0, 40)),
  },
  {
    title: 'a length of a few bytes',
    code: ERROR.CORRUPT_MESSAGE,
    records: changed((view) => batch.setBatchLength(view, 0, 3)),
  },
  {
    title: 'a negative length',
    code: ERROR.CORRUPT_MESSAGE,
    records: changed((view) => batch.setBatchLength(view, 0, -7)),
  },
  {
    title: 'a few bytes behind the batch',
    code: ERROR.NONE,
    records: () =>
      joined(
        sealed(() => {}),
        new Uint8Array(5),
      ),
  },
  {
    title: 'a base offset',
    code: ERROR.INVALID_RECORD,
    records: changed((view) => batch.setBaseOffset(view, 0, 123)),
  },
  { title: 'a count of 0', code: ERROR.INVALID_RECORD, records: () => sealed((v) => batch.setRecordsCount(v, 0, 0)) },
  { title: 'a count of -1', code: ERROR.INVALID_RECORD, records: () => sealed((v) => batch.setRecordsCount(v, 0, -1)) },
  {
    title: 'no records, and a header that says so',
    code: ERROR.INVALID_RECORD,
    records: () =>
      sealed((view) => {
        batch.setRecordsCount(view, 0, 0);
        batch.setLastOffsetDelta(view, 0, -1);
      }),
  },
  {
    title: 'a last offset delta that is not the count - 1',
    code: ERROR.INVALID_RECORD,
    records: () => sealed((view) => batch.setLastOffsetDelta(view, 0, 9)),
  },
  {
    title: 'a negative last offset delta',
    code: ERROR.INVALID_RECORD,
    records: () => sealed((view) => batch.setLastOffsetDelta(view, 0, -1)),
  },
  {
    title: 'more records announced than there are',
    code: ERROR.INVALID_RECORD,
    records: () =>
      sealed((view) => {
        batch.setRecordsCount(view, 0, 4);
        batch.setLastOffsetDelta(view, 0, 3);
      }),
  },
  {
    title: 'fewer records announced than there are',
    code: ERROR.INVALID_RECORD,
    records: () =>
      sealed((view) => {
        batch.setRecordsCount(view, 0, 2);
        batch.setLastOffsetDelta(view, 0, 1);
      }),
  },
  {
    title: 'bytes behind the last record',
    code: ERROR.INVALID_RECORD,
    records: crafted((p) => joined(p, p.slice(0, 2))),
  },
  { title: 'a record cut short', code: ERROR.INVALID_RECORD, records: crafted((plain) => plain.slice(0, -1)) },
  {
    title: 'a record longer than it says',
    code: ERROR.INVALID_RECORD,
    records: crafted((plain) => Uint8Array.from(plain, (byte, at) => (at === 0 ? byte - 2 : byte))),
  },
  { title: 'an offset delta twice', code: ERROR.INVALID_RECORD, records: crafted(secondDelta(0)) },
  { title: 'an offset delta too far', code: ERROR.INVALID_RECORD, records: crafted(secondDelta(7)) },
  { title: 'an offset delta too far, compressed', code: ERROR.NONE, records: crafted(secondDelta(7), GZIP) },
  {
    title: 'an offset delta too far, compressed, to be recompressed',
    code: ERROR.NONE,
    configs: { 'compression.type': 'zstd' },
    records: crafted(secondDelta(7), GZIP),
  },
  {
    title: 'an offset delta too far, to be compressed',
    code: ERROR.NONE,
    configs: { 'compression.type': 'zstd' },
    records: crafted(secondDelta(7)),
  },
  {
    title: 'a compressed record cut short, to be recompressed',
    code: ERROR.INVALID_RECORD,
    configs: { 'compression.type': 'zstd' },
    records: crafted((plain) => plain.slice(0, -1), GZIP),
  },
  {
    title: 'compressed garbage, to be recompressed',
    code: ERROR.CORRUPT_MESSAGE,
    configs: { 'compression.type': 'zstd' },
    records: () => encodeBatch({ records: records(), codec: GZIP, compress: () => new Uint8Array([1, 2, 3]) }, kernels),
  },
  { title: 'codec 5', code: ERROR.UNSUPPORTED_COMPRESSION_TYPE, records: attributes(5) },
  { title: 'codec 6', code: ERROR.UNSUPPORTED_COMPRESSION_TYPE, records: attributes(6) },
  { title: 'codec 7', code: ERROR.UNSUPPORTED_COMPRESSION_TYPE, records: attributes(7) },
  { title: 'codec 7, version 3', code: ERROR.UNSUPPORTED_COMPRESSION_TYPE, version: 3, records: attributes(7) },
  {
    title: 'zstd by version 6',
    code: ERROR.UNSUPPORTED_COMPRESSION_TYPE,
    version: 6,
    records: crafted((p) => p, ZSTD),
  },
  { title: 'zstd by version 7', code: ERROR.NONE, version: 7, records: crafted((plain) => plain, ZSTD) },
  { title: 'a control batch', code: ERROR.INVALID_RECORD, records: attributes(batch.CONTROL_BIT) },
  {
    title: 'a transaction without an id',
    code: ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    records: attributes(0x10),
  },
  { title: 'a delete horizon', code: ERROR.NONE, records: attributes(batch.DELETE_HORIZON_BIT) },
  { title: 'unused attributes', code: ERROR.NONE, records: attributes(0x4000) },
  { title: 'its own log append time', code: ERROR.NONE, records: attributes(batch.LOG_APPEND_TIME_BIT) },
  {
    title: 'its own log append time, where the broker stamps',
    code: ERROR.INVALID_TIMESTAMP,
    configs: APPEND_TIME,
    records: attributes(batch.LOG_APPEND_TIME_BIT),
    named: [0, 1, 2],
  },
  {
    title: 'a record without a key where the topic is compacted',
    code: ERROR.INVALID_RECORD,
    configs: COMPACTED,
    records: () => sealed(() => {}, { records: records().map((one, i) => (i === 1 ? { ...one, key: null } : one)) }),
    named: [1],
  },
  {
    title: 'a compressed record without a key where the topic is compacted',
    code: ERROR.INVALID_RECORD,
    configs: COMPACTED,
    records: () =>
      encodeBatch(
        {
          records: records().map((one, i) => (i === 1 ? { ...one, key: null } : one)),
          codec: GZIP,
          compress: (plain) => compress(GZIP, plain),
        },
        kernels,
      ),
    named: [1],
  },
  {
    title: 'an empty key where the topic is compacted',
    code: ERROR.NONE,
    configs: COMPACTED,
    records: () => sealed(() => {}, { records: records(1, { key: new Uint8Array(0) }) }),
  },
  {
    title: 'a timestamp far ahead',
    code: ERROR.INVALID_TIMESTAMP,
    records: () => sealed(() => {}, { records: records(1, { timestamp: Date.now() + 2 * HOUR_MS }) }),
    named: [0],
  },
  {
    title: 'a timestamp far behind',
    code: ERROR.INVALID_TIMESTAMP,
    configs: { 'message.timestamp.before.max.ms': '1000' },
    records: () => sealed(() => {}, { records: records(1, { timestamp: Date.now() - HOUR_MS }) }),
    named: [0],
  },
  {
    title: 'a timestamp far behind, where the broker stamps',
    code: ERROR.NONE,
    configs: { ...APPEND_TIME, 'message.timestamp.before.max.ms': '1000' },
    records: () => sealed(() => {}, { records: records(1, { timestamp: Date.now() - HOUR_MS }) }),
  },
  {
    title: 'no timestamp',
    code: ERROR.NONE,
    records: () => sealed(() => {}, { records: records(1, { timestamp: -1 }) }),
  },
  {
    title: 'a timestamp of -2',
    code: ERROR.NONE,
    records: () => sealed(() => {}, { records: records(1, { timestamp: -2 }) }),
  },
  {
    title: 'a largest timestamp that no record has',
    code: ERROR.NONE,
    records: () => sealed((view) => batch.setMaxTimestamp(view, 0, Date.now() + 9 * HOUR_MS)),
  },
  { title: 'max.message.bytes', code: ERROR.NONE, configs: MAX_10K, records: () => ofSize(10_000) },
  {
    title: 'one more than max.message.bytes',
    code: ERROR.MESSAGE_TOO_LARGE,
    configs: MAX_10K,
    records: () => ofSize(10_001),
  },
  {
    title: 'one more than a segment',
    code: ERROR.RECORD_LIST_TOO_LARGE,
    configs: { 'max.message.bytes': '5000000', 'segment.bytes': '1048576' },
    records: () => ofSize(1_048_577),
  },
  {
    title: 'more than max.message.bytes once it is uncompressed',
    code: ERROR.MESSAGE_TOO_LARGE,
    configs: { ...MAX_10K, 'compression.type': 'uncompressed' },
    records: () =>
      encodeBatch(
        {
          records: records(1, { value: new Uint8Array(20_000) }),
          codec: GZIP,
          compress: (plain) => compress(GZIP, plain),
        },
        kernels,
      ),
  },
  {
    title: 'a producer without a sequence',
    code: ERROR.INVALID_RECORD,
    records: () => sealed((view) => batch.setProducerId(view, 0, 5)),
  },
  {
    title: 'a producer without an epoch',
    code: ERROR.INVALID_PRODUCER_EPOCH,
    records: () =>
      sealed((view) => {
        batch.setProducerId(view, 0, 5);
        batch.setBaseSequence(view, 0, 0);
      }),
  },
  {
    title: 'a sequence without a producer',
    code: ERROR.NONE,
    records: () => sealed((view) => batch.setBaseSequence(view, 0, 7)),
  },
  {
    title: 'a producer of -2',
    code: ERROR.NONE,
    records: () => sealed((view) => batch.setProducerId(view, 0, -2)),
  },
];
