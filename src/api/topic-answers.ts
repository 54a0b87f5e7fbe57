/** The partitions of a fetch answer by their topics: those of one topic stand together, wherever they were named. */
import type { Fetch } from '../wire/messages/fetch.ts';
import type { ResponseInput } from '../wire/schema.ts';

export type PartitionAnswer = ResponseInput<typeof Fetch>['responses'][number]['partitions'][number];

interface TopicAnswer {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: PartitionAnswer[];
}

export class TopicAnswers {
  readonly all: TopicAnswer[] = [];
  /** From the second topic on. */
  #byTopic: Map<string, PartitionAnswer[]> | null = null;

  of(topic: string, topicId: string): PartitionAnswer[] {
    const { all } = this;
    if (all.length > 0) {
      const last = all[all.length - 1] as TopicAnswer;
      if (last.topic === topic && last.topicId === topicId) return last.partitions;
      this.#byTopic ??= new Map([[last.topic + last.topicId, last.partitions]]);
    }
    const known = this.#byTopic?.get(topic + topicId);
    if (known !== undefined) return known;
    const partitions: PartitionAnswer[] = [];
    all.push({ topic, topicId, partitions });
    this.#byTopic?.set(topic + topicId, partitions);
    return partitions;
  }
}
