/** Members of groups as their users write them, and what they have read: kafkajs, @platformatic/kafka in both protocols, kcat. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Consumer, stringDeserializers } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';

export interface Read {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

export interface Member {
  readonly read: readonly Read[];
  /** Partitions that it has now. */
  readonly owned: ReadonlySet<number>;
  /** Leaves the group. */
  stop(): Promise<void>;
}

export interface Membership {
  readonly address: string;
  readonly group: string;
  readonly topic: string;
  readonly sessionMs?: number;
  /** Of kafkajs; a tenth of the session unless told. */
  readonly heartbeatMs?: number;
}

/** One that can be stopped and killed. */
export interface ProcessMember extends Member {
  signal(name: NodeJS.Signals): void;
}

/** The members have these shares of their topic, whoever has which. */
export async function expectShares(members: readonly Member[], shares: readonly (readonly number[])[]): Promise<void> {
  const now = () =>
    members
      .map(({ owned }) => Array.from(owned).toSorted((a, b) => a - b))
      .map((one) => one.join())
      .toSorted();
  const wanted = shares.map((share) => share.join()).toSorted();
  await eventually(now, (shown) => shown.join(' ') === wanted.join(' '));
  expect(now()).toEqual(wanted);
}

const SESSION_MS = 6_000;

/** For brokers of the consumer protocol's members, who go by the broker's times: its own are for groups at rest. */
export const BRISK_GROUPS = {
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '100',
  'group.consumer.min.session.timeout.ms': String(SESSION_MS),
  'group.consumer.session.timeout.ms': String(SESSION_MS),
};

export async function kafkajsMember(
  { address, group, topic, sessionMs = SESSION_MS, heartbeatMs = Math.floor(sessionMs / 10) }: Membership,
  handle: (read: Read) => Promise<void> = async () => {},
): Promise<Member> {
  const kafka = new Kafka({ clientId: 'kafkajs', brokers: [address], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: sessionMs,
    rebalanceTimeout: sessionMs,
    heartbeatInterval: heartbeatMs,
    maxWaitTimeInMs: 100,
  });
  const read: Read[] = [];
  let owned = new Set<number>();
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    owned = new Set(payload.memberAssignment[topic] ?? []);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommitInterval: 50,
    eachMessage: async ({ partition, message }) => {
      const one = { partition, offset: Number(message.offset), value: message.value?.toString() ?? '' };
      read.push(one);
      await handle(one);
    },
  });
  return {
    read,
    get owned() {
      return owned;
    },
    stop: () => consumer.disconnect(),
  };
}

export async function platformaticMember({
  address,
  group,
  topic,
  sessionMs = SESSION_MS,
}: Membership): Promise<Member> {
  const consumer = new Consumer({
    clientId: 'platformatic',
    bootstrapBrokers: [address],
    groupId: group,
    deserializers: stringDeserializers,
    sessionTimeout: sessionMs,
    rebalanceTimeout: sessionMs,
    heartbeatInterval: Math.floor(sessionMs / 10),
    maxWaitTime: 100,
  });
  return reading(consumer, topic);
}

/** Of the consumer protocol: session and interval are the broker's. */
export async function consumerProtocolMember({ address, group, topic }: Membership): Promise<Member> {
  const consumer = new Consumer({
    clientId: 'platformatic',
    bootstrapBrokers: [address],
    groupId: group,
    groupProtocol: 'consumer',
    deserializers: stringDeserializers,
    maxWaitTime: 100,
  });
  return reading(consumer, topic);
}

async function reading(consumer: Consumer<string, string, string, string>, topic: string): Promise<Member> {
  const read: Read[] = [];
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'earliest',
    fallbackMode: 'earliest',
    autocommit: 50,
  });
  stream.on('data', (message) => {
    read.push({ partition: message.partition, offset: Number(message.offset), value: message.value ?? '' });
  });
  return {
    read,
    get owned() {
      return new Set(consumer.assignments?.find((assigned) => assigned.topic === topic)?.partitions ?? []);
    },
    stop: async () => {
      await stream.close();
      await consumer.close();
    },
  };
}

/** kcat in balanced mode. It says on stderr what it is assigned. */
export function kcatMember(
  { address, group, topic, sessionMs = SESSION_MS }: Membership,
  more: readonly string[] = [],
): ProcessMember {
  const settings = { 'auto.offset.reset': 'earliest', 'session.timeout.ms': sessionMs, 'heartbeat.interval.ms': 200 };
  const flags = Object.entries({ ...settings, 'auto.commit.interval.ms': 50, 'fetch.wait.max.ms': 50 });
  const words = ['-b', address, '-G', group, '-u', '-f', '%p %o %s\n'];
  for (const [name, value] of flags) words.push('-X', `${name}=${value}`);
  const child: ChildProcess = spawn('kcat', [...words, ...more, topic], { stdio: ['ignore', 'pipe', 'pipe'] });
  const read: Read[] = [];
  let owned = new Set<number>();
  eachLine(child.stdout, (line) => {
    const [partition, offset, ...rest] = line.split(' ');
    read.push({ partition: Number(partition), offset: Number(offset), value: rest.join(' ') });
  });
  eachLine(child.stderr, (line) => {
    const assigned = /rebalanced .*: assigned: (.*)$/.exec(line);
    if (assigned !== null)
      owned = new Set(Array.from((assigned[1] as string).matchAll(/\[(\d+)\]/g), (m) => Number(m[1])));
    else if (/rebalanced .*: revoked/.test(line)) owned = new Set();
  });
  const ended = once(child, 'close');
  return {
    read,
    get owned() {
      return owned;
    },
    signal: (name) => {
      child.kill(name);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function eachLine(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
  let left = '';
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (left + text).split('\n');
    left = lines.pop() as string;
    for (const line of lines) take(line);
  });
}
