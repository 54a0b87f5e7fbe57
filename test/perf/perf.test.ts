/** The load tool as its users run it: a process beside a broker, JSON on its standard output, exit codes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PerfResult } from '../../src/perf/report.ts';
import { BrokerHome, TWO_BY_ONE } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { eventually } from '../kit/eventually.ts';
import { createTopic, fetch } from '../kit/requests.ts';

const HOOK = new URL('../kit/stripped/hook.mjs', import.meta.url).href;
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** It is interrupted when `until` resolves. */
async function perf(words: readonly string[], until?: Promise<unknown>): Promise<Ran> {
  const child = spawn(process.execPath, ['--import', HOOK, MAIN, 'perf', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const closed = once(child, 'close');
  void until?.then(() => child.kill('SIGINT'));
  const [code] = await closed;
  return { code, stdout, stderr };
}

const home = new BrokerHome(TWO_BY_ONE);
beforeAll(() => home.start());
afterAll(() => home.end());

async function measured(...words: string[]): Promise<PerfResult> {
  const { code, stdout, stderr } = await perf([...words, '--bootstrap', home.address, '--json']);
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

function expectOrder({ latency }: PerfResult): void {
  const { p50Us, p90Us, p99Us, p999Us, maxUs } = latency;
  const rising = [0, p50Us, p90Us, p99Us, p999Us, maxUs];
  expect(rising).toEqual(rising.toSorted((a, b) => a - b));
}

describe('odradek perf', () => {
  test('writes what is asked for, over all partitions, and reads it all', async () => {
    const topic = ['--topic', 'both'];
    const size = ['--record-size', '100', '--batch-size', '1KiB'];
    const load = ['--connections', '3', '--records', '900', '--create', '--partitions', '4'];
    const produced = await measured('produce', ...topic, ...size, ...load);
    expect(produced.batchRecords).toBe(8);
    expect(produced).toMatchObject({ mode: 'produce', requests: 113, records: 904, latency: { count: 113 } });
    expect(produced.problem).toBeNull();
    expectOrder(produced);
    const read = await measured('consume', ...topic, '--connections', '2', '--fetch-size', '4096');
    expect(read).toMatchObject({ mode: 'consume', records: 904, bytes: produced.bytes, connections: 2 });
    const part = await measured('consume', ...topic, '--records', '100');
    expect(part.records).toBeGreaterThanOrEqual(100);
  });

  test('keeps a rate, and measures from when a request was due', async () => {
    const words = ['--rate', '200', '--batch-size', '1', '--records', '40', '--create', '--topic', 'rate'];
    const paced = await measured('produce', ...words);
    expect(paced).toMatchObject({ requests: 40, records: 40, rate: 200, late: { count: 40 } });
    // The last is due 195 ms after the first, never earlier.
    expect(paced.seconds).toBeGreaterThanOrEqual(0.195);
    expect(paced.latency.maxUs).toBeGreaterThanOrEqual(paced.late?.maxUs ?? Number.NaN);
  });

  test('does not wait for answers that nobody gives', async () => {
    const produced = await measured('produce', '--topic', 'none', '--create', '--acks', '0', '--records', '500');
    expect(produced.records).toBeGreaterThanOrEqual(500);
  });

  test('measures from end to end, every record', async () => {
    const words = ['--topic', 'through', '--create', '--partitions', '2', '--connections', '2', '--warmup', '0.05'];
    const through = await measured('end-to-end', ...words, '--rate', '300', '--records', '60');
    expect(through).toMatchObject({ records: 60, latency: { count: 60 }, acknowledged: { count: 60 } });
    expectOrder(through);
  });

  test('says what was measured when it is interrupted', async () => {
    const client = await RawClient.connect(home.port);
    await createTopic(client, { name: 'cut' });
    const words = ['produce', '--topic', 'cut', '--rate', '100', '--batch-size', '1', '--duration', '600'];
    const { code, stdout } = await perf([...words, '--bootstrap', home.address, '--json'], written(client, 'cut'));
    await client.close();
    const result: PerfResult = JSON.parse(stdout);
    expect([code, result.interrupted]).toEqual([130, true]);
  });

  test('ends with what is wrong and a code that tells it', async () => {
    const at = ['--bootstrap', home.address];
    const [noTopic, noBroker, tooLarge, badWords, noKafka] = await Promise.all([
      perf(['produce', '--topic', 'missing', ...at]),
      perf(['produce', '--topic', 't', '--bootstrap', '127.0.0.1:1']),
      perf(['produce', '--topic', 'large', '--create', '--batch-size', '2MiB', '--json', ...at]),
      perf(['produce', '--topic', 't', '--rate', 'x']),
      withMute((port) => perf(['produce', '--topic', 't', '--bootstrap', `127.0.0.1:${port}`])),
    ]);
    expect(noTopic).toMatchObject({ code: 2, stderr: 'odradek: There is no topic missing: --create makes it.\n' });
    expect([noBroker.code, noBroker.stderr]).toEqual([1, expect.stringContaining('Is a broker running there?')]);
    expect([tooLarge.code, tooLarge.stderr]).toEqual([2, expect.stringContaining('MESSAGE_TOO_LARGE')]);
    expect((JSON.parse(tooLarge.stdout) as PerfResult).problem).toContain('MESSAGE_TOO_LARGE');
    expect([badWords.code, badWords.stderr]).toEqual([64, expect.stringContaining('--rate x does not do')]);
    expect([noKafka.code, noKafka.stderr]).toEqual([1, expect.stringContaining('is gone')]);
  });
});

/** Resolves when somebody has written to the topic. */
async function written(client: RawClient, topic: string): Promise<void> {
  await eventually(
    () => fetch(client, topic, { minBytes: 1, maxWaitMs: 1000 }),
    ({ batches }) => batches.length > 0,
  );
}

/** Something that hangs up on everybody. */
async function withMute<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as { port: number }).port);
  } finally {
    server.close();
  }
}
