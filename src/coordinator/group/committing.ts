/**
 * OffsetCommit: what may be committed is written, and answered when it is. Topics are looked at before the group is, as in Kafka:
 * a request of which nothing is left says nothing of the group.
 */
import { ZERO_UUID } from '../../base/uuid.ts';
import { ERROR } from '../../wire/errors.ts';
import type { Desk } from './desk.ts';
import type { Groups } from './groups.ts';
import type { Caller, CommitRequest, CommitResponse, Respond } from './messages.ts';
import type { Offsets, Place } from './offsets.ts';
import type { OffsetCommitRecord } from './records.ts';
import { offsetWriteError } from './write-errors.ts';

const TOPIC_IDS_SINCE = 10;
const GROUP_NOT_FOUND_SINCE = 9;
const NOT_TOLD = -1;

type CommittedTopic = CommitRequest['topics'][number];
type CommittedPartition = CommittedTopic['partitions'][number];

/** One partition of the request with what becomes of it. */
interface Commit {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: CommittedPartition;
  error: number;
}

export class Committing {
  readonly #desk: Desk;
  readonly #groups: Groups;
  readonly #offsets: Offsets;

  constructor(desk: Desk, groups: Groups, offsets: Offsets) {
    this.#desk = desk;
    this.#groups = groups;
    this.#offsets = offsets;
  }

  commit(request: CommitRequest, { version }: Caller, respond: Respond<CommitResponse>): void {
    const topics = request.topics.map((topic) => this.#commitsOf(topic, version));
    const answer = () => respond(answerTo(request, topics));
    const good = () => topics.flat().filter(({ error }) => error === ERROR.NONE);
    const asked = good();
    const problem = asked.length === 0 ? ERROR.NONE : this.#problem(request, version, asked);
    for (const commit of asked) commit.error = problem === ERROR.NONE ? this.#metadataProblem(commit) : problem;
    const taken = good();
    if (taken.length === 0) return answer();
    const records = this.#recordsOf(request, taken);
    for (const record of records) this.#offsets.beginWrite(record);
    this.#desk.writes.write(records, (error) => {
      for (const record of records) this.#offsets.endWrite(record, error === ERROR.NONE);
      for (const commit of taken) commit.error = offsetWriteError(error);
      answer();
    });
  }

  #commitsOf(topic: CommittedTopic, version: number): Commit[] {
    const { topics } = this.#desk;
    const byId = version >= TOPIC_IDS_SINCE;
    const name = byId ? topics.nameOf(topic.topicId) : topic.name;
    return topic.partitions.map((partition) => {
      const topicId = byId ? topic.topicId : ZERO_UUID;
      if (name === null) return { topic: '', topicId, partition, error: ERROR.UNKNOWN_TOPIC_ID };
      const isThere = topics.hasPartition(name, partition.partitionIndex);
      return { topic: name, topicId, partition, error: isThere ? ERROR.NONE : ERROR.UNKNOWN_TOPIC_OR_PARTITION };
    });
  }

  /** A commit from outside of any group makes an empty group of that name, which owns the offsets. */
  #problem(request: CommitRequest, version: number, commits: readonly Commit[]): number {
    const { groupId, memberId, groupInstanceId } = request;
    const generation = request.generationIdOrMemberEpoch;
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      if (generation >= 0) {
        return version >= GROUP_NOT_FOUND_SINCE ? ERROR.GROUP_ID_NOT_FOUND : ERROR.ILLEGAL_GENERATION;
      }
      group = this.#groups.newClassic(groupId);
    }
    const problem = group.commitProblem({ memberId, groupInstanceId, generation, version }, commits.map(placeOf));
    if (problem === ERROR.NONE) group.committed(memberId);
    return problem;
  }

  #metadataProblem({ partition }: Commit): number {
    const length = partition.committedMetadata?.length ?? 0;
    return length > this.#desk.settings.offsetMetadataMaxBytes ? ERROR.OFFSET_METADATA_TOO_LARGE : ERROR.NONE;
  }

  #recordsOf({ groupId, retentionTimeMs }: CommitRequest, commits: readonly Commit[]): OffsetCommitRecord[] {
    const commitTimestamp = this.#desk.clock.now();
    const expireTimestamp =
      retentionTimeMs === NOT_TOLD ? NOT_TOLD : Math.min(commitTimestamp + retentionTimeMs, Number.MAX_SAFE_INTEGER);
    return commits.map(({ topic, topicId, partition }) => ({
      kind: 'offset-commit',
      group: groupId,
      topic,
      partition: partition.partitionIndex,
      value: {
        offset: partition.committedOffset,
        leaderEpoch: partition.committedLeaderEpoch,
        metadata: partition.committedMetadata ?? '',
        commitTimestamp,
        expireTimestamp,
        topicId,
      },
    }));
  }
}

function placeOf({ topic, partition }: Commit): Place {
  return { topic, partition: partition.partitionIndex };
}

function answerTo(request: CommitRequest, commits: readonly Commit[][]): CommitResponse {
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, topicId }, at) => ({
      name,
      topicId,
      partitions: (commits[at] as Commit[]).map(({ partition, error }) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: error,
      })),
    })),
  };
}
