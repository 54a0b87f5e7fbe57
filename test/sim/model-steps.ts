/** What is done to a log and its model in one step, as fast-check draws and shortens it. */
import fc from 'fast-check';

export const READ_BYTES = 900;

const producerId = fc.integer({ min: -1, max: 2 });
export const step = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      producerId,
      count: fc.integer({ min: 1, max: 5 }),
      valueBytes: fc.nat(180),
      /** Records are that much older than now. */
      lateMs: fc.oneof(fc.constant(0), fc.nat(5_000)),
      gzip: fc.nat(3).map((dice) => dice === 0),
      newEpoch: fc.nat(12).map((dice) => dice === 0),
    }),
  },
  // A batch of the log once more, as a producer sends it that has heard no answer.
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('repeat' as const), which: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('skip' as const), producerId, steps: fc.integer({ min: -9, max: 9 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('roll' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('fetch' as const), at: fc.nat(), bytesMax: fc.nat(READ_BYTES) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('time' as const), at: fc.nat(), plus: fc.integer({ min: -3, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retainBytes' as const), bytes: fc.nat(12_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retainMs' as const), ms: fc.nat(60_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(70_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('epoch' as const) }) },
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('sync' as const), meanwhile: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('crash' as const), seed: fc.nat() }) },
);
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
export type Append = Extract<Step, { kind: 'append' }>;

export const ROLLING: Append = {
  kind: 'append',
  producerId: -1,
  count: 1,
  valueBytes: 50,
  lateMs: 0,
  gzip: false,
  newEpoch: false,
};
export const SKIPPING: Append = { ...ROLLING, count: 2 };

/** The log knows from a snapshot what the list has no batch of any more: what it takes from such a producer comes behind that. */
export const KNOWN_BY_SNAPSHOT: [Step[], number] = [
  [
    { ...ROLLING, producerId: 0, count: 5, valueBytes: 180 },
    { kind: 'roll' },
    { kind: 'retainBytes', bytes: 100 },
    { kind: 'kill' },
    { kind: 'skip', producerId: 0, steps: 5 },
    { kind: 'skip', producerId: 0, steps: -5 },
  ],
  8,
];
