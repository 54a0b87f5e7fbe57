/** S117: a name's partition is Kafka's. */
import { expect, test } from 'vitest';
import { coordinatorPartition, javaHash } from '../../src/coordinator/partitioning.ts';

test('the hash is Java’s', () => {
  expect(javaHash('')).toBe(0);
  expect(javaHash('hello')).toBe(99_162_322);
  expect(javaHash('polygenelubricants')).toBe(-0x80000000);
  expect(javaHash('Größe€😀')).toBe(hashOfUnits('Größe€😀'));
});

/** In exact numbers, cut to 32 bits at the end. */
function hashOfUnits(text: string): number {
  let hash = 0n;
  for (let i = 0; i < text.length; i++) hash = hash * 31n + BigInt(text.charCodeAt(i));
  return Number(BigInt.asIntN(32, hash));
}

test('without its sign, modulo the partitions', () => {
  expect(coordinatorPartition('hello', 50)).toBe(99_162_322 % 50);
  expect(coordinatorPartition('polygenelubricants', 50)).toBe(0);
  for (let i = 0; i < 1_000; i++) {
    const partition = coordinatorPartition(`group-${i}`, 50);
    expect(partition).toBe(Math.abs(hashOfUnits(`group-${i}`)) % 50);
  }
});
