/**
 * How long a partition that stays with its member has no records while another member comes: eager members give everything up
 * for the time of a rebalance, cooperative ones and those of the consumer protocol keep what stays. A record is sent to every
 * partition each few milliseconds; the gap is the longest time between two of them at the member that was there first.
 *
 * librdkafka's cooperative members stand still for up to 100 ms of their own: the library pauses all partitions while it takes
 * what a plan changes, resumes the rest a millisecond later, and the thread that fetches sleeps on until it next looks by itself.
 * No request goes out meanwhile, so no broker can shorten it. ODRADEK_GAP_PORT measures a broker that runs on that port
 * of 127.0.0.1 instead of ours, with the heartbeat intervals of groups (`group.consumer.*heartbeat.interval.ms`) at 100 ms.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { RawClient } from '../test/kit/client.ts';
import { coordinated } from '../test/kit/group-calls.ts';
import { createTopic } from '../test/kit/requests.ts';
import { byTurns } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Table, tableOf } from './kit/table.ts';
import { broker, type Running, withServers } from './limit/servers.ts';
import { type Join, kcat, platformatic } from './members/consumers.ts';
import { steadily, until } from './members/sending.ts';

const PARTITIONS = 4;
const ROUNDS = 7;
/** What belongs to a rebalance is over by then: the rest is not seen. */
const AFTER_MS = 500;
const SESSION_MS = 6_000;
const HEARTBEAT_MS = 100;
const OTHER_PORT = process.env.ODRADEK_GAP_PORT;

/** When the records of each partition came. */
class Arrivals {
  readonly #times: number[][] = Array.from({ length: PARTITIONS }, () => []);

  take(partition: number): void {
    (this.#times[partition] as number[]).push(performance.now());
  }

  get partitions(): number {
    return this.#times.filter(({ length }) => length > 0).length;
  }

  /** Of the partitions that still come: the longest wait between two records since a moment. */
  longestGap(sinceMs: number, nowMs: number): number {
    let longest = 0;
    for (const times of this.#times) {
      if ((times.at(-1) ?? 0) < nowMs - AFTER_MS / 2) continue;
      for (let at = 1; at < times.length; at++) {
        const [before, time] = [times[at - 1] as number, times[at] as number];
        if (time > sinceMs) longest = Math.max(longest, time - before);
      }
    }
    return longest;
  }
}

async function gap(port: number, join: Join, name: string): Promise<number> {
  const client = await RawClient.connect(port);
  await createTopic(client, { name, partitions: PARTITIONS });
  await coordinated(client, name);
  await client.close();
  let isOver = false;
  const sending = steadily(port, name, PARTITIONS, () => isOver);
  const [first, second] = [new Arrivals(), new Arrivals()];
  const member = {
    port,
    group: name,
    topic: name,
    from: 'latest',
    sessionMs: SESSION_MS,
    heartbeatMs: HEARTBEAT_MS,
  } as const;
  const stays = await join({ ...member, heard: (partition) => first.take(partition) });
  await until(() => first.partitions === PARTITIONS, 'the first member has every partition');
  await pause(AFTER_MS);
  const cameMs = performance.now();
  const comes = await join({ ...member, heard: (partition) => second.take(partition) });
  await until(() => second.partitions >= PARTITIONS / 2, 'the second member has its share');
  await pause(AFTER_MS);
  const longest = first.longestGap(cameMs, performance.now());
  isOver = true;
  await sending;
  for (const member of [comes, stays]) await member.stop();
  return longest;
}

const WAYS: readonly { readonly name: string; readonly join: Join }[] = [
  { name: 'eager (librdkafka, range)', join: kcat('range') },
  { name: 'cooperative (librdkafka, cooperative-sticky)', join: kcat('cooperative-sticky') },
  { name: 'consumer protocol (@platformatic/kafka)', join: platformatic('consumer') },
];

async function measure(port: number, options: SuiteOptions): Promise<Table[]> {
  const ways = WAYS.map(({ name, join }, at) => ({
    name,
    round: async (round: number) => ({ ms: await gap(port, join, `gap-${process.pid}-${at}-${round}`) }),
  }));
  const rounds = await byTurns(ways, options.quick ? 1 : ROUNDS, options);
  const lines = ways.map(({ name }) => ({ name, values: [rounds.spread(name, 'ms')] }));
  return [tableOf('partitions that stay, while a member comes', [{ name: 'longest gap', unit: 'ms' }], lines)];
}

async function run(options: SuiteOptions): Promise<Table[]> {
  if (OTHER_PORT !== undefined) return measure(Number(OTHER_PORT), options);
  const interval = { 'group.consumer.min.heartbeat.interval.ms': HEARTBEAT_MS };
  const settings = { ...interval, 'group.consumer.heartbeat.interval.ms': HEARTBEAT_MS };
  return withServers([broker(settings)], options.directory, ([server]) => measure((server as Running).port, options));
}

export const suite: Suite = {
  question: 'how long a partition that stays with its member stands still while another one joins, by protocol',
  run,
};
