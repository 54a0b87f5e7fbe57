import { describe, expect, test } from 'vitest';
import { lanePlans } from '../../src/perf/lanes.ts';

const A = { host: 'a', port: 1 };
const B = { host: 'b', port: 1 };
const led = (...leaders: (typeof A)[]) => leaders.map((leader, partition) => ({ partition, leader }));
const planned = (...words: Parameters<typeof lanePlans>) =>
  lanePlans(...words).map(({ leader, partitions }) => `${leader.host}:${partitions.join(',')}`);

describe('lanes', () => {
  test('of few connections serve several partitions each', () => {
    expect(planned(led(A, A, A, A, A), 2, true)).toEqual(['a:0,2,4', 'a:1,3']);
  });

  test('of many connections share partitions where they may', () => {
    expect(planned(led(A, A), 5, true)).toEqual(['a:0', 'a:1', 'a:0', 'a:1', 'a:0']);
    expect(planned(led(A, A), 5, false)).toEqual(['a:0', 'a:1']);
  });

  test('go to every leader, with at least one each', () => {
    expect(planned(led(A, B, A, B), 1, true)).toEqual(['a:0,2', 'b:1,3']);
    expect(planned(led(A, B, A, B), 3, true)).toEqual(['a:0', 'a:2', 'b:1,3']);
  });
});
