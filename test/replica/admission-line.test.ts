/** A partition whose batches are opened elsewhere: nobody passes anybody, and memory is held until the write, no longer. */
import { expect, test } from 'vitest';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { openBatch } from '../../src/jobs/open-batch.ts';
import type { Opening } from '../../src/log/admission.ts';
import type { LogConfig } from '../../src/log/config.ts';
import type { Applicant } from '../../src/replica/admission-line.ts';
import { Partition } from '../../src/replica/partition.ts';
import type { PartitionDesk } from '../../src/replica/partition-desk.ts';
import { PublishedPartitions, SLOT_BYTES } from '../../src/replica/published.ts';
import { CODEC } from '../../src/wire/batch.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { batchOf, readBatches } from '../kit/records.ts';
import { NOW } from '../log/fixture.ts';
import { Opened } from '../log/opened.ts';

class Desk implements PartitionDesk {
  readonly published = new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES));
  readonly groupCommit = false;
  readonly fullValidation = false;
  readonly opening: { readonly applicant: Applicant; readonly opening: Opening }[] = [];
  /** Part and base offset, or part and error. */
  readonly answers: (readonly [part: number, what: string])[] = [];
  readonly released: Memory[] = [];

  appended(_asker: number, _operation: number, part: number, error: number, base: number): void {
    this.answers.push([part, error === ERROR.NONE ? `at ${base}` : `error ${error}`]);
  }

  refused(_asker: number, _operation: number, part: number, error: number): void {
    this.answers.push([part, `error ${error}`]);
  }

  open(_partition: Partition, applicant: Applicant, opening: Opening): void {
    this.opening.push({ applicant, opening });
  }

  release(memory: Memory): void {
    this.released.push(memory);
  }

  advanced(): void {}
  sync(): void {}
  offline(): void {}
}

class Line {
  readonly desk = new Desk();
  readonly opened: Opened;
  readonly partition: Partition;
  #parts = 0;

  constructor(config: Partial<LogConfig>) {
    this.opened = new Opened({ config });
    this.partition = new Partition(0, this.opened.log, 0, this.desk);
  }

  send(codec: number, value: string): void {
    const record = { timestamp: NOW, key: null, value: new TextEncoder().encode(value) };
    const bytes = batchOf([record], codec === CODEC.NONE ? {} : { codec });
    const memory = memoryOver(new Uint8Array(new SharedArrayBuffer(bytes.length)));
    memory.bytes.set(bytes);
    this.partition.append(memory, 0, bytes.length, -1, NOW, 0, 0, this.#parts++);
  }

  /** What the pool does with the n-th batch that it was given. */
  done(which: number): void {
    const { applicant, opening } = this.desk.opening[which] as Desk['opening'][number];
    const { memory, offset, length } = applicant;
    const made = openBatch({ memory: memory.bytes.buffer as SharedArrayBuffer, offset, length, opening });
    applicant.verdict = made.error;
    applicant.made = made.bytes === null ? null : memoryOver(new Uint8Array(made.bytes));
    this.partition.admit(NOW);
  }

  stored(): (readonly [codec: number, value: string])[] {
    const memory = this.opened.read(0);
    return readBatches(memory, 0, memory.bytes.length).map(({ codec, records }) => [
      codec,
      new TextDecoder().decode(records[0]?.value ?? undefined),
    ]);
  }
}

test('batches enter in the order they came, whichever is opened first', () => {
  const line = new Line({ compressionType: 'zstd' });
  line.send(CODEC.ZSTD, 'a');
  line.send(CODEC.GZIP, 'b');
  line.send(CODEC.ZSTD, 'c');
  line.send(CODEC.NONE, 'd');
  expect(line.desk.opening).toHaveLength(2);
  line.done(1);
  line.partition.settle(NOW);
  expect(line.desk.answers, 'only the first one was not behind another').toEqual([[0, 'at 0']]);
  expect(line.partition.quiet).toBe(false);
  line.done(0);
  expect(line.desk.released, 'not before they are written').toEqual([]);
  line.partition.settle(NOW);
  expect(line.desk.answers).toEqual([0, 1, 2, 3].map((part) => [part, `at ${part}`]));
  expect(line.desk.released).toHaveLength(2);
  expect(line.partition.quiet).toBe(true);
  expect(line.stored().map(([codec]) => codec)).toEqual(Array(4).fill(CODEC.ZSTD));
  expect(line.stored().map(([, value]) => value)).toEqual(['a', 'b', 'c', 'd']);
});

test('batches on their way when the setting changes are stored as it was when they came', () => {
  const line = new Line({ compressionType: 'gzip' });
  line.send(CODEC.NONE, 'a');
  line.partition.log.config = { ...line.partition.log.config, compressionType: 'lz4' };
  line.send(CODEC.NONE, 'b');
  line.partition.log.config = { ...line.partition.log.config, compressionType: 'producer' };
  line.send(CODEC.SNAPPY, 'c');
  line.done(1);
  line.done(0);
  line.partition.settle(NOW);
  expect(line.stored()).toEqual([
    [CODEC.GZIP, 'a'],
    [CODEC.LZ4, 'b'],
    [CODEC.SNAPPY, 'c'],
  ]);
});

test('what was made and is not stored is let go at once', () => {
  const line = new Line({ compressionType: 'zstd' });
  line.send(CODEC.GZIP, 'a');
  line.partition.log.config = { ...line.partition.log.config, maxMessageBytes: 62 };
  line.done(0);
  expect(line.desk.answers).toEqual([[0, `error ${ERROR.MESSAGE_TOO_LARGE}`]]);
  expect(line.desk.released).toHaveLength(1);
  expect(line.partition.quiet).toBe(true);
});

test('a disk that fails lets go of what was made, too', () => {
  const line = new Line({ compressionType: 'zstd' });
  line.send(CODEC.GZIP, 'a');
  line.done(0);
  line.opened.disk.kill();
  line.partition.settle(NOW);
  expect(line.desk.answers).toEqual([[0, `error ${ERROR.KAFKA_STORAGE_ERROR}`]]);
  expect(line.desk.released).toHaveLength(1);
});

test('a header that is refused is refused before anything is opened', () => {
  const line = new Line({ compressionType: 'zstd', maxMessageBytes: 62 });
  line.send(CODEC.GZIP, 'a');
  expect(line.desk.opening).toEqual([]);
  expect(line.desk.answers).toEqual([[0, `error ${ERROR.MESSAGE_TOO_LARGE}`]]);
});
