import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Memory } from '../../src/base/memory.ts';
import { memoryOver } from '../../src/base/memory.ts';
import { RECORD_FAULT } from '../../src/log/record-faults.ts';
import { refused } from '../../src/log/validation.ts';
import * as batch from '../../src/wire/batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { encodeBatch } from '../../src/wire/records.ts';
import { batchOf, kernels, NOW } from './fixture.ts';
import { Opened, type OpenedOptions } from './opened.ts';

/** A batch with a change that its CRC covers. */
function sealed(change: (view: DataView) => void, memory: Memory = batchOf({ count: 3 })): Memory {
  change(memory.view);
  const length = memory.bytes.length - batch.ATTRIBUTES_AT;
  batch.setCrc(memory.view, 0, kernels.crc32c(memory, batch.ATTRIBUTES_AT, length));
  return memory;
}

function verdict(memory: Memory, config: OpenedOptions['config'] = {}): number {
  const opened = new Opened({ config });
  const { errorCode } = opened.stage(memory);
  expect(opened.log.logEndOffset).toBe(errorCode === ERROR.NONE ? batch.recordsCount(memory.view, 0) : 0);
  return errorCode;
}

function attributes(bits: number): Memory {
  return sealed((view) => batch.setAttributes(view, 0, bits));
}

test.each<[string, number, Memory]>([
  ['nothing', ERROR.INVALID_RECORD, memoryOver(new Uint8Array(0))],
  ['half a header', ERROR.INVALID_RECORD, memoryOver(batchOf().bytes.slice(0, 40))],
  ['half a batch', ERROR.INVALID_RECORD, memoryOver(batchOf().bytes.slice(0, 70))],
  ['two batches', ERROR.INVALID_RECORD, memoryOver(Uint8Array.from([...batchOf().bytes, ...batchOf().bytes]))],
  ['format 1', ERROR.INVALID_RECORD, sealed((view) => batch.setMagic(view, 0, 1))],
  ['format 3', ERROR.CORRUPT_MESSAGE, sealed((view) => batch.setMagic(view, 0, 3))],
  ['a length below a header', ERROR.CORRUPT_MESSAGE, sealed((view) => batch.setBatchLength(view, 0, 20))],
  ['a negative length', ERROR.CORRUPT_MESSAGE, sealed((view) => batch.setBatchLength(view, 0, -7))],
  ['an endless length', ERROR.INVALID_RECORD, sealed((view) => batch.setBatchLength(view, 0, 0x7fffffff - 12))],
  ['codec 5', ERROR.UNSUPPORTED_COMPRESSION_TYPE, attributes(5)],
  ['codec 7', ERROR.UNSUPPORTED_COMPRESSION_TYPE, attributes(7)],
  ['a control batch', ERROR.INVALID_RECORD, attributes(batch.CONTROL_BIT)],
  ['a transaction nobody opened', ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, attributes(batch.TRANSACTIONAL_BIT)],
  ['its own log append time', ERROR.NONE, attributes(batch.LOG_APPEND_TIME_BIT)],
  ['a count of 0', ERROR.INVALID_RECORD, sealed((view) => batch.setRecordsCount(view, 0, 0))],
  ['a count of -1', ERROR.INVALID_RECORD, sealed((view) => batch.setRecordsCount(view, 0, -1))],
  [
    'a count that is not the last delta + 1',
    ERROR.INVALID_RECORD,
    sealed((view) => batch.setLastOffsetDelta(view, 0, 9)),
  ],
  [
    'more records announced than there are',
    ERROR.INVALID_RECORD,
    sealed((view) => {
      batch.setRecordsCount(view, 0, 4);
      batch.setLastOffsetDelta(view, 0, 3);
    }),
  ],
  ['a producer without a sequence', ERROR.INVALID_RECORD, sealed((view) => batch.setProducerId(view, 0, 5))],
  [
    'a producer without an epoch',
    ERROR.INVALID_PRODUCER_EPOCH,
    sealed((view) => {
      batch.setProducerId(view, 0, 5);
      batch.setBaseSequence(view, 0, 0);
    }),
  ],
  ['a timestamp far ahead', ERROR.INVALID_TIMESTAMP, batchOf({ timestamp: NOW + 3_600_001 })],
  ['the last timestamp that is allowed', ERROR.NONE, batchOf({ timestamp: NOW + 3_600_000 })],
  ['no timestamps', ERROR.NONE, batchOf({ timestamp: -1 })],
  ['a strange base offset', ERROR.INVALID_RECORD, sealed((view) => batch.setBaseOffset(view, 0, 123))],
  ['compressed records', ERROR.NONE, batchOf({ count: 5, gzip: true })],
])('%s: %i', (_name, code, memory) => {
  if (memory.bytes.length < batch.HEADER_BYTES) {
    expect(new Opened().stage(memory).errorCode).toBe(code);
    return;
  }
  expect(verdict(memory)).toBe(code);
});

test('a batch whose CRC is wrong by any bit is refused', () => {
  const whole = batchOf({ count: 3 }).bytes;
  for (let at = batch.CRC_AT; at < whole.length; at++) {
    const memory = memoryOver(whole.slice());
    memory.bytes[at] = (memory.bytes[at] as number) ^ (1 << (at % 8));
    expect(verdict(memory)).not.toBe(ERROR.NONE);
  }
});

