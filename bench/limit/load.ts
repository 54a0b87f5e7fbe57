/** The typed face of the load generator: options in, one measured result out. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileC } from '../kit/compile.ts';

export interface LoadResult {
  bytes: number;
  requests: number;
  seconds: number;
  megabytesPerSecond: number;
  requestsPerSecond: number;
  p50Us: number;
  p99Us: number;
  p999Us: number;
  largestUs: number;
  ownCpuSeconds: number;
  serverCpuSeconds: number;
  /** Of what was produced; 0 after fetching. */
  batchRecords: number;
  /** Behind the last record produced, of the longest partition. */
  endOffset: number;
}

/** Options of `load.c` by their names without the dashes; true for those without a value. */
export type LoadOptions = Record<string, string | number | true>;

const run = promisify(execFile);

export async function load(options: LoadOptions): Promise<LoadResult> {
  const program = compileC(fileURLToPath(new URL('load.c', import.meta.url)));
  const words = Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  );
  const { stdout } = await run(program, words);
  return JSON.parse(stdout) as LoadResult;
}

/** A topic of which every partition has been written to, once. */
export function loadTopic(port: number, topic: string, partitions: number): Promise<LoadResult> {
  return load({ port, topic, mode: 'produce', create: true, partitions, spread: partitions, requests: partitions });
}
