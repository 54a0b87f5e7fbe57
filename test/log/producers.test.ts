import { expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { PRODUCER_ID_EXPIRATION_MS } from '../../src/log/config.ts';
import { decodeSnapshot, encodeSnapshot } from '../../src/log/producer-snapshot.ts';
import { type Producer, sequenceAfter } from '../../src/log/producers.ts';
import * as batch from '../../src/wire/batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { encodeBatch } from '../../src/wire/records.ts';
import { batchOf, DIRECTORY, kernels, NOW } from './fixture.ts';
import { Opened } from './opened.ts';

function from(baseSequence: number, count = 1, producerEpoch = 0, producerId = 9) {
  return { producerId, producerEpoch, baseSequence, count };
}

const SEQUENCE_LAST = 0x7fffffff;

test('the last five batches of a producer are known again', () => {
  const opened = new Opened();
  for (let i = 0; i < 7; i++) opened.append(from(i * 3, 3));
  for (let i = 2; i < 7; i++) {
    expect(opened.stage(from(i * 3, 3))).toMatchObject({
      errorCode: ERROR.NONE,
      duplicate: true,
      baseOffset: i * 3,
      endOffset: i * 3 + 3,
      logAppendTime: -1,
    });
  }
  expect(opened.stage(from(0, 3)).errorCode).toBe(ERROR.DUPLICATE_SEQUENCE_NUMBER);
  expect(opened.stage(from(3, 3)).errorCode).toBe(ERROR.DUPLICATE_SEQUENCE_NUMBER);
  expect(opened.stage(from(18, 2)).errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
  expect(opened.stage(from(19, 3)).errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
  expect(opened.stage(from(22)).errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
  expect(opened.log.logEndOffset).toBe(21);
  expect(opened.append(from(21)).baseOffset).toBe(21);
});

test('a repetition that is staged and not yet written is a repetition', () => {
  const opened = new Opened();
  opened.stage(from(0, 2));
  expect(opened.stage(from(0, 2))).toMatchObject({ duplicate: true, baseOffset: 0, endOffset: 2 });
  expect(opened.stage(from(2, 2))).toMatchObject({ duplicate: false, baseOffset: 2 });
  opened.log.write();
  expect(opened.log.endPosition.offset).toBe(4);
});

test('a producer nobody knows may begin anywhere, a new epoch begins at 0, an old one is fenced', () => {
  const opened = new Opened();
  expect(opened.append(from(500, 1, 3)).baseOffset).toBe(0);
  expect(opened.stage(from(501, 1, 2)).errorCode).toBe(ERROR.INVALID_PRODUCER_EPOCH);
  expect(opened.stage(from(501, 1, 4)).errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
  expect(opened.append(from(0, 1, 4)).baseOffset).toBe(1);
  expect(opened.stage(from(501, 1, 3)).errorCode).toBe(ERROR.INVALID_PRODUCER_EPOCH);
  expect(opened.stage(from(500, 1, 4)).errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
});

test('sequences begin again behind 2^31 - 1, also in the middle of a batch', () => {
  expect(sequenceAfter(SEQUENCE_LAST, 1)).toBe(0);
  const opened = new Opened();
  opened.append(from(SEQUENCE_LAST - 4, 3));
  opened.append(from(SEQUENCE_LAST - 1, 5));
  expect(opened.stage(from(SEQUENCE_LAST - 1, 5))).toMatchObject({ duplicate: true, baseOffset: 3, endOffset: 8 });
  expect(opened.append(from(3, 1)).baseOffset).toBe(8);
  expect(opened.stage(from(SEQUENCE_LAST - 9, 5)).errorCode).toBe(ERROR.DUPLICATE_SEQUENCE_NUMBER);
});

test('producers do not know of each other', () => {
  const opened = new Opened();
  for (let i = 0; i < 5; i++) for (let id = 0; id < 20; id++) opened.append(from(i, 1, 0, id));
  for (let id = 0; id < 20; id++) {
    expect(opened.stage(from(3, 1, 0, id))).toMatchObject({ duplicate: true, baseOffset: 60 + id });
  }
});

test('what is known survives a clean end, a crash, and a move', () => {
  const opened = new Opened({ config: { segmentBytes: 600 } });
  for (let i = 0; i < 12; i++) opened.append(from(i));
  const killed = opened.kill({ config: { segmentBytes: 600 } });
  expect(killed.stage(from(11))).toMatchObject({ duplicate: true, baseOffset: 11 });
  expect(killed.stage(from(13)).errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
  killed.append(from(12));
  const clean = killed.reopen({ config: { segmentBytes: 600 } });
  expect(clean.stage(from(12))).toMatchObject({ duplicate: true, baseOffset: 12 });
  expect(clean.stage(from(8)).errorCode).toBe(ERROR.DUPLICATE_SEQUENCE_NUMBER);
  expect(clean.append(from(13)).baseOffset).toBe(13);
});

test('a damaged snapshot is passed over for an older one', () => {
  const opened = new Opened({ config: { segmentBytes: 600 } });
  for (let i = 0; i < 12; i++) opened.append(from(i));
  const again = opened.reopen();
  again.log.close();
  const newest = again.names('.snapshot').at(-1) as string;
  expect(newest).toBe('00000000000000000012.snapshot');
  const bytes = again.disk.bytesOf(`${DIRECTORY}/${newest}`);
  bytes[20] = (bytes[20] as number) ^ 1;
  again.disk.put(`${DIRECTORY}/${newest}`, bytes);
  const after = again.kill({ cleanShutdown: true });
  expect(after.stage(from(11))).toMatchObject({ duplicate: true, baseOffset: 11 });
  expect(after.names('.snapshot')).not.toContain(newest);
});

test('silent producers are forgotten, those with an open transaction are not', () => {
  const opened = new Opened();
  opened.append(from(0));
  opened.append({ ...from(0, 1, 0, 10), transactional: true }, 0, 'coordinator');
  opened.log.expireProducers(NOW + PRODUCER_ID_EXPIRATION_MS - 1);
  expect(opened.log.producerCount).toBe(2);
  opened.log.expireProducers(NOW + PRODUCER_ID_EXPIRATION_MS);
  expect(opened.log.producerCount).toBe(1);
  expect(opened.append(from(77)).errorCode).toBe(ERROR.NONE);
});

test('a transaction is open until its end is written', () => {
  const opened = new Opened();
  opened.append({ ...from(0), transactional: true }, 0, 'coordinator');
  expect(opened.stage(from(1)).errorCode).toBe(ERROR.INVALID_TXN_STATE);
  const key = Uint8Array.of(0, 0, 0, 1);
  const value = Uint8Array.of(0, 0, 0, 0, 0, 3);
  const marker = {
    records: [{ timestamp: NOW, key, value }],
    producerId: 9,
    producerEpoch: 0,
    transactional: true,
    control: true,
  };
  opened.append(memoryOver(encodeBatch(marker, kernels)), 0, 'coordinator');
  const after = opened.kill();
  for (const each of [opened, after]) expect(each.stage(from(1)).errorCode).toBe(ERROR.NONE);
});

test('the end of a transaction fences: the next batch of its epoch is the first', () => {
  const opened = new Opened();
  opened.append({ ...from(0), transactional: true }, 0, 'coordinator');
  const records = [{ timestamp: NOW, key: Uint8Array.of(0, 0, 0, 0), value: Uint8Array.of(0, 0, 0, 0, 0, 3) }];
  const marker = { records, producerId: 9, producerEpoch: 1, transactional: true, control: true };
  opened.append(memoryOver(encodeBatch(marker, kernels)), 0, 'coordinator');
  for (const each of [opened, opened.kill()]) {
    expect(each.stage(from(1, 1, 0)).errorCode).toBe(ERROR.INVALID_PRODUCER_EPOCH);
    expect(each.stage(from(1, 1, 1)).errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(each.stage(from(0, 1, 1)).errorCode).toBe(ERROR.NONE);
  }
});

test('snapshots have the bytes that Kafka writes', () => {
  const scratch = memoryOver(new Uint8Array(64));
  const producers: Producer[] = [
    {
      id: 0x1_0000_0002,
      epoch: 3,
      coordinatorEpoch: -1,
      lastTimestamp: NOW,
      transactionStart: -1,
      batches: [{ lastSequence: 41, lastOffset: 99, offsetDelta: 4, timestamp: NOW }],
    },
    { id: 7, epoch: 0, coordinatorEpoch: 5, lastTimestamp: -1, transactionStart: 12, batches: [] },
  ];
  const bytes = encodeSnapshot(producers, 2, kernels, scratch);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const timestamp = NOW.toString(16).padStart(16, '0');
  expect(hex.slice(0, 4)).toBe('0001');
  expect(hex.slice(12)).toBe(
    `00000002${'0000000100000002'}0003${'00000029'}${'0000000000000063'}00000004${timestamp}ffffffff${'f'.repeat(16)}` +
      `${'0000000000000007'}0000${'ffffffff'}${'f'.repeat(16)}00000000${'f'.repeat(16)}00000005${'000000000000000c'}`,
  );
  const crcView = new DataView(bytes.buffer);
  expect(crcView.getUint32(2)).toBe(kernels.crc32c(memoryOver(bytes), 6, bytes.length - 6));
  expect(decodeSnapshot(bytes, kernels, scratch)).toEqual(producers);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] as number) ^ 0x10;
    expect(decodeSnapshot(damaged, kernels, scratch)).toBeNull();
    expect(decodeSnapshot(bytes.slice(0, at), kernels, scratch)).toBeNull();
  }
});

test('a batch of a producer carries its sequence as it was sent', () => {
  const opened = new Opened();
  opened.append(from(0, 4));
  const { view } = opened.read(0);
  expect([batch.producerId(view, 0), batch.producerEpoch(view, 0), batch.baseSequence(view, 0)]).toEqual([9, 0, 0]);
  expect(batchOf(from(0, 4)).bytes.length).toBe(batch.sizeInBytes(view, 0));
});
