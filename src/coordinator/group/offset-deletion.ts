/** OffsetDelete: a group forgets offsets, unless it may need them: those of topics that its members consume stay. */
import { ERROR } from '../../wire/errors.ts';
import type { Desk } from './desk.ts';
import type { Groups } from './groups.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponse, Respond } from './messages.ts';
import type { Offsets, Place } from './offsets.ts';
import type { Removal } from './removal.ts';
import { offsetWriteError } from './write-errors.ts';

interface Deleted extends Place {
  error: number;
}

export class OffsetDeletion {
  readonly #desk: Desk;
  readonly #groups: Groups;
  readonly #offsets: Offsets;
  readonly #removal: Removal;

  constructor(desk: Desk, groups: Groups, offsets: Offsets, removal: Removal) {
    this.#desk = desk;
    this.#groups = groups;
    this.#offsets = offsets;
    this.#removal = removal;
  }

  delete(request: OffsetDeleteRequest, respond: Respond<OffsetDeleteResponse>): void {
    const { groupId } = request;
    const topics = request.topics.map(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => this.#look(name, partitionIndex)),
    );
    const answer = () => respond(answerTo(request, topics));
    const asked = topics.flat().filter(({ error }) => error === ERROR.NONE);
    const group = this.#groups.get(groupId);
    // Whoever commits without a name has a group of that name; only this request and consumer groups know of none.
    const problem =
      groupId === '' ? ERROR.INVALID_GROUP_ID : (group?.offsetDeleteProblem() ?? ERROR.GROUP_ID_NOT_FOUND);
    if (group === undefined || problem !== ERROR.NONE) {
      respond({ errorCode: problem, throttleTimeMs: 0, topics: [] });
      return;
    }
    for (const one of asked) if (group.isSubscribedTo(one.topic)) one.error = ERROR.GROUP_SUBSCRIBED_TO_TOPIC;
    const gone = asked.filter((one) => one.error === ERROR.NONE && this.#isThere(groupId, one));
    this.#removal.forgetOffsets(groupId, gone, (error) => {
      for (const one of gone) one.error = offsetWriteError(error);
      answer();
    });
  }

  #look(topic: string, partition: number): Deleted {
    const isThere = this.#desk.topics.hasPartition(topic, partition);
    return { topic, partition, error: isThere ? ERROR.NONE : ERROR.UNKNOWN_TOPIC_OR_PARTITION };
  }

  #isThere(group: string, { topic, partition }: Place): boolean {
    const place = { group, topic, partition };
    return this.#offsets.get(place) !== null || this.#offsets.isUnstable(place);
  }
}

function answerTo(request: OffsetDeleteRequest, topics: readonly Deleted[][]): OffsetDeleteResponse {
  return {
    errorCode: ERROR.NONE,
    throttleTimeMs: 0,
    topics: request.topics.map(({ name }, at) => ({
      name,
      partitions: (topics[at] as Deleted[]).map(({ partition, error }) => ({
        partitionIndex: partition,
        errorCode: error,
      })),
    })),
  };
}
