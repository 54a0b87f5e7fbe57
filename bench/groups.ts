/**
 * What groups cost: commits and rebalances against the size of a group, a commit beside an append of the same bytes, how long
 * after its session the partitions of a silent member move, how soon a lone consumer has its first record.
 */
import { ERROR } from '../src/wire/errors.ts';
import { RawClient } from '../test/kit/client.ts';
import { coordinated, formGroup, RawMember } from '../test/kit/group-calls.ts';
import { batchOf } from '../test/kit/records.ts';
import { createTopic, fetch, produce } from '../test/kit/requests.ts';
import { cpuSeconds } from './kit/process.ts';
import { byTurns, Rounds } from './kit/rounds.ts';
import { linearFit, type Spread } from './kit/statistics.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Table, tableOf } from './kit/table.ts';
import { broker, type Running, withServers } from './limit/servers.ts';

const SIZES = [2, 5, 10, 20, 50, 100, 200, 500];
const QUICK_SIZES = [2, 10, 50];
const ROUNDS = 5;
/** Of one measurement, over all members. */
const COMMITS = 10_000;
const QUICK_COMMITS = 500;
const CONNECTIONS = 16;
const SESSION_MS = 500;
/** Long enough that nobody is dropped for being slow here. */
const LONG_MS = 600_000;
const METADATA_BYTES = 100;
const TOPIC = 'groups';

function text(round: number): Uint8Array {
  return new TextEncoder().encode(`round ${round}`.padEnd(METADATA_BYTES, '.'));
}

function expectNone(error: number, what: string): void {
  if (error !== ERROR.NONE) throw new Error(`${what}: error ${error}`);
}

async function membersOf(port: number, group: string, count: number): Promise<RawMember[]> {
  const members: RawMember[] = [];
  for (let at = 0; at < count; at++)
    members.push(await RawMember.connect(port, group, { sessionMs: LONG_MS, rebalanceMs: LONG_MS }));
  await formGroup(members);
  return members;
}

/** Everybody joins with something new to say, and is told its share. */
async function rebalance(members: readonly RawMember[], round: number): Promise<number> {
  const startMs = performance.now();
  const joined = await Promise.all(members.map((member) => member.joinOnce({ protocols: [['range', text(round)]] })));
  const plan = Object.fromEntries(members.map(({ id }) => [id, text(round)]));
  const synced = await Promise.all(
    members.map((member, at) => member.sync(joined[at]?.leader === member.id ? plan : {})),
  );
  const tookMs = performance.now() - startMs;
  for (const { errorCode } of [...joined, ...synced]) expectNone(errorCode, 'a rebalance');
  return tookMs;
}

/** Each of them one at a time. */
async function share(count: number, among: number, one: (at: number, round: number) => Promise<void>): Promise<void> {
  const each = Math.ceil(count / among);
  const all = Array.from({ length: among }, async (_, at) => {
    for (let round = 0; round < each; round++) await one(at, round);
  });
  await Promise.all(all);
}

async function bySize(server: Running, options: SuiteOptions): Promise<Table[]> {
  const sizes = options.quick ? QUICK_SIZES : SIZES;
  const commits = options.quick ? QUICK_COMMITS : COMMITS;
  const rounds = new Rounds();
  for (const size of sizes) {
    const members = await membersOf(server.port, `size-${size}`, size);
    for (let round = 0; round <= (options.quick ? 1 : ROUNDS); round++) {
      const rebalanceMs = await rebalance(members, round);
      const startMs = performance.now();
      await share(commits, size, async (at, offset) => {
        expectNone(await (members[at] as RawMember).commit(TOPIC, offset, { partition: at }), 'a commit');
      });
      const made = Math.ceil(commits / size) * size;
      const rate = (made / (performance.now() - startMs)) * 1_000;
      options.progress(`${size} members, round ${round}: ${rebalanceMs.toFixed(1)} ms, ${rate.toFixed(0)} commits/s`);
      if (round > 0) rounds.add(`${size}`, { rebalanceMs, perMember: rebalanceMs / size, rate });
    }
    await Promise.all(members.map((member) => member.close()));
  }
  const of = (size: number, figure: string): Spread => rounds.spread(`${size}`, figure);
  const fit = linearFit(
    sizes,
    sizes.map((size) => of(size, 'rebalanceMs').median),
  );
  return [
    tableOf(
      'size of the group',
      [
        { name: 'rebalance', unit: 'ms' },
        { name: 'for each member', unit: 'ms' },
        { name: 'commits', unit: '1/s' },
      ],
      sizes.map((size) => ({
        name: `${size} members`,
        values: ['rebalanceMs', 'perMember', 'rate'].map((figure) => of(size, figure)),
      })),
    ),
    tableOf(
      'growth of a rebalance with the group, a line through the medians',
      [
        { name: 'for each more', unit: 'ms' },
        { name: 'R²', unit: '' },
      ],
      [{ name: 'rebalance', values: [fit.slope, fit.determination] }],
    ),
  ];
}

