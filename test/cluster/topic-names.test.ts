import { describe, expect, it } from 'vitest';
import { CollidingNames, topicNameProblem } from '../../src/cluster/topic-names.ts';

describe('a name', () => {
  it.each(['a', 'Orders-2026_v1.raw', '...', '__consumer_offsets', 'x'.repeat(249), '-'])('%s is legal', (name) => {
    expect(topicNameProblem(name)).toBeNull();
  });

  it.each(['', '.', '..', 'x'.repeat(250), 'a b', 'a/b', 'ä', 'a\n', 'a\0', 'a:b', '<default>'])(
    '%j is not',
    (name) => {
      expect(topicNameProblem(name)).not.toBeNull();
    },
  );
});

describe('names collide', () => {
  it("when they differ in '.' and '_' only", () => {
    const names = new CollidingNames();
    for (const name of ['a.b', 'plain', 'c_d']) names.add(name);
    expect(names.collision('a_b')).toBe('a.b');
    expect(names.collision('c.d')).toBe('c_d');
    expect(names.collision('a.b')).toBeNull();
    expect(names.collision('plain')).toBeNull();
    expect(names.collision('a-b')).toBeNull();
    names.remove('a.b');
    expect(names.collision('a_b')).toBeNull();
  });
});
