/** What a person and what a program reads of a load: figures in the same words, times in microseconds. */
import { addressText } from './connection.ts';
import type { Latencies, Measurement, Window } from './measurement.ts';
import type { PerfOptions } from './options.ts';

const MEGA = 1e6;

export interface PerfResult {
  readonly mode: string;
  readonly bootstrap: string;
  readonly topic: string;
  readonly rate: number | null;
  readonly recordBytes: number | null;
  readonly batchRecords: number | null;
  readonly connections: number;
  readonly seconds: number;
  readonly requests: number;
  readonly records: number;
  /** Of record batches, as they travel. */
  readonly bytes: number;
  readonly recordsPerSecond: number;
  readonly requestsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly latency: Latencies;
  /** End to end only. */
  readonly acknowledged: Latencies | null;
  /** At a rate only: how long after its due time a request was sent. */
  readonly late: Latencies | null;
  /** CPU seconds of the load tool itself. */
  readonly ownCpuSeconds: number;
  readonly interrupted: boolean;
  /** Why it ended early; null when it did not. */
  readonly problem: string | null;
}

export interface Ending {
  readonly ownCpuSeconds: number;
  readonly batchRecords: number;
  readonly connections: number;
  readonly interrupted: boolean;
  readonly problem: string | null;
}

export function resultOf(options: PerfOptions, measured: Measurement, ending: Ending): PerfResult {
  const { mode, bootstrap, topic, rate, recordBytes } = options;
  const { seconds, requests, records, bytes } = measured;
  const { batchRecords, ...rest } = ending;
  const each = (count: number): number => (seconds > 0 ? count / seconds : 0);
  const writes = mode !== 'consume';
  return {
    mode,
    bootstrap: bootstrap.map(addressText).join(','),
    topic,
    rate,
    recordBytes: writes ? recordBytes : null,
    batchRecords: writes ? batchRecords : null,
    seconds,
    requests,
    records,
    bytes,
    recordsPerSecond: each(records),
    requestsPerSecond: each(requests),
    megabytesPerSecond: each(bytes) / MEGA,
    latency: measured.latencies,
    acknowledged: mode === 'end-to-end' ? measured.acknowledgements : null,
    late: rate === null ? null : measured.late,
    ...rest,
  };
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Three significant digits, in the unit that suits. */
function time(us: number): string {
  if (us >= 1e6) return `${Number((us / 1e6).toPrecision(3))} s`;
  if (us >= 1000) return `${Number((us / 1000).toPrecision(3))} ms`;
  return `${Number(us.toPrecision(3))} µs`;
}

function latencyText({ p50Us, p90Us, p99Us, p999Us, maxUs }: Latencies): string {
  return `p50 ${time(p50Us)}, p90 ${time(p90Us)}, p99 ${time(p99Us)}, p99.9 ${time(p999Us)}, max ${time(maxUs)}`;
}

export function progressText(elapsedS: number, { seconds, records, bytes, latencies }: Window): string {
  const rate = `${whole(records / seconds)} records/s, ${(bytes / seconds / MEGA).toFixed(1)} MB/s`;
  const times = latencies.count === 0 ? 'no answer' : `p50 ${time(latencies.p50Us)}, p99 ${time(latencies.p99Us)}`;
  return `${elapsedS.toFixed(0)} s: ${rate}, ${times}`;
}

const LATENCY_OF: Record<string, string> = {
  produce: 'from due to answered',
  consume: 'of a fetch that brought records',
  'end-to-end': 'from due to read by a consumer',
};

export function resultText(result: PerfResult): string {
  const { mode, topic, records, requests, seconds, late, acknowledged } = result;
  const about = `${mode} ${topic}: ${whole(records)} records, ${(result.bytes / MEGA).toFixed(1)} MB, ${whole(requests)} requests in ${seconds.toFixed(2)} s`;
  const lines = [
    about,
    `  throughput    ${whole(result.recordsPerSecond)} records/s, ${result.megabytesPerSecond.toFixed(1)} MB/s, ${whole(result.requestsPerSecond)} requests/s`,
  ];
  if (requests > 0) lines.push(`  latency       ${latencyText(result.latency)} (${LATENCY_OF[mode]})`);
  if (acknowledged !== null && acknowledged.count > 0) lines.push(`  acknowledged  ${latencyText(acknowledged)}`);
  if (late !== null && late.count > 0) lines.push(`  sent late     ${latencyText(late)} (part of the latency)`);
  lines.push(`  load tool     ${result.ownCpuSeconds.toFixed(2)} s of CPU, ${whole(result.connections)} connections`);
  if (result.interrupted) lines.push('  interrupted: this is what was measured until then');
  return `${lines.join('\n')}\n`;
}
