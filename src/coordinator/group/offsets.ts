/**
 * What groups have committed, by group, topic and partition: always what the log says as far as it is committed. Counts, for each,
 * the writes that have not ended, so that whoever removes offsets removes what is about to be there as well.
 */
import { assert } from '../../base/assert.ts';
import type { OffsetCommitRecord, OffsetCommitValue } from './records.ts';

interface Entry {
  value: OffsetCommitValue | null;
  writing: number;
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
}

export interface CommittedOffset extends Place {
  /** Null when the first commit has not ended. */
  readonly value: OffsetCommitValue | null;
  readonly isWriting: boolean;
}

type Partitions = Map<number, Entry>;
type PlaceOfGroup = Pick<OffsetCommitRecord, 'group' | 'topic' | 'partition'>;

export class Offsets {
  readonly #byGroup = new Map<string, Map<string, Partitions>>();

  get({ group, topic, partition }: PlaceOfGroup): OffsetCommitValue | null {
    return this.#entry(group, topic, partition)?.value ?? null;
  }

  /** Whether what is committed may be another offset in a moment. */
  isUnstable({ group, topic, partition }: PlaceOfGroup): boolean {
    return (this.#entry(group, topic, partition)?.writing ?? 0) > 0;
  }

  groups(): IterableIterator<string> {
    return this.#byGroup.keys();
  }

  topicsOf(group: string): IterableIterator<string> {
    return (this.#byGroup.get(group) ?? new Map<string, Partitions>()).keys();
  }

  of(group: string): CommittedOffset[] {
    const topics = this.#byGroup.get(group);
    if (topics === undefined) return [];
    return Array.from(topics.keys()).flatMap((topic) => this.ofTopic(group, topic));
  }

  ofTopic(group: string, topic: string): CommittedOffset[] {
    const partitions = this.#byGroup.get(group)?.get(topic);
    if (partitions === undefined) return [];
    return Array.from(partitions, ([partition, { value, writing }]) => ({
      topic,
      partition,
      value,
      isWriting: writing > 0,
    }));
  }

  /** What the log says. */
  apply({ group, topic, partition, value }: OffsetCommitRecord): void {
    const entry = this.#entryOrNew(group, topic, partition);
    entry.value = value;
    this.#dropIfVoid(group, topic, partition, entry);
  }

  beginWrite({ group, topic, partition }: PlaceOfGroup): void {
    this.#entryOrNew(group, topic, partition).writing += 1;
  }

  endWrite(record: OffsetCommitRecord, isCommitted: boolean): void {
    const { group, topic, partition, value } = record;
    const entry = this.#entry(group, topic, partition);
    assert(entry !== undefined && entry.writing > 0, 'a write ends once', { group, topic, partition });
    entry.writing -= 1;
    if (isCommitted) entry.value = value;
    this.#dropIfVoid(group, topic, partition, entry);
  }

  #entry(group: string, topic: string, partition: number): Entry | undefined {
    return this.#byGroup.get(group)?.get(topic)?.get(partition);
  }

  #entryOrNew(group: string, topic: string, partition: number): Entry {
    let topics = this.#byGroup.get(group);
    if (topics === undefined) {
      topics = new Map();
      this.#byGroup.set(group, topics);
    }
    let partitions = topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      topics.set(topic, partitions);
    }
    let entry = partitions.get(partition);
    if (entry === undefined) {
      entry = { value: null, writing: 0 };
      partitions.set(partition, entry);
    }
    return entry;
  }

  #dropIfVoid(group: string, topic: string, partition: number, { value, writing }: Entry): void {
    if (value !== null || writing > 0) return;
    const topics = this.#byGroup.get(group);
    const partitions = topics?.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) topics?.delete(topic);
    if (topics?.size === 0) this.#byGroup.delete(group);
  }
}
