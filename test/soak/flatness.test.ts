/** What the soak calls flat. */
import { expect, test } from 'vitest';
import { flatness, quantile } from './flatness.ts';

const BOUNDS = { ratioMax: 1.1, moreMax: 5 };
const at = Array.from({ length: 30 }, (_, index) => index * 60_000);

test('noise around a level is flat, a rise is not', () => {
  const noisy = at.map((_, index) => 100 + (index % 3));
  expect(flatness(at, noisy, BOUNDS)).toMatchObject({ first: 100, last: 100, flat: true });
  const rising = at.map((_, index) => 100 + index);
  const found = flatness(at, rising, BOUNDS);
  expect(found).toMatchObject({ first: 102, last: 122, flat: false });
  // One a minute.
  expect(found.slope).toBeCloseTo(60);
});

test('a single spike is no rise, and small numbers may rise by a little', () => {
  expect(
    flatness(
      at,
      at.map((_, index) => (index === 25 ? 9_000 : 100)),
      BOUNDS,
    ).flat,
  ).toBe(true);
  expect(
    flatness(
      at,
      at.map((_, index) => (index < 15 ? 2 : 6)),
      BOUNDS,
    ).flat,
  ).toBe(true);
  expect(
    flatness(
      at,
      at.map((_, index) => (index < 15 ? 2 : 8)),
      BOUNDS,
    ).flat,
  ).toBe(false);
});

test('what comes and goes is no rise, what stays is one', () => {
  const busy = (until: number) => at.map((_, index) => (index >= 21 && index < until ? 200 : 100));
  expect(flatness(at, busy(27), BOUNDS).flat).toBe(true);
  expect(flatness(at, busy(30), BOUNDS).flat).toBe(false);
});

test('what falls is flat', () => {
  expect(
    flatness(
      at,
      at.map((_, index) => 100 - index),
      BOUNDS,
    ).flat,
  ).toBe(true);
});

test('quantiles', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile([], 0.5)]).toEqual([51, 100, 0]);
});
