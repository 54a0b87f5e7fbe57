import { expect, test } from 'vitest';
import { FileTable } from '../../src/log/leases.ts';

function table(slots: number, first = 0, count = slots) {
  const words = new Int32Array(FileTable.memory(slots));
  return { words, owner: new FileTable(words, first, count), other: new FileTable(words) };
}

test('the last one closes, whoever it is', () => {
  const { owner, other } = table(4);
  const slot = owner.add(70);
  owner.retain(slot);
  expect(other.leased()).toBe(1);
  expect(owner.drop(slot)).toBe(-1);
  expect(other.descriptor(slot)).toBe(70);
  expect(other.release(slot)).toBe(70);
  expect(other.leased()).toBe(0);
});

test('the owner closes when no lease is out', () => {
  const { owner, other } = table(4);
  const slot = owner.add(70);
  owner.retain(slot);
  expect(other.release(slot)).toBe(-1);
  expect(owner.drop(slot)).toBe(70);
});

test('a lease may be multiplied by whoever has one', () => {
  const { owner, other } = table(4);
  const slot = owner.add(5);
  owner.retain(slot);
  owner.drop(slot);
  other.retain(slot);
  expect(other.leased()).toBe(2);
  expect(other.release(slot)).toBe(-1);
  expect(other.release(slot)).toBe(5);
});

test('a slot that nobody holds cannot be retained or released', () => {
  const { owner } = table(4);
  expect(() => owner.retain(0)).toThrow('holds the file');
  expect(() => owner.release(1)).toThrow('released once');
});

test('slots come from the own stripe, are used again, and run out', () => {
  const { words, owner } = table(8, 2, 3);
  const slots = [owner.add(1), owner.add(2), owner.add(3)];
  expect(slots.toSorted()).toEqual([2, 3, 4]);
  expect(owner.add(4)).toBe(-1);
  expect(owner.drop(3)).toBe(2);
  expect(owner.add(9)).toBe(3);
  const next = new FileTable(words, 5, 3);
  expect(next.add(1)).toBe(5);
});

test('descriptor 0 is a file like any other', () => {
  const { owner } = table(2);
  const slot = owner.add(0);
  expect(owner.descriptor(slot)).toBe(0);
  expect(owner.drop(slot)).toBe(0);
});
