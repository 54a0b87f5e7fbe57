/** Much at a time into one partition: as many batches as it takes, several under way at once. */
import { join } from 'node:path';
import type { RawClient } from './client.ts';
import { type Produced, produce } from './requests.ts';

const UNDER_WAY_MAX = 32;

/** Produces `count` batches in order; every one must be taken. */
export async function produceMany(
  client: RawClient,
  topic: string,
  count: number,
  batch: (index: number) => Uint8Array,
  partition = 0,
): Promise<Produced[]> {
  const answers: Produced[] = [];
  for (let from = 0; from < count; from += UNDER_WAY_MAX) {
    const some = Array.from({ length: Math.min(UNDER_WAY_MAX, count - from) }, (_, index) =>
      produce(client, topic, batch(from + index), { partition }),
    );
    answers.push(...(await Promise.all(some)));
  }
  const refused = answers.find(({ errorCode }) => errorCode !== 0);
  if (refused !== undefined) throw new Error(`a batch was refused: ${refused.errorCode} ${refused.errorMessage}`);
  return answers;
}

export function partitionPath(directory: string, topic: string, partition = 0): string {
  return join(directory, `${topic}-${partition}`);
}
