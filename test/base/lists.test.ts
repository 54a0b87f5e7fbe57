import { expect, test } from 'vitest';
import { empty, takeFirst } from '../../src/base/lists.ts';

test('a short list gives its first, and the others keep their order', () => {
  const list = [1, 2, 3];
  expect([takeFirst(list), takeFirst(list)]).toEqual([1, 2]);
  expect(list).toEqual([3]);
  list.push(4);
  empty(list);
  expect(list).toEqual([]);
});
