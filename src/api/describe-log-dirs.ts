/** DescribeLogDirs, on the main thread: every data directory with what lies in it and the space of its volume. */
import { ERROR } from '../wire/errors.ts';
import type { DescribeLogDirs } from '../wire/messages/describe-log-dirs.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ControllerDesk } from './controller-desk.ts';
import type { DescribedDirectory, LyingPartition } from './directory-desk.ts';
import { namedPartitions } from './named-partitions.ts';

type Request = RequestOf<typeof DescribeLogDirs>;
type Result = ResponseInput<typeof DescribeLogDirs>['results'][number];

export async function describeLogDirs(
  { topics }: Request,
  desk: ControllerDesk,
): Promise<ResponseInput<typeof DescribeLogDirs>> {
  const directories = await desk.directories.describe();
  const isAsked = asked(topics);
  const results = directories.map((directory) => result(directory, isAsked));
  return { throttleTimeMs: 0, errorCode: ERROR.NONE, results };
}

/** No list asks for everything. */
function asked(topics: Request['topics']): (one: LyingPartition) => boolean {
  if (topics === null) return () => true;
  const wanted = namedPartitions(topics.map(({ topic, partitions }) => [topic, partitions]));
  return ({ topic, partition }) => wanted.get(topic)?.has(partition) ?? false;
}

function result(directory: DescribedDirectory, isAsked: (one: LyingPartition) => boolean): Result {
  const { path, offline, totalBytes, usableBytes } = directory;
  if (offline) {
    return {
      errorCode: ERROR.KAFKA_STORAGE_ERROR,
      logDir: path,
      topics: [],
      totalBytes: -1,
      usableBytes: -1,
      isCordoned: false,
    };
  }
  const byTopic = Map.groupBy(directory.partitions.filter(isAsked), ({ topic }) => topic);
  const topics = Array.from(byTopic, ([name, partitions]) => ({
    name,
    partitions: partitions.map(({ partition, bytes, offsetLag, isFuture }) => ({
      partitionIndex: partition,
      partitionSize: bytes,
      offsetLag,
      isFutureKey: isFuture,
    })),
  }));
  return { errorCode: ERROR.NONE, logDir: path, topics, totalBytes, usableBytes, isCordoned: false };
}
