/**
 * The broker of the soak: the built one, in a process of its own that has nothing else in it. Says its port, answers what it
 * is asked by message, ends when it is told to or when nobody is there any more.
 */

import { BroadcastChannel } from 'node:worker_threads';
import type { startBroker } from '../../src/broker.ts';
import { BROKER_SETTINGS, COLLECT_CHANNEL, type Question } from './words.ts';

const built = new URL('../../dist/broker.js', import.meta.url).href;
const start = ((await import(built)) as { startBroker: typeof startBroker }).startBroker;
const broker = await start({ directory: process.argv[2] as string, settings: BROKER_SETTINGS });

const collecting = new BroadcastChannel(COLLECT_CHANNEL);
collecting.unref();

function say(message: unknown): void {
  process.send?.(message);
}

function collectEverywhere(): void {
  if (globalThis.gc === undefined) throw new Error('--expose-gc is missing');
  collecting.postMessage(null);
  globalThis.gc();
}

async function answer({ number, asked }: Question): Promise<void> {
  if (asked !== 'metrics') {
    if (asked === 'collect') collectEverywhere();
    else await broker.resize(asked);
    return say({ number, metrics: null });
  }
  const { total, connections, leases, requestQueueSize, offlinePartitions, partitions } = await broker.metrics();
  say({
    number,
    metrics: { total, connections, leases, requestQueueSize, offlinePartitions, partitions: partitions.length },
  });
}

process.on('message', (question: Question | 'end') => {
  if (question === 'end') void broker.close().then(() => process.disconnect());
  else answer(question).catch((problem: Error) => say({ number: question.number, error: problem.message }));
});
process.on('disconnect', () => process.exit(0));
void broker.failed.then((problem) => {
  say({ failed: problem.message });
  process.exit(1);
});
say({ port: broker.port });
