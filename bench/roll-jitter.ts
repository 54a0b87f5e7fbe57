/**
 * Five hundred partitions that begin a new segment: all at once, spread by jitter, and not at all. Requests come at a steady
 * rate and their latency counts from when they were due. Jitter is taken off a longer age, so that as many segments end.
 */
import { readdirSync } from 'node:fs';
import { byTurns, type Round } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { tableOf } from './kit/table.ts';
import { load, loadTopic } from './limit/load.ts';
import { broker, type Running, type Variant, withServers } from './limit/servers.ts';

interface Amounts {
  readonly partitions: number;
  /** The mean age of a segment that rolls. */
  readonly rollMs: number;
  readonly ratePerSecond: number;
  readonly measuredMs: number;
  readonly rounds: number;
}

const AMOUNTS: Amounts = { partitions: 500, rollMs: 4000, ratePerSecond: 5000, measuredMs: 10_000, rounds: 5 };
const QUICK_AMOUNTS: Amounts = { partitions: 40, rollMs: 300, ratePerSecond: 1000, measuredMs: 700, rounds: 1 };
const CONNECTIONS = 16;
const DEPTH = 8;
const TOPIC = 'roll-jitter';

/** The broker's clock stamps the batches, so that segments age although the load repeats one batch. */
function variants(rollMs: number): Variant[] {
  const stamped = { 'log.message.timestamp.type': 'LogAppendTime' };
  return [
    broker(stamped, 'no roll'),
    broker({ ...stamped, 'log.roll.ms': rollMs }, 'all at once'),
    broker({ ...stamped, 'log.roll.ms': rollMs * 1.5, 'log.roll.jitter.ms': rollMs }, 'with jitter'),
  ];
}

function segmentsOf(server: Running): number {
  return readdirSync(server.directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/\d{20}\.log$/.test(name),
  ).length;
}

async function measure(server: Running, amounts: Amounts): Promise<Round> {
  const { partitions, ratePerSecond, measuredMs } = amounts;
  const target = { port: server.port, topic: TOPIC, spread: partitions, connections: CONNECTIONS, depth: DEPTH };
  // Segments have grown old while the others had their turn: all begin anew together before the clock starts.
  await load({ ...target, mode: 'produce', requests: partitions });
  const before = segmentsOf(server);
  const requests = (ratePerSecond * measuredMs) / 1000;
  const { p50Us, p99Us, p999Us, largestUs } = await load({
    ...target,
    mode: 'produce',
    requests,
    rate: ratePerSecond,
    watch: server.pid,
  });
  return { p50Us, p99Us, p999Us, largestUs, rolls: segmentsOf(server) - before };
}

async function run(options: SuiteOptions) {
  const amounts = options.quick ? QUICK_AMOUNTS : AMOUNTS;
  const { partitions, rollMs, ratePerSecond } = amounts;
  return withServers(variants(rollMs), options.directory, async (servers) => {
    for (const { port } of servers) await loadTopic(port, TOPIC, partitions);
    const ways = servers.map((server) => ({ name: server.name, round: () => measure(server, amounts) }));
    const rounds = await byTurns(ways, amounts.rounds, options);
    return [
      tableOf(
        `produce latency at ${ratePerSecond} requests/s over ${partitions} partitions whose segments last ${rollMs} ms`,
        [
          { name: 'p50', unit: 'µs' },
          { name: 'p99', unit: 'µs' },
          { name: 'p99.9', unit: 'µs' },
          { name: 'largest', unit: 'µs' },
          { name: 'p99 ÷ no roll', unit: '' },
          { name: 'segments ended', unit: '' },
        ],
        ways.map(({ name }) => ({
          name,
          values: [
            ...['p50Us', 'p99Us', 'p999Us', 'largestUs'].map((figure) => rounds.spread(name, figure)),
            rounds.ratio(name, 'no roll', 'p99Us'),
            rounds.spread(name, 'rolls'),
          ],
        })),
      ),
    ];
  });
}

export const suite: Suite = {
  question: 'produce latency while hundreds of partitions roll: at once, with jitter, not at all',
  run,
};
