/** Record sections to walk: well-formed ones from a seed, some of them then damaged, and arbitrary bytes. */
import fc from 'fast-check';
import { SeededRandom } from '../../src/base/random.ts';

export interface Section {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly needKeys: boolean;
}

export interface MadeRecord {
  readonly timestampDelta: bigint;
  readonly offsetDelta: number;
  readonly key: number | null;
  readonly value: number | null;
  /** Lengths of key and value. */
  readonly headers: readonly (readonly [number, number | null])[];
}

function varint(out: number[], value: bigint): void {
  let folded = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; folded >= 0x80n; folded >>= 7n) out.push(Number(folded & 0x7fn) | 0x80);
  out.push(Number(folded));
}

function field(out: number[], length: number | null): void {
  varint(out, BigInt(length ?? -1));
  for (let i = 0; i < (length ?? 0); i++) out.push((i * 31 + 200) & 0xff);
}

export function encodeRecord(record: MadeRecord): number[] {
  const body: number[] = [0];
  varint(body, record.timestampDelta);
  varint(body, BigInt(record.offsetDelta));
  field(body, record.key);
  field(body, record.value);
  varint(body, BigInt(record.headers.length));
  for (const [key, value] of record.headers) {
    field(body, key);
    field(body, value);
  }
  const out: number[] = [];
  varint(out, BigInt(body.length));
  return out.concat(body);
}

/** About a third whole; the others with a byte changed, cut, with bytes behind, or with another count. */
export function randomSection(seed: number): Section {
  const random = new SeededRandom(seed);
  const count = random.below(20);
  const nullable = (limit: number) => (random.below(5) === 0 ? null : random.below(limit));
  const parts: number[] = [];
  for (let i = 0; i < count; i++) {
    const headers = Array.from({ length: random.below(3) }, () => [random.below(70), nullable(70)] as const);
    const size = random.below(8) === 0 ? 20_000 : 200;
    const wide = BigInt(random.below(0x7fffffff)) << BigInt(random.below(33));
    const timestampDelta = random.below(3) === 0 ? -wide : random.below(3) === 0 ? wide : BigInt(random.below(100));
    const offsetDelta = random.below(200) === 0 ? random.below(200) : i;
    for (const byte of encodeRecord({
      timestampDelta,
      offsetDelta,
      key: nullable(90),
      value: nullable(size),
      headers,
    })) {
      parts.push(byte);
    }
  }
  const needKeys = random.below(4) === 0;
  const bytes = Uint8Array.from(parts);
  switch (random.below(6)) {
    case 0:
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
      return { bytes, count, needKeys };
    case 1:
      return { bytes: bytes.slice(0, random.below(bytes.length + 1)), count, needKeys };
    case 2:
      return { bytes: Uint8Array.from([...parts, random.below(256)]), count, needKeys };
    case 3:
      return { bytes, count: count - 1 + random.below(3), needKeys };
    default:
      return { bytes, count, needKeys };
  }
}

/** Bytes that a reader of variable-length integers finds awkward. */
const awkward = fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0x0f, 0x10, 0xff), fc.nat(255));

export const sectionArbitrary: fc.Arbitrary<Section> = fc.record({
  bytes: fc.array(awkward, { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes)),
  count: fc.integer({ min: -1, max: 5 }),
  needKeys: fc.boolean(),
});
