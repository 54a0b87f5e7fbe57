import { describe, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { Batches } from '../../src/perf/batches.ts';
import { readBatches } from '../kit/records.ts';

const MARK = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);

describe('the batches of a load', () => {
  test.each([
    [1024, 1 << 20],
    [16, 1 << 16],
    [100, 1000],
    [1000, 10],
  ])('of values of %i bytes are as large as %i bytes let them be', (recordBytes, batchBytes) => {
    const batches = new Batches(recordBytes, batchBytes, 0, MARK);
    const [read] = readBatches(memoryOver(batches.template), 0, batches.bytes);
    expect(read?.records).toHaveLength(batches.records);
    expect(read?.records.every(({ value }) => value?.length === recordBytes)).toBe(true);
    if (batches.records > 1) expect(batches.bytes).toBeLessThanOrEqual(batchBytes);
    // Another would not fit, but where the first ones of very many have shorter numbers than the last.
    expect(batches.bytes + Math.max(recordBytes + 16, batchBytes / 100)).toBeGreaterThan(batchBytes);
  });

  test('keep their number, under a checksum that holds, and know those of another run', () => {
    const batches = new Batches(64, 300, 0, MARK);
    const numbered = memoryOver(batches.numbered(12_345));
    expect(readBatches(numbered, 0, batches.bytes)).toHaveLength(1);
    expect(batches.numberOf(numbered, 0)).toBe(12_345);
    const other = new Batches(64, 300, 0, new Uint8Array(8).fill(9));
    expect(other.numberOf(numbered, 0)).toBe(-1);
    expect(new Batches(65, 300, 0, MARK).numberOf(numbered, 0)).toBe(-1);
  });
});
