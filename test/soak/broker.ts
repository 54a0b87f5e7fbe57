/**
 * The broker of the soak: the built one, in a process of its own that has nothing else in it. Says its port, answers what it
 * is asked by message, ends when it is told to or when nobody is there any more.
 */
import type { startBroker } from '../../src/broker.ts';
import { BROKER_SETTINGS, type Question } from './words.ts';

const built = new URL('../../dist/broker.js', import.meta.url).href;
const start = ((await import(built)) as { startBroker: typeof startBroker }).startBroker;
const broker = await start({ directory: process.argv[2] as string, settings: BROKER_SETTINGS });

function say(message: unknown): void {
  process.send?.(message);
}

async function answer({ number, resize }: Question): Promise<void> {
  if (resize !== null) {
    await broker.resize(resize);
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
