/** Kafka's own tools on records: producing, reading, offsets, deletion, and its dump tool on every file we write. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import { kcatOk } from '../kit/kcat.ts';
import { javaClass, javaFile, type ToolName, tool, toolOk } from './tool.ts';

const home = new BrokerHome(ONE_THREAD, { settings: { 'log.segment.bytes': '1048576' } });
beforeAll(() => home.start());
afterAll(() => home.end());

const server = () => ['--bootstrap-server', home.address];
const run = (name: ToolName, ...words: string[]) => toolOk(name, [...server(), ...words]);

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

function lines(count: number, bytes: number): string {
  return Array.from({ length: count }, (_, index) => `${String(index).padStart(bytes - 1, '0')}\n`).join('');
}

describe('producing and reading', () => {
  test('console producer, console consumer from an offset', async () => {
    await toolOk(
      'console-producer',
      [...server(), '--topic', 'talk', '--reader-property', 'parse.key=true'],
      'a\tone\nb\ttwo\nc\tthree\n',
    );
    const words = [
      '--topic',
      'talk',
      '--partition',
      '0',
      '--offset',
      '1',
      '--max-messages',
      '2',
      '--formatter-property',
      'print.key=true',
    ];
    expect(await run('console-consumer', ...words)).toBe('b\ttwo\nc\tthree\n');
  });

  test('producer-perf-test takes every record and answers each', async () => {
    const words = ['--topic', 'perf', '--num-records', '20000', '--record-size', '100', '--throughput', '-1'];
    const text = await toolOk('producer-perf-test', [...words, ...server(), '--command-property', 'acks=all']);
    expect(text).toMatch(/^20000 records sent/m);
    expect(await run('get-offsets', '--topic', 'perf')).toBe('perf:0:20000\n');
  });

  test('the Java consumer, with assign, reads every record of every codec', async () => {
    for (const codec of CODECS) {
      const words = [
        '--topic',
        `read-${codec}`,
        '--num-records',
        '20000',
        '--record-size',
        '100',
        '--throughput',
        '-1',
      ];
      await toolOk('producer-perf-test', [...words, ...server(), '--command-property', `compression.type=${codec}`]);
      const { stdout } = await javaFile('ReadAssigned.java', [home.address, `read-${codec}`, '0']);
      expect(stdout).toBe('records=20000 bytes=2000000 gaps=0\n');
    }
  });

  test('verifiable producer: all acknowledged', async () => {
    const text = await run('verifiable-producer', '--topic', 'verified', '--max-messages', '500');
    expect(text).toMatch(/"name":"tool_data".*"sent":500.*"acked":500|"acked":500/);
  });

  test('transactions describe-producers shows an idempotent producer', async () => {
    const text = await run('transactions', 'describe-producers', '--topic', 'perf', '--partition', '0');
    expect(text).toMatch(/ProducerId\s+ProducerEpoch\s+LatestCoordinatorEpoch\s+LastSequence/);
    expect(text).toMatch(/^\d+\s+0\s+-1\s+19999\s+\d+/m);
  });

  test('a transactional producer is told to stop at once', async () => {
    const words = [
      '--topic',
      'never',
      '--num-records',
      '10',
      '--record-size',
      '10',
      '--throughput',
      '-1',
      '--transactional-id',
      'tx',
    ];
    const { stdout, stderr, code } = await tool('producer-perf-test', [...words, ...server()]);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/TransactionalIdAuthorization|Transactional Id authorization|UnsupportedVersion/);
  });
});

describe('offsets', () => {
  test('get-offsets: latest, earliest, largest timestamp, a moment', async () => {
    for (const line of ['one', 'two', 'three']) await kcatOk(['-P', '-b', home.address, '-t', 'moments'], `${line}\n`);
    const at = async (time: string) => (await run('get-offsets', '--topic', 'moments', '--time', time)).trim();
    expect(await at('-1')).toBe('moments:0:3');
    expect(await at('-2')).toBe('moments:0:0');
    expect(await at('-3')).toBe('moments:0:2');
    expect(await at('0')).toBe('moments:0:0');
  });

  test('delete-records moves the start', async () => {
    await kcatOk(['-P', '-b', home.address, '-t', 'short'], lines(10, 10));
    const file = join(home.directory, 'offsets.json');
    writeFileSync(file, JSON.stringify({ partitions: [{ topic: 'short', partition: 0, offset: 4 }], version: 1 }));
    expect(await run('delete-records', '--offset-json-file', file)).toMatch(/short-0\s+low_watermark: 4/);
    expect((await run('get-offsets', '--topic', 'short', '--time', '-2')).trim()).toBe('short:0:4');
  });
});

describe('dump-log', () => {
  test('reads every file of a partition', async () => {
    for (const codec of CODECS) {
      const words = ['--topic', 'dumped', '--num-records', '20000', '--record-size', '150', '--throughput', '-1'];
      await toolOk('producer-perf-test', [...words, ...server(), '--command-property', `compression.type=${codec}`]);
    }
    await home.stop();
    const directory = join(home.directory, 'dumped-0');
    const files = readdirSync(directory).filter((name) => /\.(?:log|index|timeindex|snapshot)$/.test(name));
    expect(files.filter((name) => name.endsWith('.log')).length).toBeGreaterThan(2);
    expect(files.some((name) => name.endsWith('.snapshot'))).toBe(true);
    const paths = files.map((name) => join(directory, name)).join(',');
    const text = await toolOk('dump-log', ['--deep-iteration', '--files', paths]);
    for (const codec of CODECS) expect(text).toContain(`compresscodec: ${codec}`);
    const offsets = Array.from(text.matchAll(/^\| offset: (\d+) /gm), ([, offset]) => Number(offset));
    expect(offsets).toHaveLength(100_000);
    expect(text).not.toMatch(/Found invalid messages|mismatch|isvalid: false|Exception|out of order/i);
    const sane = await toolOk('dump-log', ['--index-sanity-check', '--files', paths]);
    expect(sane).toMatch(/passed sanity check/);
    await home.start();
  });
});

test('the classes of Kafka are there', async () => {
  const { stdout } = await javaClass('org.apache.kafka.tools.TopicCommand', ['--version']);
  expect(stdout).toMatch(/^4\.|^3\./);
});
