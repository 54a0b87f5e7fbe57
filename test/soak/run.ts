/**
 * The soak: mixed load on one broker for half an hour, or as long as `--minutes` says. Samples what it takes and how fast it
 * answers, window by window, and ends with code 1 when one of these is not flat or the load found something wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { digits } from '../../bench/kit/statistics.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { type Bounds, flatness, quantile } from './flatness.ts';
import { KINDS, SoakLoad } from './load.ts';
import { SoakedBroker } from './soaked-broker.ts';

const MINUTES = 30;
const WINDOWS = 60;
const POOL_SIZE = 2;
/** Of the windows, in which caches fill and code gets warm. */
const WARM_UP_SHARE = 0.2;
const SAMPLES_PER_WINDOW = 10;

const MEMORY: Bounds = { ratioMax: 1.1, moreMax: 16 };
const LATENCY: Bounds = { ratioMax: 1.5, moreMax: 10 };
const COUNT: Bounds = { ratioMax: 1.1, moreMax: 32 };
const KB: Bounds = { ratioMax: 1.5, moreMax: 4_096 };

function boundsOf(name: string): Bounds {
  if (name.endsWith('MB')) return MEMORY;
  if (name.endsWith('ms')) return LATENCY;
  return name.endsWith('KB') ? KB : COUNT;
}

type Sample = Readonly<Record<string, number>>;

/** What the window's latencies were, and the most that was seen in it of what comes and goes. */
async function window(broker: SoakedBroker, load: SoakLoad, windowMs: number): Promise<Sample> {
  let intakeKb = 0;
  let rings = 0;
  const endMs = performance.now() + windowMs;
  while (performance.now() < endMs) {
    await pause(windowMs / SAMPLES_PER_WINDOW);
    const { total } = await broker.metrics();
    intakeKb = Math.max(intakeKb, total.intakeBytesHeld / 1_024);
    rings = Math.max(rings, total.ringQueued);
  }
  const latencies = KINDS.map((kind) => load.take(kind));
  // What is compared stands on as many threads each time, without what only waits to be collected.
  await broker.resize(POOL_SIZE, POOL_SIZE);
  await broker.collect();
  const { residentMb, anonymousMb, descriptors } = broker.footprint();
  const { connections, leases, partitions } = await broker.metrics();
  const sample: Record<string, number> = {
    'resident MB': residentMb,
    'anonymous MB': anonymousMb,
    descriptors,
    'intake KB': intakeKb,
    rings,
    connections,
    leases,
    partitions,
  };
  for (const [at, kind] of KINDS.entries()) {
    sample[`${kind} p50 ms`] = quantile(latencies[at] ?? [], 0.5);
    sample[`${kind} p99 ms`] = quantile(latencies[at] ?? [], 0.99);
    load.take(kind);
  }
  return sample;
}

/** Prints the verdict of each series; true when all are flat. */
function judge(atMs: readonly number[], samples: readonly Sample[]): boolean {
  const skipped = Math.ceil(samples.length * WARM_UP_SHARE);
  const kept = samples.slice(skipped);
  let flat = true;
  for (const name of Object.keys(kept[0] as Sample)) {
    const values = kept.map((sample) => sample[name] as number);
    const found = flatness(atMs.slice(skipped), values, boundsOf(name));
    flat &&= found.flat;
    const figures = `first third ${digits(found.first)}, last third ${digits(found.last)}, ${digits(found.slope)} an hour`;
    process.stdout.write(`${found.flat ? 'flat    ' : 'NOT FLAT'} ${name.padEnd(16)} ${figures}\n`);
  }
  return flat;
}

async function soak(minutes: number, seed: number): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-soak-'));
  const broker = new SoakedBroker(directory);
  const startMs = performance.now();
  const windowMs = (minutes * 60_000) / WINDOWS;
  const samples: Sample[] = [];
  const atMs: number[] = [];
  let problem: Error | null = null;
  try {
    const load = new SoakLoad(await broker.port, broker, new SeededRandom(seed));
    const running = load.run().catch((trouble: Error) => {
      problem = trouble;
    });
    while (performance.now() - startMs < minutes * 60_000 && problem === null) {
      const sample = await window(broker, load, windowMs);
      samples.push(sample);
      atMs.push(performance.now() - startMs);
      const line = Object.entries(sample).map(([name, value]) => `${name} ${digits(value)}`);
      process.stdout.write(`${digits((atMs.at(-1) as number) / 60_000)} min  ${line.join('  ')}\n`);
    }
    load.stop();
    await running;
    process.stdout.write(`${JSON.stringify(load.counts)}\n`);
  } finally {
    await broker.end();
    rmSync(directory, { recursive: true, force: true });
  }
  if (problem !== null) throw problem;
  return judge(atMs, samples);
}

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes ?? MINUTES);
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Error('--minutes and --seed are numbers');
process.stdout.write(`soak: --minutes ${minutes} --seed ${seed}\n`);
process.exitCode = (await soak(minutes, seed)) ? 0 : 1;
