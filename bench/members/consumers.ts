/** Consumers in groups as benches run them: kcat, kafkajs, @platformatic/kafka by both protocols. Each says every record it has. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Consumer, stringDeserializers } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';

export interface Membership {
  readonly port: number;
  readonly group: string;
  readonly topic: string;
  readonly from: 'earliest' | 'latest';
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  /** With the partition of each record. */
  heard(partition: number): void;
  /** The next that happens is that it subscribes. */
  subscribes?(): void;
}

export interface Member {
  stop(): Promise<void>;
}

export type Join = (membership: Membership) => Promise<Member>;

const WAIT_MS = 50;

export interface KcatMember extends Member {
  /** By SIGKILL. */
  kill(): Promise<void>;
}

export function kcat(strategy: string) {
  return async ({ port, group, topic, from, sessionMs, heartbeatMs, heard, subscribes }: Membership) => {
    const settings = {
      'partition.assignment.strategy': strategy,
      'auto.offset.reset': from,
      'session.timeout.ms': sessionMs,
      'heartbeat.interval.ms': heartbeatMs,
      'fetch.wait.max.ms': WAIT_MS,
    };
    const said = Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`]);
    const words = ['-b', `127.0.0.1:${port}`, '-G', group, '-q', '-u', '-f', '%p\n', ...said, topic];
    subscribes?.();
    const child: ChildProcess = spawn('kcat', words, { stdio: ['ignore', 'pipe', 'ignore'] });
    let left = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (left + text).split('\n');
      left = lines.pop() as string;
      for (const line of lines) heard(Number(line));
    });
    const ended = once(child, 'close');
    await once(child, 'spawn');
    const end = async (signal: NodeJS.Signals) => {
      child.kill(signal);
      await ended;
    };
    return { stop: () => end('SIGTERM'), kill: () => end('SIGKILL') } satisfies KcatMember;
  };
}

export const kafkajs: Join = async ({ port, group, topic, from, sessionMs, heartbeatMs, heard, subscribes }) => {
  const kafka = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: sessionMs,
    heartbeatInterval: heartbeatMs,
    maxWaitTimeInMs: WAIT_MS,
  });
  await consumer.connect();
  subscribes?.();
  await consumer.subscribe({ topics: [topic], fromBeginning: from === 'earliest' });
  await consumer.run({ eachMessage: async ({ partition }) => heard(partition) });
  return { stop: () => consumer.disconnect() };
};

export function platformatic(groupProtocol: 'classic' | 'consumer'): Join {
  return async ({ port, group, topic, from, sessionMs, heartbeatMs, heard, subscribes }) => {
    const consumer = new Consumer({
      clientId: 'bench',
      bootstrapBrokers: [`127.0.0.1:${port}`],
      groupId: group,
      groupProtocol,
      deserializers: stringDeserializers,
      maxWaitTime: WAIT_MS,
      // By the other protocol these are the broker's.
      ...(groupProtocol === 'classic' ? { sessionTimeout: sessionMs, heartbeatInterval: heartbeatMs } : {}),
    });
    subscribes?.();
    const stream = await consumer.consume({ topics: [topic], mode: from, autocommit: true });
    stream.on('data', ({ partition }) => heard(partition));
    return {
      stop: async () => {
        await stream.close();
        await consumer.close();
      },
    };
  };
}
