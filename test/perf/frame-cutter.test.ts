import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameCutter } from '../../src/perf/frame-cutter.ts';

test('frames come out as they went in, however they were cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (frames, cuts) => {
        const stream = Buffer.concat(
          frames.flatMap((frame) => {
            const size = Buffer.alloc(4);
            size.writeInt32BE(frame.length);
            return [size, frame];
          }),
        );
        const cutter = new FrameCutter();
        const got: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const end = Math.min(stream.length, at + (cuts[turn % cuts.length] as number));
          cutter.take(stream.subarray(at, end), (frame) => got.push(frame));
          at = end;
        }
        expect(got.map((frame) => [...frame])).toEqual(frames.map((frame) => [...frame]));
      },
    ),
  );
});
