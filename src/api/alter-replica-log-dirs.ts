/** AlterReplicaLogDirs, on the main thread: the answer says which moves have begun; DescribeLogDirs shows how far they are. */
import type { AlterReplicaLogDirs } from '../wire/messages/alter-replica-log-dirs.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ControllerDesk } from './controller-desk.ts';

export async function alterReplicaLogDirs(
  { dirs }: RequestOf<typeof AlterReplicaLogDirs>,
  desk: ControllerDesk,
): Promise<ResponseInput<typeof AlterReplicaLogDirs>> {
  const results = new Map<string, { partitionIndex: number; errorCode: number }[]>();
  for (const { path, topics } of dirs) {
    for (const { name, partitions } of topics) {
      const answers = results.get(name) ?? [];
      results.set(name, answers);
      for (const partitionIndex of partitions)
        answers.push({ partitionIndex, errorCode: desk.directories.move(name, partitionIndex, path) });
    }
  }
  const each = Array.from(results, ([topicName, partitions]) => ({ topicName, partitions }));
  return { throttleTimeMs: 0, results: each };
}
