/**
 * Honest producers at a steady rate, alone and beside ten thousand bad clients, by turns on one broker: latency, the broker's
 * CPU, and what an idle connection takes. The crowd is a process of its own; it needs a part of the machine, too.
 */
import { RudeCrowd } from '../test/kit/rude-crowd.ts';
import { memoryOf } from './kit/process.ts';
import { byTurns, type Round } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { tableOf } from './kit/table.ts';
import { load } from './limit/load.ts';
import { broker, type Running, withServers } from './limit/servers.ts';

interface Amounts {
  readonly silent: number;
  readonly dribbling: number;
  readonly ratePerSecond: number;
  readonly measuredMs: number;
  readonly rounds: number;
}

const AMOUNTS: Amounts = { silent: 8_000, dribbling: 2_000, ratePerSecond: 2_000, measuredMs: 8_000, rounds: 5 };
const QUICK_AMOUNTS: Amounts = { silent: 400, dribbling: 100, ratePerSecond: 1_000, measuredMs: 500, rounds: 1 };
const ANNOUNCING = 50;
const NEVER_READING = 50;
const CONNECTIONS = 8;
const TOPIC = 'rude';
const ALONE = 'alone';
const BESIDE = 'beside the crowd';
/** All of them come at once, and none of them is to go while it is measured. */
const SETTINGS = {
  'socket.listen.backlog.size': 4_096,
  'file.handles.max': 1_000,
  'request.receive.timeout.ms': 600_000,
};

function ownBytes(pid: number): number {
  const { anonymousBytes, sharedBytes } = memoryOf(pid);
  return anonymousBytes + sharedBytes;
}

async function produce({ port, pid }: Running, { ratePerSecond, measuredMs }: Amounts): Promise<Round> {
  const requests = (ratePerSecond * measuredMs) / 1_000;
  const { p50Us, p99Us, serverCpuSeconds } = await load({
    port,
    topic: TOPIC,
    mode: 'produce',
    connections: CONNECTIONS,
    requests,
    rate: ratePerSecond,
    watch: pid,
  });
  return { p50Us, p99Us, cpuUs: (serverCpuSeconds * 1e6) / requests };
}

/** On a heap that no crowd has grown yet. */
async function perIdleKib(server: Running, { silent }: Amounts): Promise<number> {
  const crowd = new RudeCrowd(server.port);
  try {
    const before = ownBytes(server.pid);
    await crowd.open('silent', silent);
    // Asked last of all, so that every one before it has been taken.
    await load({ port: server.port, mode: 'apiversions', requests: 1 });
    return (ownBytes(server.pid) - before) / silent / 1_024;
  } finally {
    await crowd.end();
  }
}

async function besideCrowd(server: Running, amounts: Amounts): Promise<Round> {
  const crowd = new RudeCrowd(server.port);
  try {
    const before = ownBytes(server.pid);
    await crowd.open('never-reads', NEVER_READING);
    await crowd.open('announces', ANNOUNCING);
    await crowd.open('silent', amounts.silent);
    await crowd.open('dribbles', amounts.dribbling);
    // Until the broker has taken them all and has done what they asked for.
    await produce(server, { ...amounts, measuredMs: amounts.measuredMs / 4 });
    const measured = await produce(server, amounts);
    // A heap that was collected meanwhile is not the crowd's doing.
    return { ...measured, extraMib: Math.max(0, ownBytes(server.pid) - before) / 1_048_576 };
  } finally {
    await crowd.end();
  }
}

async function run(options: SuiteOptions) {
  const amounts = options.quick ? QUICK_AMOUNTS : AMOUNTS;
  return withServers([broker(SETTINGS)], options.directory, async ([server]) => {
    const running = server as Running;
    await load({ port: running.port, topic: TOPIC, mode: 'produce', create: true, requests: 2_000 });
    const idle = await perIdleKib(running, amounts);
    const rounds = await byTurns(
      [
        { name: ALONE, round: () => produce(running, amounts) },
        { name: BESIDE, round: () => besideCrowd(running, amounts) },
      ],
      amounts.rounds,
      options,
    );
    return [
      tableOf(
        `produce at ${amounts.ratePerSecond} requests/s; the crowd is ${amounts.silent} silent, ${amounts.dribbling} that dribble`,
        [
          { name: 'p50', unit: 'µs' },
          { name: 'p99', unit: 'µs' },
          { name: 'p50 ÷ alone', unit: '' },
          { name: 'p99 ÷ alone', unit: '' },
          { name: 'CPU', unit: 'µs/request' },
        ],
        [ALONE, BESIDE].map((name) => ({
          name,
          values: [
            rounds.spread(name, 'p50Us'),
            rounds.spread(name, 'p99Us'),
            rounds.ratio(name, ALONE, 'p50Us'),
            rounds.ratio(name, ALONE, 'p99Us'),
            rounds.spread(name, 'cpuUs'),
          ],
        })),
      ),
      tableOf(
        'own memory of the broker',
        [
          { name: 'for each idle connection', unit: 'KiB' },
          { name: 'for the whole crowd', unit: 'MiB' },
        ],
        [{ name: BESIDE, values: [Math.max(0, idle), rounds.spread(BESIDE, 'extraMib')] }],
      ),
    ];
  });
}

export const suite: Suite = {
  question: 'latency of honest clients beside ten thousand bad ones, and what an idle connection takes',
  run,
};
