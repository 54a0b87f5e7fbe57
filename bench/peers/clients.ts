/** Clients from outside of this repository's benches, the same for both brokers: kcat (librdkafka) and the load tool of the command line. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PerfResult } from '../../src/perf/report.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const RECORD_BYTES = 1024;
const LINES_AT_ONCE = 1024;

const run = promisify(execFile);

/** A file of so many records, one to a line, for kcat to send. */
export function recordsFile(directory: string, records: number): string {
  const path = join(directory, `records-${records}`);
  if (existsSync(path)) return path;
  const lines = Buffer.from(`${'x'.repeat(RECORD_BYTES)}\n`.repeat(LINES_AT_ONCE));
  const file = openSync(path, 'wx');
  for (let at = 0; at < records; at += LINES_AT_ONCE)
    writeSync(file, lines, 0, Math.min(LINES_AT_ONCE, records - at) * (RECORD_BYTES + 1));
  closeSync(file);
  return path;
}

/** MB/s of the records, from kcat's start to its end; what it prints goes nowhere. */
async function kcat(records: number, words: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const child = spawn('kcat', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (complaints = (complaints + text).slice(-2000)));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`kcat ${words.join(' ')} ended with ${code}: ${complaints}`);
  return (records * RECORD_BYTES) / 1e3 / (performance.now() - startMs);
}

export function kcatProduce(port: number, topic: string, records: number, file: string): Promise<number> {
  const words = ['-P', '-b', `127.0.0.1:${port}`, '-t', topic, '-p', '0', '-X', 'acks=all', '-X', 'linger.ms=5'];
  return kcat(records, [...words, '-l', file]);
}

export function kcatConsume(port: number, topic: string, records: number): Promise<number> {
  const words = ['-C', '-q', '-b', `127.0.0.1:${port}`, '-t', topic, '-p', '0', '-o', 'beginning'];
  return kcat(records, [...words, '-c', String(records)]);
}

export async function perf(port: number, ...words: string[]): Promise<PerfResult> {
  const all = [MAIN, 'perf', ...words, '--bootstrap', `127.0.0.1:${port}`, '--json'];
  const { stdout } = await run(process.execPath, all, { maxBuffer: 16 << 20 });
  return JSON.parse(stdout);
}
