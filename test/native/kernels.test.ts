import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WALK_BAD_LAYOUT, WALK_BAD_OFFSET_DELTA, WALK_NO_KEY, WALK_OK } from '../../src/base/kernels.ts';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { cutFrames, PortableKernels, searchOffsetIndex, searchTimeIndex } from '../../src/base/portable-kernels.ts';
import type { Native } from '../../src/runtime/ground/native.ts';
import { nativeMemory } from '../../src/runtime/ground/native-disk.ts';
import { nativeKernels } from '../../src/runtime/ground/native-kernels.ts';
import { randomSection, type Section, sectionArbitrary } from '../base/sections.ts';
import { describeNative, good, native, sharedMemory, temporaryFolder } from './kit.ts';

const folder = temporaryFolder();
const portable = new PortableKernels();

describeNative('the addon and its twin in TypeScript', () => {
  const kernels = nativeKernels(native);

  /** The same bytes, known to the addon. */
  function withMemory<T>(bytes: Uint8Array, use: (memory: Memory) => T): T {
    const memory = sharedMemory(bytes.length);
    memory.bytes.set(bytes);
    try {
      return use(memory);
    } finally {
      native.unregister(memory.id);
    }
  }

  it('sum alike: any bytes, any start, any length', () => {
    const memory = sharedMemory(20_000);
    for (let i = 0; i < memory.bytes.length; i++) memory.bytes[i] = Math.imul(i + 1, 2654435761) >>> 23;
    for (let length = 0; length < 1300; length++) {
      expect(kernels.crc32c(memory, length % 9, length)).toBe(portable.crc32c(memory, length % 9, length));
    }
    fc.assert(
      fc.property(fc.nat(9000), fc.nat(11_000), fc.integer({ min: 0, max: 0xffffffff }), (offset, length, seed) => {
        const sum = kernels.crc32c(memory, offset, length, seed);
        expect(sum).toBe(portable.crc32c(memory, offset, length, seed));
        const part = Math.floor(length / 3);
        expect(kernels.crc32c(memory, offset + part, length - part, kernels.crc32c(memory, offset, part, seed))).toBe(
          sum,
        );
      }),
    );
    native.unregister(memory.id);
  });

  it('sum the check string as the standard says', () => {
    const bytes = new TextEncoder().encode('123456789');
    expect(withMemory(bytes, (memory) => kernels.crc32c(memory, 0, 9))).toBe(0xe3069283);
    expect(kernels.crc32c(memoryOver(bytes), 0, 9)).toBe(0xe3069283);
  });

  it('move alike, overlapping or not', () => {
    const start = new Uint8Array(3000).map((_, i) => Math.imul(i, 167) >>> 3);
    const one = sharedMemory(start.length);
    const two = memoryOver(new Uint8Array(new SharedArrayBuffer(start.length)));
    const truth = new Uint8Array(start.length);
    fc.assert(
      fc.property(fc.nat(1500), fc.nat(1500), fc.nat(1500), (to, from, length) => {
        for (const bytes of [one.bytes, two.bytes, truth]) bytes.set(start);
        truth.copyWithin(to, from, from + length);
        kernels.move(one, to, one, from, length);
        portable.move(two, to, two, from, length);
        expect(Buffer.compare(one.bytes, truth)).toBe(0);
        expect(Buffer.compare(two.bytes, truth)).toBe(0);
      }),
    );
    native.unregister(one.id);
  });

  function expectSameWalk(section: Section): number {
    return withMemory(section.bytes, (memory) => {
      const { count, needKeys } = section;
      const found = kernels.walkRecords(memory, 0, section.bytes.length, count, needKeys);
      const native = { ...kernels.walk };
      expect(found).toBe(portable.walkRecords(memoryOver(section.bytes), 0, section.bytes.length, count, needKeys));
      if (found === WALK_OK) expect(native).toEqual(portable.walk);
      return found;
    });
  }

  it('walk alike over whole and mutated record sections, and meet every answer', () => {
    const seen = new Map<number, number>();
    for (let seed = 1; seed <= 2000; seed++) {
      const found = expectSameWalk(randomSection(seed));
      seen.set(found, (seen.get(found) ?? 0) + 1);
    }
    for (const code of [WALK_OK, WALK_BAD_LAYOUT, WALK_BAD_OFFSET_DELTA, WALK_NO_KEY]) {
      expect(seen.get(code) ?? 0).toBeGreaterThan(20);
    }
  });

  it('walk alike over anything', () => {
    fc.assert(fc.property(sectionArbitrary, (section) => void expectSameWalk(section)));
  });

  it('cut frames alike', () => {
    const frame = fc.oneof(
      { weight: 8, arbitrary: fc.record({ said: fc.nat(40), there: fc.constant(-1) }) },
      { weight: 1, arbitrary: fc.record({ said: fc.integer(), there: fc.nat(10) }) },
    );
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 12 }),
        fc.nat(9),
        fc.nat(60),
        fc.nat(14),
        (frames, offset, max, outMax) => {
          const parts: number[] = Array<number>(offset).fill(0xee);
          for (const { said, there } of frames) {
            parts.push((said >>> 24) & 0xff, (said >>> 16) & 0xff, (said >>> 8) & 0xff, said & 0xff);
            for (let i = 0; i < (there < 0 ? said : there); i++) parts.push(i & 0xff);
          }
          const bytes = Uint8Array.from(parts);
          const [out, expected] = [new Int32Array(outMax * 2), new Int32Array(outMax * 2)];
          const length = bytes.length - offset;
          const count = withMemory(bytes, ({ id }) => native.cutFrames(id, offset, length, max, out, outMax));
          expect(count).toBe(cutFrames(memoryOver(bytes), offset, length, max, expected, outMax));
          expect(out).toEqual(expected);
        },
      ),
    );
  });

  const searches = [
    [
      'offset',
      8,
      (view: DataView, at: number, key: number) => view.setInt32(at, key),
      'searchOffset',
      searchOffsetIndex,
    ],
    [
      'time',
      12,
      (view: DataView, at: number, key: number) => view.setBigInt64(at, BigInt(key)),
      'searchTime',
      searchTimeIndex,
    ],
  ] as const satisfies readonly (readonly [string, number, unknown, keyof Native, unknown])[];

  it.each(searches)('search a %s index alike, sorted or not, with equal keys', (kind, entryBytes, put, name, twin) => {
    const path = join(folder, kind);
    const keys = kind === 'offset' ? fc.integer() : fc.maxSafeInteger();
    const near = fc.nat(12);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(keys, near), { minLength: 1, maxLength: 60 }),
        fc.boolean(),
        fc.oneof(keys, near),
        (found, sorted, target) => {
          const list = sorted ? found.toSorted((a, b) => a - b) : found;
          const view = new DataView(new ArrayBuffer(list.length * entryBytes));
          list.forEach((key, i) => {
            put(view, i * entryBytes, key);
          });
          const file = openSync(path, 'w+');
          writeSync(file, view);
          const map = good(native.map(file, view.byteLength));
          closeSync(file);
          for (let entries = 0; entries <= list.length; entries++) {
            const slot = native[name](map, entries, target);
            expect(slot).toBe(twin(view, entries, target));
            if (sorted) expect(slot).toBe(list.slice(0, entries).findLastIndex((key) => key <= target));
          }
          good(native.unmap(map));
        },
      ),
    );
  });

  it('refuse what lies outside', () => {
    const memory = sharedMemory(100);
    const out = new Int32Array(4);
    const result = new Float64Array(2);
    expect(() => native.crc32c(memory.id, 90, 11, 0)).toThrow(TypeError);
    expect(() => native.crc32c(memory.id, -1, 1, 0)).toThrow(TypeError);
    expect(() => native.crc32c(memory.id, 0.5, 1, 0)).toThrow(TypeError);
    expect(() => native.crc32c(memory.id, Number.NaN, 1, 0)).toThrow(TypeError);
    expect(() => native.crc32c(memory.id, 2 ** 53, 1, 0)).toThrow(TypeError);
    expect(() => native.crc32c(memory.id, 0, 1, 2 ** 32)).toThrow(TypeError);
    expect(() => native.crc32c(memory.id + 1000, 0, 1, 0)).toThrow('crc32c: memory');
    expect(() => native.crc32c(-1, 0, 1, 0)).toThrow(TypeError);
    expect(() => native.crc32c('0' as unknown as number, 0, 1, 0)).toThrow(TypeError);
    expect(() => (native.crc32c as () => number)()).toThrow(TypeError);
    expect(() => native.move(memory.id, 50, memory.id, 0, 51)).toThrow(TypeError);
    expect(() => native.move(memory.id, 0, memory.id, 50, 51)).toThrow(TypeError);
    expect(() => native.walkRecords(memory.id, 0, 101, 1, false, result)).toThrow(TypeError);
    expect(() => native.walkRecords(memory.id, 0, 100, 1, false, new Float64Array(1))).toThrow(TypeError);
    expect(() => native.cutFrames(memory.id, 0, 100, 10, out, 3)).toThrow(TypeError);
    expect(() => native.cutFrames(memory.id, 0, 101, 10, out, 2)).toThrow(TypeError);
    expect(() => native.cutFrames(memory.id, 0, 100, 10, new Float64Array(4) as unknown as Int32Array, 2)).toThrow(
      TypeError,
    );
    expect(() => native.register(new Int8Array(4) as unknown as Uint8Array)).toThrow(TypeError);
    native.unregister(memory.id);
    expect(() => native.unregister(memory.id)).toThrow(TypeError);
    expect(() => native.crc32c(memory.id, 0, 1, 0)).toThrow(TypeError);
  });

  it('know blocks by numbers that are used again, shared and plain', () => {
    const plain = nativeMemory(native, new Uint8Array(1000).subarray(10, 110));
    const shared = nativeMemory(native, new Uint8Array(new SharedArrayBuffer(1000), 20, 100));
    plain.bytes.fill(7);
    native.move(shared.id, 0, plain.id, 0, 100);
    expect(shared.bytes.every((byte) => byte === 7)).toBe(true);
    expect(() => native.crc32c(plain.id, 0, 101, 0)).toThrow(TypeError);
    native.unregister(plain.id);
    const next = sharedMemory(8);
    expect(next.id).toBe(plain.id);
    native.unregister(next.id);
    native.unregister(shared.id);
  });

  it('give pages back as zeros, whole ones only', () => {
    const memory = sharedMemory(1 << 20);
    for (let i = 0; i < memory.bytes.length; i++) memory.bytes[i] = 1;
    good(native.release(memory.id, 100, (1 << 20) - 200));
    expect(memory.bytes[99]).toBe(1);
    expect(memory.bytes[(1 << 20) - 1]).toBe(1);
    const zeros = memory.bytes.reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0);
    expect(zeros).toBeGreaterThan((1 << 20) - 200 - 2 * 65_536);
    expect(zeros).toBeLessThanOrEqual((1 << 20) - 200);
    good(native.release(memory.id, 5, 10));
    expect(memory.bytes[7]).toBe(1);
    native.unregister(memory.id);
  });
});
