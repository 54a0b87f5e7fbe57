/** CreatePartitions, on the main thread: the controller decides; the answer comes when the new leaders take writes. */
import type { CreatePartitions } from '../wire/messages/create-partitions.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ControllerDesk } from './controller-desk.ts';

export async function createPartitions(
  { topics, validateOnly }: RequestOf<typeof CreatePartitions>,
  desk: ControllerDesk,
): Promise<ResponseInput<typeof CreatePartitions>> {
  const { results } = await desk.ask('createPartitions', { topics, validateOnly });
  return { throttleTimeMs: 0, results };
}