test('sizes: max.message.bytes, and a batch that no segment holds', () => {
  const { bytes } = batchOf({ valueBytes: 500 });
  expect(verdict(batchOf({ valueBytes: 500 }), { maxMessageBytes: bytes.length })).toBe(ERROR.NONE);
  expect(verdict(batchOf({ valueBytes: 500 }), { maxMessageBytes: bytes.length - 1 })).toBe(ERROR.MESSAGE_TOO_LARGE);
  expect(verdict(batchOf({ valueBytes: 500 }), { segmentBytes: bytes.length - 1 })).toBe(ERROR.RECORD_LIST_TOO_LARGE);
});

test('a limit on age looks at every record', () => {
  const limit = { timestampBeforeMaxMs: 1_000 };
  expect(verdict(batchOf({ timestamp: NOW - 1_000 }), limit)).toBe(ERROR.NONE);
  expect(verdict(batchOf({ timestamp: NOW - 1_001 }), limit)).toBe(ERROR.INVALID_TIMESTAMP);
  const records = [NOW, NOW - 2_000, NOW].map((timestamp) => ({ timestamp, key: null, value: null }));
  expect(verdict(memoryOver(encodeBatch({ records }, kernels)), limit)).toBe(ERROR.INVALID_TIMESTAMP);
  expect(verdict(batchOf({ timestamp: -1 }), limit)).toBe(ERROR.NONE);
});

test('a producer that says the broker has stamped its records is not believed, but for their time', () => {
  const opened = new Opened();
  const sent = sealed((view) => {
    batch.setAttributes(view, 0, batch.LOG_APPEND_TIME_BIT);
    batch.setMaxTimestamp(view, 0, NOW - 77);
  });
  opened.append(sent);
  const { view, bytes } = opened.read(0);
  expect(batch.attributes(view, 0)).toBe(0);
  expect(batch.maxTimestamp(view, 0)).toBe(NOW - 77);
  expect(batch.crc(view, 0)).toBe(kernels.crc32c({ id: -1, view, bytes }, batch.ATTRIBUTES_AT, bytes.length - 21));
  expect(
    verdict(
      sealed((late) => late.setInt16(batch.ATTRIBUTES_AT, 8)),
      { timestampType: 'LogAppendTime' },
    ),
  ).toBe(ERROR.INVALID_TIMESTAMP);
});

test('what is cut off behind a batch is not stored', () => {
  const opened = new Opened();
  const { bytes } = batchOf({ count: 2 });
  const longer = memoryOver(Uint8Array.from([...bytes, ...bytes.subarray(0, bytes.length - 1)]));
  opened.append(longer);
  expect(opened.read(0).bytes).toHaveLength(bytes.length);
  expect(opened.append().baseOffset).toBe(2);
});

test('the record that is to blame is known', () => {
  const keyed = [0, 1, 2].map((n) => ({ timestamp: NOW, key: n === 1 ? null : new Uint8Array(1), value: null }));
  verdict(memoryOver(encodeBatch({ records: keyed }, kernels)), { cleanupPolicy: 'compact' });
  expect(refused).toEqual({ fault: RECORD_FAULT.NO_KEY, record: 1 });
  const late = [0, 9_000_000, 0].map((ahead) => ({ timestamp: NOW + ahead, key: null, value: null }));
  verdict(memoryOver(encodeBatch({ records: late }, kernels)));
  expect(refused).toEqual({ fault: RECORD_FAULT.TIMESTAMP_OUT_OF_RANGE, record: 1 });
  verdict(attributes(batch.CONTROL_BIT));
  expect(refused).toEqual({ fault: RECORD_FAULT.NONE, record: -1 });
});

test('with LogAppendTime the timestamps of the producer do not matter', () => {
  expect(verdict(batchOf({ timestamp: NOW * 2 }), { timestampType: 'LogAppendTime' })).toBe(ERROR.NONE);
});

test('compacted topics demand keys', () => {
  const keyless = { records: [{ timestamp: NOW, key: null, value: new Uint8Array(3) }] };
  expect(verdict(memoryOver(encodeBatch(keyless, kernels)), { cleanupPolicy: 'compact' })).toBe(ERROR.INVALID_RECORD);
  expect(verdict(memoryOver(encodeBatch(keyless, kernels)), { cleanupPolicy: 'delete' })).toBe(ERROR.NONE);
  expect(verdict(batchOf(), { cleanupPolicy: 'compact,delete' })).toBe(ERROR.NONE);
});

test('coordinators may write control batches and transactions', () => {
  const opened = new Opened();
  expect(opened.append(attributes(batch.TRANSACTIONAL_BIT), 0, 'coordinator').errorCode).toBe(ERROR.NONE);
});

test('whatever comes is answered by a code, and the log goes on', () => {
  const opened = new Opened({ config: { maxMessageBytes: 10_000 } });
  const base = batchOf({ count: 3, valueBytes: 20 }).bytes;
  const change = fc.tuple(fc.nat(base.length - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.nat(base.length), fc.boolean(), (changes, length, seal) => {
      const memory = memoryOver(base.slice(0, length));
      for (const [at, value] of changes) if (at < length) memory.bytes[at] = value;
      if (seal && length > batch.HEADER_BYTES) sealed(() => undefined, memory);
      const end = opened.log.logEndOffset;
      const { errorCode, endOffset } = opened.stage(memory);
      expect(opened.log.logEndOffset).toBe(errorCode === ERROR.NONE && endOffset > end ? endOffset : end);
      opened.log.write();
    }),
    { numRuns: 500 },
  );
  const end = opened.log.logEndOffset;
  expect(opened.append({ count: 2 }).baseOffset).toBe(end);
  expect(opened.kill().log.logEndOffset).toBe(end + 2);
});
