/**
 * Produce 0 to 2, which Kafka's own classes do not write any more: bytes put together by hand from the protocol's layout.
 *
 *   request    acks int16 | timeout int32 | topics: name, partitions: index int32, records (int32 length and bytes)
 *   response   topics: name, partitions: index int32, error int16, base offset int64, from v2 log append time int64
 *              from v1 throttle time int32 behind them
 */
import { expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { requestReader, responseWriter } from '../../src/wire/compiler.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { Reader } from '../../src/wire/reader.ts';
import { isAnnounced, isServed } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';

const REQUEST = [
  'ffff 00001388 00000001',
  '0003 616263 00000002',
  '00000000 00000004 01020304',
  '00000007 ffffffff',
].join('');

const ANSWERS = [
  '00000001 0003 616263 00000001 00000007 0023 ffffffffffffffff',
  '00000001 0003 616263 00000001 00000007 0023 ffffffffffffffff 00000000',
  '00000001 0003 616263 00000001 00000007 0023 ffffffffffffffff ffffffffffffffff 00000000',
].map((hex) => hex.replaceAll(' ', ''));

test.each([0, 1, 2])('version %i is read and answered in its own layout', (version) => {
  const bytes = new Uint8Array(Buffer.from(REQUEST.replaceAll(' ', ''), 'hex'));
  const reader = new Reader();
  reader.reset(memoryOver(bytes), 0, bytes.length);
  const request = requestReader(Produce, version)(reader);
  reader.expectEnd('Produce');
  expect(request).toMatchObject({ transactionalId: null, acks: -1, timeoutMs: 5_000 });
  expect(request.topicData.map(({ name, partitionData }) => [name, partitionData])).toEqual([
    [
      'abc',
      [
        { index: 0, records: expect.objectContaining({ offset: 27, length: 4 }) },
        { index: 7, records: null },
      ],
    ],
  ]);
  const writer = new Writer();
  const refused = { index: 7, errorCode: 35, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1 };
  const partitionResponses = [{ ...refused, recordErrors: [], errorMessage: null }];
  const responses = [{ name: 'abc', topicId: '\0'.repeat(16), partitionResponses }];
  responseWriter(Produce, version)(writer, { responses, throttleTimeMs: 0 });
  expect(Buffer.from(writer.memory.bytes.subarray(0, writer.writtenBytes)).toString('hex')).toBe(ANSWERS[version]);
});

test('they are announced, and not served', () => {
  expect([-1, 0, 2, 3, 13, 14].map((version) => isAnnounced(Produce, version))).toEqual([
    false,
    true,
    true,
    true,
    true,
    false,
  ]);
  expect([0, 2, 3].map((version) => isServed(Produce, version))).toEqual([false, false, true]);
});
