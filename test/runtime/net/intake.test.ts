/** The intake: chunks are reused only when nobody holds them, large frames come in by turns and within the budget. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryOver } from '../../../src/base/memory.ts';
import {
  type Applicant,
  type Block,
  CHUNK_BYTES,
  FRAME_BYTES_MAX,
  Intake,
  intakeBytes,
  SMALL_FRAME_BYTES_MAX,
} from '../../../src/runtime/net/intake.ts';

const LIMITS = { queuedBytesMax: 1_048_576, frameBytesMax: 4_194_304 };
const MEMORY = memoryOver(new Uint8Array(intakeBytes(LIMITS)));

class Waiting implements Applicant {
  readonly frameBytes: number;
  readonly order: Waiting[];
  block: Block | null = null;

  constructor(frameBytes: number, order: Waiting[]) {
    this.frameBytes = frameBytes;
    this.order = order;
  }

  admitted(block: Block): void {
    this.block = block;
    this.order.push(this);
  }
}

let intake: Intake;
beforeEach(() => {
  intake = new Intake(MEMORY, LIMITS);
});

function atRest(): void {
  intake.rest();
  expect(intake.heldBlocks).toBe(0);
  expect(intake.heldBytes).toBe(0);
  expect(intake.waiting).toBe(0);
}

describe('chunks', () => {
  test('one that nobody holds starts again at its front; one that is held goes on behind its tail', () => {
    const chunk = intake.chunk() as Block;
    chunk.tail += 1_000;
    expect((intake.chunk() as Block).tail).toBe(chunk.offset);
    chunk.tail += 1_000;
    intake.retain(chunk);
    expect(intake.chunk()).toBe(chunk);
    expect(chunk.tail).toBe(chunk.offset + 1_000);
    expect(intake.isCurrent(chunk)).toBe(true);
    intake.release(chunk);
    expect((intake.chunk() as Block).tail).toBe(chunk.offset);
    atRest();
  });

  test('a full one stays with its holders and the next one lies elsewhere', () => {
    const first = intake.chunk() as Block;
    intake.retain(first);
    first.tail = first.offset + first.bytes - 1_000;
    const second = intake.chunk() as Block;
    expect(second).not.toBe(first);
    expect(Math.abs(second.offset - first.offset)).toBeGreaterThanOrEqual(CHUNK_BYTES);
    expect(intake.isCurrent(first)).toBe(false);
    expect(intake.heldBlocks).toBe(1);
    intake.rest();
    expect(intake.heldBlocks).toBe(1);
    intake.release(first);
    expect(() => intake.release(first)).toThrow('once by each holder');
    atRest();
  });

  test('end with the memory, and come again when somebody lets go', () => {
    const held: Block[] = [];
    for (let chunk = intake.chunk(); chunk !== null; chunk = intake.chunk()) {
      intake.retain(chunk);
      chunk.tail = chunk.offset + chunk.bytes;
      held.push(chunk);
    }
    expect(held.length).toBe(67_108_864 / CHUNK_BYTES);
    expect(new Set(held.map(({ offset }) => offset)).size).toBe(held.length);
    expect(intake.slot(10)).toBeNull();
    intake.release(held.pop() as Block);
    expect(intake.chunk()).not.toBeNull();
    for (const chunk of held) intake.release(chunk);
    atRest();
  });
});

describe('admission', () => {
  test('what is held stays within the budget, in the order of asking, and everything comes back', () => {
    const bytes = fc.oneof(
      fc.integer({ min: SMALL_FRAME_BYTES_MAX + 1, max: 400_000 }),
      fc.integer({ min: SMALL_FRAME_BYTES_MAX + 1, max: LIMITS.frameBytesMax + 4 }),
    );
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('apply' as const), bytes }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), which: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), which: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const), which: fc.nat() }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        intake = new Intake(MEMORY, LIMITS);
        let line: Waiting[] = [];
        const admitted: Waiting[] = [];
        let holding: Waiting[] = [];
        const turn = (): void => {
          const from = admitted.length;
          intake.admitWaiting();
          const came = admitted.slice(from);
          expect(came).toEqual(line.slice(0, came.length));
          line = line.slice(came.length);
          holding.push(...came);
        };
        const check = (): void => {
          const blocks = holding.map(({ block }) => block as Block).sort((a, b) => a.offset - b.offset);
          const sum = holding.reduce((total, { frameBytes }) => total + frameBytes, 0);
          expect(sum <= LIMITS.queuedBytesMax || holding.length === 1).toBe(true);
          for (const [i, block] of blocks.entries()) {
            expect(block.offset + block.bytes).toBeLessThanOrEqual(blocks[i + 1]?.offset ?? MEMORY.bytes.length);
          }
          expect(intake.heldBlocks).toBe(holding.length);
          expect(intake.waiting).toBe(line.length);
        };
        for (const one of steps) {
          if (one.kind === 'apply') {
            const applicant = new Waiting(one.bytes, admitted);
            const block = intake.apply(applicant);
            if (block === null) line.push(applicant);
            else {
              expect(line, 'nobody overtakes').toEqual([]);
              applicant.block = block;
              holding.push(applicant);
            }
          } else if (one.kind === 'release' && holding.length > 0) {
            const [out] = holding.splice(one.which % holding.length, 1) as [Waiting];
            intake.release(out.block as Block);
          } else if (one.kind === 'withdraw' && line.length > 0) {
            const [out] = line.splice(one.which % line.length, 1) as [Waiting];
            intake.withdraw(out);
          } else if (one.kind === 'turn') turn();
          check();
        }
        // Nobody waits for ever: whoever is in gets out, and the line moves up.
        while (line.length > 0 || holding.length > 0) {
          for (const { block } of holding) intake.release(block as Block);
          holding = [];
          const before = line.length;
          turn();
          expect(before === 0 || line.length < before).toBe(true);
          check();
        }
        atRest();
      }),
      { numRuns: 150 },
    );
  });

  test('a frame above the whole budget is taken, alone', () => {
    const order: Waiting[] = [];
    const small = intake.apply(new Waiting(100_000, order)) as Block;
    const huge = new Waiting(LIMITS.frameBytesMax + 4, order);
    const behind = new Waiting(100_000, order);
    expect(intake.apply(huge)).toBeNull();
    expect(intake.apply(behind), 'a small one does not overtake').toBeNull();
    intake.admitWaiting();
    expect(order).toEqual([]);
    intake.release(small);
    intake.admitWaiting();
    expect(order).toEqual([huge]);
    intake.release(huge.block as Block);
    intake.admitWaiting();
    expect(order).toEqual([huge, behind]);
    intake.release(behind.block as Block);
    atRest();
  });
});

describe('areas', () => {
  test('small ones are slots, larger ones lie among the chunks, and both come back', () => {
    const blocks = [1, SMALL_FRAME_BYTES_MAX, SMALL_FRAME_BYTES_MAX + 1, 5_000_000].map(
      (bytes) => intake.area(bytes) as Block,
    );
    expect(intake.heldBlocks).toBe(4);
    const sorted = [...blocks].sort((a, b) => a.offset - b.offset);
    for (const [i, block] of sorted.slice(1).entries()) {
      expect((sorted[i] as Block).offset + (sorted[i] as Block).bytes).toBeLessThanOrEqual(block.offset);
    }
    expect(intake.area(70_000_000)).toBeNull();
    for (const block of blocks) intake.release(block);
    atRest();
  });

  test('after a burst every idle page is offered back, and only those', () => {
    const kept = intake.area(300_000) as Block;
    const burst = intake.area(20_000_000) as Block;
    const offered: [number, number][] = [];
    intake.trim(1_000_000, (offset, bytes) => offered.push([offset, bytes]));
    expect(offered.length, 'what was there before').toBeGreaterThan(0);
    offered.length = 0;
    intake.trim(1_000_000, (offset, bytes) => offered.push([offset, bytes]));
    expect(offered, 'nothing is idle yet').toEqual([]);
    intake.release(burst);
    intake.trim(1_000_000, (offset, bytes) => offered.push([offset, bytes]));
    const covers = (at: number): boolean => offered.some(([offset, bytes]) => at >= offset && at < offset + bytes);
    expect(covers(burst.offset)).toBe(true);
    expect(covers(burst.offset + burst.bytes - 1)).toBe(true);
    expect(covers(kept.offset)).toBe(false);
    offered.length = 0;
    intake.trim(1_000_000, (offset, bytes) => offered.push([offset, bytes]));
    expect(offered, 'once is enough').toEqual([]);
    intake.release(kept);
  });
});

test('limits that int32 offsets cannot name are refused', () => {
  expect(intakeBytes({ queuedBytesMax: 2 ** 31 - 1, frameBytesMax: FRAME_BYTES_MAX })).toBeLessThan(2 ** 31);
  expect(() => intakeBytes({ queuedBytesMax: 1, frameBytesMax: FRAME_BYTES_MAX + 1 })).toThrow('can be held');
});
