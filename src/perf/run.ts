/** `odradek perf` as a process: options, the topic, the load, what it measured, and an exit code. Ctrl+C ends the load early. */
import { randomBytes } from 'node:crypto';
import { Batches, MARK_BYTES } from './batches.ts';
import type { Connection } from './connection.ts';
import { consume } from './consume-load.ts';
import { endToEnd } from './end-to-end-load.ts';
import { type Lane, lanePlans, openLanes } from './lanes.ts';
import { Measurement } from './measurement.ts';
import { PERF_USAGE, type PerfOptions, parsePerf } from './options.ts';
import { EXIT_INTERRUPTED, PerfProblem } from './problem.ts';
import { produce } from './produce-load.ts';
import { progressText, resultOf, resultText } from './report.ts';
import { createTopic, leadersOf, openFirst } from './topic.ts';

const PROGRESS_TTY_MS = 1000;
const PROGRESS_MS = 5000;
const CLEAR_LINE = '\r\x1b[2K';

/** A second Ctrl+C ends the process at once. */
export async function perf(words: readonly string[]): Promise<number> {
  const options = parsePerf(words);
  if (options === null) {
    process.stdout.write(PERF_USAGE);
    return 0;
  }
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  try {
    return await load(options, interruption.signal);
  } catch (problem) {
    if (!(problem instanceof PerfProblem)) throw problem;
    for (const line of problem.message.split('\n')) process.stderr.write(`odradek: ${line}\n`);
    return problem.exitCode;
  }
}

async function load(options: PerfOptions, interrupted: AbortSignal): Promise<number> {
  const { mode, topic, connections } = options;
  const control = await openFirst(options.bootstrap);
  const led = await topicOf(control, options);
  const writers = mode === 'consume' ? [] : await openLanes(lanePlans(led, connections, true));
  const readers = mode === 'produce' ? [] : await openLanes(lanePlans(led, connections, false));
  const lanes = [...writers, ...readers];
  const measurement = new Measurement();
  const batches = new Batches(options.recordBytes, options.batchBytes, Date.now(), randomBytes(MARK_BYTES));
  const cpuBefore = process.cpuUsage();
  const stopProgress = showProgress(measurement);
  let problem: PerfProblem | null = null;
  try {
    await run(options, writers, readers, measurement, batches, interrupted);
  } catch (error) {
    if (!(error instanceof PerfProblem)) throw error;
    problem = error;
  } finally {
    stopProgress();
    for (const { connection } of lanes) connection.close();
    control.close();
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const result = resultOf(options, measurement, {
    ownCpuSeconds: (user + system) / 1e6,
    batchRecords: batches.records,
    connections: lanes.length,
    interrupted: interrupted.aborted,
    problem: problem?.message ?? null,
  });
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : resultText(result));
  if (problem !== null) throw problem;
  if (mode === 'consume' && result.records === 0 && !interrupted.aborted)
    process.stderr.write(`odradek: ${topic} had nothing to read.\n`);
  return interrupted.aborted ? EXIT_INTERRUPTED : 0;
}

async function topicOf(control: Connection, options: PerfOptions) {
  const { topic, create, partitions } = options;
  try {
    if (create) await createTopic(control, topic, { partitions });
    return await leadersOf(control, topic, create);
  } catch (problem) {
    control.close();
    throw problem;
  }
}

function run(
  options: PerfOptions,
  writers: readonly Lane[],
  readers: readonly Lane[],
  measurement: Measurement,
  batches: Batches,
  interrupted: AbortSignal,
): Promise<void> {
  if (options.mode === 'produce') return produce(writers, options, measurement, batches, interrupted);
  if (options.mode === 'consume') return consume(readers, options, measurement, interrupted);
  return endToEnd(writers, readers, options, measurement, batches, interrupted);
}

/** On a terminal one line that changes, elsewhere a line every few seconds; standard output stays for the result. */
function showProgress(measurement: Measurement): () => void {
  const { stderr } = process;
  const began = performance.now();
  const show = (): void => {
    const nowMs = performance.now();
    const window = measurement.window(nowMs);
    const text = window === null ? 'warming up' : progressText((nowMs - began) / 1000, window);
    stderr.write(stderr.isTTY ? `${CLEAR_LINE}${text}` : `${text}\n`);
  };
  const timer = setInterval(show, stderr.isTTY ? PROGRESS_TTY_MS : PROGRESS_MS);
  return () => {
    clearInterval(timer);
    if (stderr.isTTY) stderr.write(CLEAR_LINE);
  };
}