/** CPU of the broker for a commit, beside that of appending a record as large, over as many connections. */
async function besideAppend(server: Running, options: SuiteOptions): Promise<Table> {
  const count = options.quick ? QUICK_COMMITS : COMMITS;
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawClient.connect(server.port)));
  const members = clients.map((client, at) => new RawMember(client, `commits-${at}`));
  for (const member of members) await coordinated(member.client, member.group);
  // Key and value of a commit in the log are about this much.
  const batch = batchOf(['x'.repeat(METADATA_BYTES)]);
  const measured = async (one: (at: number, round: number) => Promise<void>) => {
    const before = cpuSeconds(server.pid);
    const startMs = performance.now();
    await share(count, CONNECTIONS, one);
    const made = Math.ceil(count / CONNECTIONS) * CONNECTIONS;
    return {
      cpu: ((cpuSeconds(server.pid) - before) / made) * 1e6,
      rate: (made / (performance.now() - startMs)) * 1_000,
    };
  };
  const ways = [
    {
      name: 'append',
      round: () =>
        measured(async (at) => {
          const { errorCode } = await produce(clients[at] as RawClient, TOPIC, batch, { partition: at, acks: 1 });
          expectNone(errorCode, 'an append');
        }),
    },
    {
      name: 'commit',
      round: () =>
        measured(async (at, round) => {
          expectNone(await (members[at] as RawMember).commit(TOPIC, round, { partition: at }), 'a commit');
        }),
    },
  ];
  const rounds = await byTurns(ways, options.quick ? 1 : ROUNDS, options);
  await Promise.all(clients.map((client) => client.close()));
  return tableOf(
    `a commit beside an append of ${METADATA_BYTES} bytes, ${CONNECTIONS} connections`,
    [
      { name: 'CPU', unit: 'µs' },
      { name: '÷ append', unit: '' },
      { name: 'rate', unit: '1/s' },
    ],
    ways.map(({ name }) => ({
      name,
      values: [rounds.spread(name, 'cpu'), rounds.ratio(name, 'append', 'cpu'), rounds.spread(name, 'rate')],
    })),
  );
}

/** From the last sign of a member until another one has its share, without the session that it is given. */
async function takenOver(port: number, group: string): Promise<number> {
  const options = { sessionMs: SESSION_MS, rebalanceMs: LONG_MS };
  const stays = await RawMember.connect(port, group, { ...options, sessionMs: LONG_MS });
  const goes = await RawMember.connect(port, group, options);
  await formGroup([stays, goes]);
  expectNone(await goes.beat(), 'a heartbeat');
  const silentMs = performance.now();
  await goes.close();
  while ((await stays.beat()) === ERROR.NONE);
  const joined = await stays.joinOnce();
  expectNone(joined.errorCode, 'a join');
  expectNone((await stays.sync({ [stays.id]: text(0) })).errorCode, 'a sync');
  const tookMs = performance.now() - silentMs;
  await stays.close();
  return tookMs - SESSION_MS;
}

/** From the wish to consume until the first record is there. */
async function firstRecord(port: number, group: string): Promise<number> {
  const startMs = performance.now();
  const member = await RawMember.connect(port, group);
  await coordinated(member.client, group);
  expectNone((await member.join()).errorCode, 'a join');
  expectNone((await member.sync({ [member.id]: text(0) })).errorCode, 'a sync');
  const { batches } = await fetch(member.client, TOPIC, { maxWaitMs: 1_000, minBytes: 1, partitionMaxBytes: 1_024 });
  if (batches.length === 0) throw new Error('there is nothing to read');
  const tookMs = performance.now() - startMs;
  expectNone(await member.leave(), 'leaving');
  await member.close();
  return tookMs;
}

async function moments(server: Running, options: SuiteOptions): Promise<Table> {
  const ways = [
    {
      name: `partitions move, behind a session of ${SESSION_MS} ms`,
      round: async (round: number) => ({ ms: await takenOver(server.port, `silent-${round}`) }),
    },
    {
      name: 'first record of a lone consumer',
      round: async (round: number) => ({ ms: await firstRecord(server.port, `lone-${round}`) }),
    },
  ];
  const rounds = await byTurns(ways, options.quick ? 2 : ROUNDS * 2, options);
  return tableOf(
    'moments',
    [{ name: 'time', unit: 'ms' }],
    ways.map(({ name }) => ({ name, values: [rounds.spread(name, 'ms')] })),
  );
}

async function run(options: SuiteOptions): Promise<Table[]> {
  const settings = { 'group.min.session.timeout.ms': 100 };
  return withServers([broker(settings)], options.directory, async ([server]) => {
    const running = server as Running;
    const client = await RawClient.connect(running.port);
    await createTopic(client, { name: TOPIC, partitions: Math.max(...SIZES) });
    await coordinated(client, 'first');
    await produce(client, TOPIC, batchOf(['the first']));
    await client.close();
    return [...(await bySize(running, options)), await besideAppend(running, options), await moments(running, options)];
  });
}

export const suite: Suite = {
  question: 'groups of 2 to 500 members: rebalances and commits, a commit beside an append, how soon partitions move',
  run,
};
