import { expect, test } from 'vitest';
import { TopicAnswers } from '../../src/api/topic-answers.ts';

test('partitions of one topic stand together, in whatever order they come', () => {
  const answers = new TopicAnswers();
  const named = [
    ['a', ''],
    ['b', ''],
    ['a', ''],
    ['', 'id'],
    ['b', ''],
    ['', 'id'],
    ['c', ''],
  ] as const;
  for (const [partitionIndex, [topic, id]] of named.entries())
    answers.of(topic, id).push({ partitionIndex } as ReturnType<TopicAnswers['of']>[number]);
  expect(
    answers.all.map(({ topic, topicId, partitions }) => [topic, topicId, partitions.map((one) => one.partitionIndex)]),
  ).toEqual([
    ['a', '', [0, 2]],
    ['b', '', [1, 4]],
    ['', 'id', [3, 5]],
    ['c', '', [6]],
  ]);
});
