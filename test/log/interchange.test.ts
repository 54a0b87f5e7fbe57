/**
 * A partition that Apache Kafka wrote: read as it is, made anew from its log files alone, and appended batch by batch; each
 * time every file must come out byte for byte as Kafka has it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { readText } from '../../src/log/checkpoint.ts';
import type { LogConfig } from '../../src/log/config.ts';
import { PARTITION_METADATA } from '../../src/log/names.ts';
import { PartitionLog } from '../../src/log/partition-log.ts';
import { parsePartitionMetadata } from '../../src/log/partition-metadata.ts';
import type { AppendResult } from '../../src/log/validation.ts';
import * as batch from '../../src/wire/batch.ts';
import { SimulatedDisk } from '../sim/disk.ts';
import { config, environment } from './fixture.ts';

const GOLDEN = new URL('golden/walls-0/', import.meta.url);
const DIRECTORY = '/data/walls-0';
const END_OFFSET = 342;
const LAST_SNAPSHOT = '00000000000000000342.snapshot';
const golden = new Map(readdirSync(GOLDEN).map((name) => [name, new Uint8Array(readFileSync(new URL(name, GOLDEN)))]));
const topicId = parsePartitionMetadata(new TextDecoder().decode(golden.get(PARTITION_METADATA))) as string;
const SETTINGS = { segmentBytes: 5_000, indexIntervalBytes: 300, segmentIndexBytes: 4_096 };

let disk: SimulatedDisk;

beforeEach(() => {
  disk = new SimulatedDisk();
  disk.makeDirectory('/data');
});

function put(keeps: (name: string) => boolean): void {
  for (const [name, bytes] of golden) if (keeps(name)) disk.put(`${DIRECTORY}/${name}`, bytes);
}

function open(cleanShutdown: boolean, now: number, settings: Partial<LogConfig> = {}): PartitionLog {
  return PartitionLog.open({
    ...environment(disk),
    directory: DIRECTORY,
    topic: 'walls',
    partition: 0,
    topicId,
    config: config({ ...SETTINGS, ...settings }),
    cleanShutdown,
    recoveryPoint: cleanShutdown ? END_OFFSET : 0,
    logStartOffset: 0,
    now,
  });
}

/** The clock when Kafka wrote it: later than every record, before any limit. */
function goldenNow(): number {
  const bytes = golden.get('00000000000000000275.log') as Uint8Array;
  return batch.maxTimestamp(new DataView(bytes.buffer, bytes.byteOffset), 0) + 10_000;
}

function expectGolden(expected = Array.from(golden.keys())): void {
  expect(disk.list(DIRECTORY).sort()).toEqual(expected.sort());
  for (const name of expected) expect(disk.bytesOf(`${DIRECTORY}/${name}`), name).toEqual(golden.get(name));
}

test('closed cleanly, it is taken as it is', () => {
  put(() => true);
  const log = open(true, goldenNow());
  expect([log.logStartOffset, log.logEndOffset, log.segmentCount]).toEqual([0, END_OFFSET, 4]);
  expect(log.producerCount).toBe(4);
  expect(log.epochs.latest).toBe(0);
  expect(readText(disk, `${DIRECTORY}/leader-epoch-checkpoint`)).toBe('0\n1\n0 0\n');
  log.close();
  expectGolden();
});

test('from the log files alone, all others are made anew', () => {
  put((name) => name.endsWith('.log'));
  open(false, goldenNow()).close();
  // The producers as they were between segments are not wanted again: a snapshot at the end covers them.
  expectGolden(Array.from(golden.keys()).filter((name) => !name.endsWith('.snapshot') || name === LAST_SNAPSHOT));
});

test('killed, with indexes still preallocated and a torn batch at the end', () => {
  put((name) => name !== LAST_SNAPSHOT);
  const active = '00000000000000000275';
  const whole = golden.get(`${active}.log`) as Uint8Array;
  const torn = new Uint8Array(whole.length + 100);
  torn.set(whole);
  torn.set(whole.subarray(0, 100), whole.length);
  disk.put(`${DIRECTORY}/${active}.log`, torn);
  for (const [suffix, bytes] of [
    ['.index', 4_096],
    ['.timeindex', 4_092],
  ] as const) {
    disk.put(`${DIRECTORY}/${active}${suffix}`, new Uint8Array(bytes));
  }
  open(false, goldenNow()).close();
  expectGolden();
});

test.each(['all of a segment in one go', 'each batch for itself'])('copied from the leader, %s', (way) => {
  const now = goldenNow();
  const log = open(true, now);
  const result: AppendResult = { errorCode: 0, baseOffset: -1, endOffset: -1, logAppendTime: -1, duplicate: false };
  for (const [name, bytes] of golden) {
    if (!name.endsWith('.log')) continue;
    const memory = memoryOver(bytes.slice());
    for (let at = 0; at < bytes.length; ) {
      const length = way.startsWith('all') ? bytes.length : batch.sizeInBytes(memory.view, at);
      log.stage(memory, at, length, 0, now, result, 'replica');
      expect(result.errorCode).toBe(0);
      at += length;
    }
    log.write();
  }
  expect(log.logEndOffset).toBe(END_OFFSET);
  log.close();
  expectGolden();
});
