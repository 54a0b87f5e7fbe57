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
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Consumer, stringDeserializers } from '@platformatic/kafka';
import { RawClient } from '../test/kit/client.ts';
import { coordinated } from '../test/kit/group-calls.ts';
import { batchOf } from '../test/kit/records.ts';
import { createTopic, produce } from '../test/kit/requests.ts';
import { byTurns } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { type Table, tableOf } from './kit/table.ts';
import { broker, type Running, withServers } from './limit/servers.ts';

const PARTITIONS = 4;
const EVERY_MS = 5;
const ROUNDS = 7;
/** Nothing here takes longer. */
const PATIENCE_MS = 30_000;
/** What belongs to a rebalance is over by then: the rest is not seen. */
const AFTER_MS = 500;
const HEARTBEAT_MS = 100;
const OTHER_PORT = process.env.ODRADEK_GAP_PORT;

/** Has `heard` called for every record, with its partition, until it is stopped. */
interface Member {
  stop(): Promise<void>;
}

type Join = (port: number, group: string, topic: string, heard: (partition: number) => void) => Promise<Member>;

function kcat(strategy: string): Join {
  return async (port, group, topic, heard) => {
    const settings = {
      'partition.assignment.strategy': strategy,
      'auto.offset.reset': 'latest',
      'session.timeout.ms': 6_000,
      'heartbeat.interval.ms': HEARTBEAT_MS,
      'fetch.wait.max.ms': 50,
    };
    const words = Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`]);
    const child: ChildProcess = spawn(
      'kcat',
      ['-b', `127.0.0.1:${port}`, '-G', group, '-q', '-u', '-f', '%p\n', ...words, topic],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    let left = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (left + text).split('\n');
      left = lines.pop() as string;
      for (const line of lines) heard(Number(line));
    });
    const ended = once(child, 'close');
    await once(child, 'spawn');
    return {
      stop: async () => {
        child.kill('SIGTERM');
        await ended;
      },
    };
  };
}

const consumerProtocol: Join = async (port, group, topic, heard) => {
  const consumer = new Consumer({
    clientId: 'gap',
    bootstrapBrokers: [`127.0.0.1:${port}`],
    groupId: group,
    groupProtocol: 'consumer',
    deserializers: stringDeserializers,
    maxWaitTime: 50,
  });
  const stream = await consumer.consume({ topics: [topic], mode: 'latest', autocommit: true });
  stream.on('data', ({ partition }) => heard(partition));
  return {
    stop: async () => {
      await stream.close();
      await consumer.close();
    },
  };
};

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

async function until(done: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await pause(EVERY_MS);
  }
}

/** Sends to all partitions until it is told to end. */
async function steadily(port: number, topic: string, isOver: () => boolean): Promise<void> {
  const client = await RawClient.connect(port);
  while (!isOver()) {
    const next = performance.now() + EVERY_MS;
    for (let partition = 0; partition < PARTITIONS; partition++)
      await produce(client, topic, batchOf(['x']), { partition });
    await pause(Math.max(0, next - performance.now()));
  }
  await client.close();
}

async function gap(port: number, join: Join, name: string): Promise<number> {
  const client = await RawClient.connect(port);
  await createTopic(client, { name, partitions: PARTITIONS });
  await coordinated(client, name);
  await client.close();
  let isOver = false;
  const sending = steadily(port, name, () => isOver);
  const [first, second] = [new Arrivals(), new Arrivals()];
  const stays = await join(port, name, name, (partition) => first.take(partition));
  await until(() => first.partitions === PARTITIONS, 'the first member has every partition');
  await pause(AFTER_MS);
  const cameMs = performance.now();
  const comes = await join(port, name, name, (partition) => second.take(partition));
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
  { name: 'consumer protocol (@platformatic/kafka)', join: consumerProtocol },
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
