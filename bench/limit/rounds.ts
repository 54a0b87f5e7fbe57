/** One case, round by round: every server in turn gets the same load, the first round is thrown away, ratios are taken within a round. */
import type { Goal } from '../kit/goals.ts';
import { median, ratios, type Spread, spread } from '../kit/statistics.ts';
import { type Case, shortened } from './cases.ts';
import { type LoadResult, load } from './load.ts';
import { type Running, start, type Variant, yardstick } from './servers.ts';

export interface VariantResult {
  name: string;
  /** CPU-seconds per GB, or CPU microseconds per request, of the server. */
  cpu: Spread;
  /** Against the yardstick of the same round; the yardstick itself has ones. */
  cpuRatio: Spread;
  megabytesPerSecond: Spread;
  requestsPerSecond: Spread;
  p50Us: Spread;
  p99Us: Spread;
}

export interface CaseResult {
  name: string;
  question: string;
  unit: 's/GB' | 'µs';
  goal: Goal | null;
  yardstick: string;
  variants: VariantResult[];
}

export interface RoundsOptions {
  rounds: number;
  quick: boolean;
  parent: string;
  progress(line: string): void;
}

const TOPIC = 'limit';

function cpuOf(result: LoadResult, per: Case['per']): number {
  return per === 'GB'
    ? result.serverCpuSeconds / (result.bytes / 1e9)
    : (result.serverCpuSeconds * 1e6) / result.requests;
}

/** Memory to touch before a round that writes: what it writes, twice. */
function primed(result: LoadResult | undefined): number {
  return result ? Math.min(result.bytes * 2, 4e9) : 0;
}

export async function runCase(test: Case, variants: readonly Variant[], options: RoundsOptions): Promise<CaseResult> {
  const round = options.quick ? shortened(test.round) : test.round;
  // Answers by sendfile and answers by copy: the C server that needs less is the yardstick.
  const yardsticks = test.round.mode === 'fetch' ? [yardstick('sendfile'), yardstick('copy')] : [yardstick('sendfile')];
  const running: Running[] = [];
  const results = new Map<Running, LoadResult[]>();
  try {
    for (const variant of [...yardsticks, ...variants]) {
      const server = await start(variant, options.parent);
      running.push(server);
      results.set(server, []);
      const first = test.fill ?? { mode: 'produce', requests: 1 };
      await load({ port: server.port, topic: TOPIC, create: true, ...first });
    }
    let previous: LoadResult | undefined;
    for (let number = 0; number <= options.rounds; number++) {
      for (let turn = 0; turn < running.length; turn++) {
        const server = running[(turn + number) % running.length] as Running;
        const prime = test.writes ? primed(previous) : 0;
        const result = await load({ port: server.port, topic: TOPIC, watch: server.pid, prime, ...round });
        previous = result;
        if (number > 0) results.get(server)?.push(result);
        const cpu = cpuOf(result, test.per).toFixed(3);
        options.progress(
          `${test.name} round ${number}${number === 0 ? ' (discarded)' : ''} ${server.name} ${cpu} ${test.per === 'GB' ? 's/GB' : 'µs'}`,
        );
      }
    }
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
  return summary(test, running, results, yardsticks.length);
}

function summary(
  test: Case,
  running: Running[],
  results: Map<Running, LoadResult[]>,
  yardstickCount: number,
): CaseResult {
  const cpu = (server: Running): number[] => (results.get(server) ?? []).map((result) => cpuOf(result, test.per));
  const reference = running
    .slice(0, yardstickCount)
    .reduce((best, next) => (median(cpu(next)) < median(cpu(best)) ? next : best));
  return {
    name: test.name,
    question: test.question,
    unit: test.per === 'GB' ? 's/GB' : 'µs',
    goal: test.goal ?? null,
    yardstick: reference.name,
    variants: running.map((server) => {
      const rounds = results.get(server) ?? [];
      return {
        name: server.name,
        cpu: spread(cpu(server)),
        cpuRatio: spread(ratios(cpu(server), cpu(reference))),
        megabytesPerSecond: spread(rounds.map((result) => result.megabytesPerSecond)),
        requestsPerSecond: spread(rounds.map((result) => result.requestsPerSecond)),
        p50Us: spread(rounds.map((result) => result.p50Us)),
        p99Us: spread(rounds.map((result) => result.p99Us)),
      };
    }),
  };
}
