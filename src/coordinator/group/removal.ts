/**
 * Offsets and groups that go, by request, with their topic or because their time is up: tombstones in the log first, then
 * out of memory. Large groups go in several batches, the group itself with the last.
 */
import { ERROR } from '../../wire/errors.ts';
import type { Desk } from './desk.ts';
import type { AnyGroup, Groups } from './groups.ts';
import type { Offsets, Place } from './offsets.ts';
import type { GroupRecord, OffsetCommitRecord } from './records.ts';

/** By estimate; well below what the log takes as one batch. */
const BATCH_BYTES_MAX = 256 * 1024;
const RECORD_BYTES = 40;
const BYTES_PER_CHARACTER_MAX = 3;
const MS_PER_MINUTE = 60_000;

export class Removal {
  readonly #desk: Desk;
  readonly #groups: Groups;
  readonly #offsets: Offsets;

  constructor(desk: Desk, groups: Groups, offsets: Offsets) {
    this.#desk = desk;
    this.#groups = groups;
    this.#offsets = offsets;
  }

  /** Told NONE when all of them are gone, else the first error. */
  forgetOffsets(group: string, places: readonly Place[], done: (error: number) => void): void {
    this.#writeAll(batchesOf(places.map((place) => tombstone(group, place))), done);
  }

  /** The group with all that it committed. It takes nothing more from here on, and is as before when this fails. */
  removeGroup(group: AnyGroup, done: (error: number) => void): void {
    const { id } = group;
    group.beginRemoval();
    const end = (error: number) => {
      if (error === ERROR.NONE) this.#groups.remove(id, ERROR.UNKNOWN_MEMBER_ID);
      else group.endRemoval();
      done(error);
    };
    const batches = batchesOf(this.#offsets.of(id).map((place) => tombstone(id, place)));
    const last = batches.pop() ?? [];
    const itself = group.tombstones();
    this.#writeAll(batches, (error) => {
      if (error !== ERROR.NONE || last.length + itself.length === 0) end(error);
      else this.#write(last, itself, end);
    });
  }

  /** The topic is no more: one that gets its name later starts without offsets. */
  topicDeleted(topic: string): void {
    for (const group of [...this.#offsets.groups()]) {
      const places = this.#offsets.ofTopic(group, topic);
      if (places.length > 0) this.forgetOffsets(group, places, (error) => this.#report(group, error));
    }
  }

  /** Offsets whose retention is over, and groups that hold nothing and nobody. */
  expire(now: number): void {
    for (const group of [...this.#groups.values()]) {
      if (group.deleteProblem() === ERROR.GROUP_ID_NOT_FOUND) continue;
      const expired = this.#expiredOffsets(group, now);
      const isAll = expired.length === this.#offsets.of(group.id).length;
      const report = (error: number) => this.#report(group.id, error);
      if (isAll && group.isEmpty && !group.isBusy) this.removeGroup(group, report);
      else if (expired.length > 0) this.forgetOffsets(group.id, expired, report);
    }
  }

  #expiredOffsets(group: AnyGroup, now: number): Place[] {
    const retentionMs = this.#desk.settings.offsetsRetentionMinutes * MS_PER_MINUTE;
    return Array.from(this.#offsets.topicsOf(group.id))
      .filter((topic) => !group.isSubscribedTo(topic))
      .flatMap((topic) => this.#offsets.ofTopic(group.id, topic))
      .filter(({ value, isWriting }) => {
        const start = value === null || isWriting ? null : group.retentionStart(value);
        if (value === null || start === null) return false;
        return value.expireTimestamp < 0 ? now - start >= retentionMs : now >= value.expireTimestamp;
      });
  }

  #report(group: string, error: number): void {
    if (error !== ERROR.NONE) this.#desk.logger.warn('offsets were not removed', { group, error });
  }

  #writeAll(batches: readonly OffsetCommitRecord[][], done: (error: number) => void): void {
    let open = batches.length;
    let failed: number = ERROR.NONE;
    if (open === 0) done(failed);
    for (const batch of batches) {
      this.#write(batch, [], (error) => {
        if (failed === ERROR.NONE) failed = error;
        open -= 1;
        if (open === 0) done(failed);
      });
    }
  }

  #write(offsets: readonly OffsetCommitRecord[], itself: readonly GroupRecord[], done: (error: number) => void): void {
    for (const record of offsets) this.#offsets.beginWrite(record);
    this.#desk.writes.write([...offsets, ...itself], (error) => {
      for (const record of offsets) this.#offsets.endWrite(record, error === ERROR.NONE);
      done(error);
    });
  }
}

function tombstone(group: string, { topic, partition }: Place): OffsetCommitRecord {
  return { kind: 'offset-commit', group, topic, partition, value: null };
}

function batchesOf(records: readonly OffsetCommitRecord[]): OffsetCommitRecord[][] {
  const batches: OffsetCommitRecord[][] = [];
  let bytes = BATCH_BYTES_MAX;
  for (const record of records) {
    const size = RECORD_BYTES + BYTES_PER_CHARACTER_MAX * (record.group.length + record.topic.length);
    bytes += size;
    if (bytes > BATCH_BYTES_MAX) {
      batches.push([]);
      bytes = size;
    }
    batches.at(-1)?.push(record);
  }
  return batches;
}
