/** OffsetFetch, of one group: what is committed, as it was given; -1 where nothing is, also when nobody has heard of the group. */
import { ZERO_UUID } from '../../base/uuid.ts';
import { ERROR } from '../../wire/errors.ts';
import type { Group } from './group.ts';
import type { Caller, FetchedGroup, GroupOffsets } from './messages.ts';
import type { Offsets } from './offsets.ts';
import type { OffsetCommitValue } from './records.ts';
import type { Topics } from './topics.ts';

const TOPIC_IDS_SINCE = 10;
const NO_OFFSET = -1;
const NO_EPOCH = -1;

type FetchedOffset = GroupOffsets['topics'][number]['partitions'][number];

/** The group may be asked for its offsets only by members that are up to date. Stable is wanted: an offset that is about to change is refused instead of told. */
export function fetchOffsets(
  { groupId, topics: asked, ...from }: FetchedGroup,
  requireStable: boolean,
  { version }: Caller,
  group: Group | undefined,
  offsets: Offsets,
  topics: Topics,
): GroupOffsets {
  const errorCode = group?.fetchProblem(from) ?? ERROR.NONE;
  if (errorCode !== ERROR.NONE) return { groupId, errorCode, topics: [] };
  const byId = version >= TOPIC_IDS_SINCE;
  const tell = (topic: string, partition: number, topicId: string): FetchedOffset => {
    const place = { group: groupId, topic, partition };
    if (requireStable && offsets.isUnstable(place)) return refused(partition, ERROR.UNSTABLE_OFFSET_COMMIT);
    return told(partition, ofThisTopic(offsets.get(place), topicId));
  };
  if (asked === null) return { groupId, errorCode: ERROR.NONE, topics: all() };
  return { groupId, errorCode: ERROR.NONE, topics: asked.map(byId ? topicOfId : topicOfName) };

  function topicOfName({ name, partitionIndexes }: { name: string; partitionIndexes: readonly number[] }) {
    const partitions = partitionIndexes.map((partition) => tell(name, partition, ZERO_UUID));
    return { name, topicId: ZERO_UUID, partitions };
  }

  function topicOfId({ topicId, partitionIndexes }: { topicId: string; partitionIndexes: readonly number[] }) {
    const name = topics.nameOf(topicId);
    const partitions = partitionIndexes.map((partition) =>
      name === null ? refused(partition, ERROR.UNKNOWN_TOPIC_ID) : tell(name, partition, topicId),
    );
    return { name: name ?? '', topicId, partitions };
  }

  /** By id, topics that are gone cannot be named. */
  function all() {
    return Array.from(offsets.topicsOf(groupId)).flatMap((name) => {
      const topicId = topics.idOf(name);
      if (byId && topicId === null) return [];
      const wanted = byId ? (topicId as string) : ZERO_UUID;
      const partitions = offsets
        .ofTopic(groupId, name)
        .filter(({ value, isWriting }) => ofThisTopic(value, wanted) !== null || (requireStable && isWriting))
        .map(({ partition }) => tell(name, partition, wanted));
      return partitions.length === 0 ? [] : [{ name, topicId: topicId ?? ZERO_UUID, partitions }];
    });
  }
}

/** An offset that was committed to a topic of another id, under the same name, is none of this one. */
function ofThisTopic(value: OffsetCommitValue | null, topicId: string): OffsetCommitValue | null {
  if (value === null || value.topicId === ZERO_UUID || topicId === ZERO_UUID) return value;
  return value.topicId === topicId ? value : null;
}

function told(partitionIndex: number, value: OffsetCommitValue | null): FetchedOffset {
  if (value === null) return refused(partitionIndex, ERROR.NONE);
  const { offset, leaderEpoch, metadata } = value;
  return {
    partitionIndex,
    committedOffset: offset,
    committedLeaderEpoch: leaderEpoch,
    metadata,
    errorCode: ERROR.NONE,
  };
}

function refused(partitionIndex: number, errorCode: number): FetchedOffset {
  return {
    partitionIndex,
    committedOffset: NO_OFFSET,
    committedLeaderEpoch: NO_EPOCH,
    metadata: '',
    errorCode,
  };
}
