/** Records that keep coming, to every partition of a topic, and waiting for what comes of them. */
import { setTimeout as pause } from 'node:timers/promises';
import { RawClient } from '../../test/kit/client.ts';
import { batchOf } from '../../test/kit/records.ts';
import { produce } from '../../test/kit/requests.ts';

const EVERY_MS = 5;
/** Nothing here takes longer. */
const PATIENCE_MS = 30_000;

export async function until(done: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await pause(EVERY_MS);
  }
}

/** A record to each partition every few milliseconds, until it is told to end. */
export async function steadily(port: number, topic: string, partitions: number, isOver: () => boolean): Promise<void> {
  const client = await RawClient.connect(port);
  while (!isOver()) {
    const next = performance.now() + EVERY_MS;
    for (let partition = 0; partition < partitions; partition++)
      await produce(client, topic, batchOf(['x']), { partition });
    await pause(Math.max(0, next - performance.now()));
  }
  await client.close();
}
