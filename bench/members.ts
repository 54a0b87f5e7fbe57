/**
 * What those who use real clients wait for: a lone consumer for its first record, from the moment it subscribes (kcat with the start
 * of its process), and those who stay for the partitions of a member that is dead, beyond the session it is given. A
 * member that stays learns of it with its next heartbeat. kcat is killed as it works, and its library, told to heartbeat every
 * 100 ms, does so when it wakes, up to half a second later: the session may have begun that much before the kill.
 * ODRADEK_MEMBERS_PORT measures a broker that runs on that port of 127.0.0.1 instead of ours, started with SETTINGS.
 */

import { BeatingMember } from '../test/kit/beating-member.ts';
import { RawClient } from '../test/kit/client.ts';
import { coordinated } from '../test/kit/group-calls.ts';
import { batchOf } from '../test/kit/records.ts';
import { createTopic, produce } from '../test/kit/requests.ts';
import { byTurns, type Way } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Table, tableOf } from './kit/table.ts';
import { broker, type Running, withServers } from './limit/servers.ts';
import { type Join, kafkajs, kcat, type Membership, platformatic } from './members/consumers.ts';
import { steadily, until } from './members/sending.ts';

const ROUNDS = 9;
const SESSION_MS = 1_000;
const HEARTBEAT_MS = 100;
const PARTITIONS = 2;
const OTHER_PORT = process.env.ODRADEK_MEMBERS_PORT;
const SETTINGS = {
  'group.min.session.timeout.ms': SESSION_MS,
  'group.consumer.min.session.timeout.ms': SESSION_MS,
  'group.consumer.session.timeout.ms': SESSION_MS,
  'group.consumer.min.heartbeat.interval.ms': HEARTBEAT_MS,
  'group.consumer.heartbeat.interval.ms': HEARTBEAT_MS,
};

function membership(port: number, name: string, more: Pick<Membership, 'from' | 'heard' | 'subscribes'>): Membership {
  return { port, group: name, topic: name, sessionMs: SESSION_MS, heartbeatMs: HEARTBEAT_MS, ...more };
}

async function prepared(port: number, name: string, partitions: number, values: string[]): Promise<void> {
  const client = await RawClient.connect(port);
  await createTopic(client, { name, partitions });
  await coordinated(client, name);
  if (values.length > 0) await produce(client, name, batchOf(values));
  await client.close();
}

async function firstRecord(port: number, name: string, join: Join): Promise<number> {
  await prepared(port, name, 1, ['the first']);
  let startMs = 0;
  const { promise, resolve } = Promise.withResolvers<number>();
  const heard = () => resolve(performance.now() - startMs);
  const subscribes = () => {
    startMs = performance.now();
  };
  const member = await join(membership(port, name, { from: 'earliest', heard, subscribes }));
  const tookMs = await promise;
  await member.stop();
  return tookMs;
}

/** From the end of one of two members until the other one has a record of each partition, without the session. */
async function takenOver(port: number, name: string, join: Join, goes: (share: () => boolean) => Promise<Dying>) {
  await prepared(port, name, PARTITIONS, []);
  let isOver = false;
  const sending = steadily(port, name, PARTITIONS, () => isOver);
  const heardAt = new Map<number, number>();
  const heard = (partition: number) => heardAt.set(partition, performance.now());
  const stays = await join(membership(port, name, { from: 'latest', heard }));
  await until(() => heardAt.size === PARTITIONS, 'the first member has every partition');
  // It has come to its share when it hears no more of the rest.
  const share = () => [...heardAt.values()].filter((ms) => ms > performance.now() - SESSION_MS / 2).length === 1;
  const dying = await goes(share);
  const diedMs = await dying.die();
  await until(() => [...heardAt.values()].every((ms) => ms > diedMs + SESSION_MS / 2), 'the partitions move');
  // The later of the two first records behind the move is within a record's interval of this.
  const tookMs = performance.now() - diedMs;
  isOver = true;
  await sending;
  await stays.stop();
  return tookMs - SESSION_MS;
}

interface Dying {
  /** Gives when that was. */
  die(): Promise<number>;
}

/** It is killed as it works: its partitions are heard of by nobody from then on. */
async function killedKcat(port: number, name: string, share: () => boolean): Promise<Dying> {
  const heard = new Set<number>();
  const join = kcat('range');
  const member = await join(membership(port, name, { from: 'latest', heard: (partition) => heard.add(partition) }));
  await until(() => heard.size > 0 && share(), 'the second member has its share');
  return {
    die: async () => {
      const atMs = performance.now();
      await member.kill();
      return atMs;
    },
  };
}

/** Heartbeats, and falls silent. */
async function silentMember(port: number, name: string, share: () => boolean): Promise<Dying> {
  const member = await BeatingMember.join(port, name, { names: [name] });
  while (member.size === 0 || !share()) await member.beat();
  return {
    die: async () => {
      await member.beat();
      const atMs = performance.now();
      await member.close();
      return atMs;
    },
  };
}

const CLIENTS: readonly (readonly [string, Join])[] = [
  ['kcat', kcat('range')],
  ['kafkajs', kafkajs],
  ['@platformatic/kafka, classic', platformatic('classic')],
  ['@platformatic/kafka, consumer protocol', platformatic('consumer')],
];

async function table(title: string, ways: readonly Way[], options: SuiteOptions): Promise<Table> {
  const rounds = await byTurns(ways, options.quick ? 1 : ROUNDS, options);
  const lines = ways.map(({ name }) => ({ name, values: [rounds.spread(name, 'ms')] }));
  return tableOf(title, [{ name: 'time', unit: 'ms' }], lines);
}

async function measure(port: number, options: SuiteOptions): Promise<Table[]> {
  const named = (what: string, round: number) => `${what}-${process.pid}-${round}`;
  const first = CLIENTS.map(([name, join], at) => ({
    name,
    round: async (round: number) => ({ ms: await firstRecord(port, named(`first-${at}`, round), join) }),
  }));
  const moved: Way[] = [
    {
      name: 'kcat, killed',
      round: async (round) => {
        const name = named('killed', round);
        return { ms: await takenOver(port, name, kcat('range'), (share) => killedKcat(port, name, share)) };
      },
    },
    {
      name: 'consumer protocol, silent',
      round: async (round) => {
        const name = named('silent', round);
        const goes = (share: () => boolean) => silentMember(port, name, share);
        return { ms: await takenOver(port, name, platformatic('consumer'), goes) };
      },
    },
  ];
  return [
    await table('first record of a lone consumer, from subscribing', first, options),
    await table(`partitions of a dead member are read again, beyond its session of ${SESSION_MS} ms`, moved, options),
  ];
}

async function run(options: SuiteOptions): Promise<Table[]> {
  if (OTHER_PORT !== undefined) return measure(Number(OTHER_PORT), options);
  return withServers([broker(SETTINGS)], options.directory, ([server]) => measure((server as Running).port, options));
}

export const suite: Suite = {
  question: 'real clients in groups: how soon the first record is there, how soon the partitions of a dead member move',
  run,
};
