/**
 * Request frames that no client would send, from the tables of the APIs: any value that a version can carry, with names and
 * partitions that mean something where it is sent, and then a damage. One seed gives one frame, whatever came before it.
 */
import fc from 'fast-check';
import { SeededRandom } from '../../src/base/random.ts';
import { requestWriter } from '../../src/wire/compiler.ts';
import { beginFrame, endFrame, writeRequestHeader } from '../../src/wire/headers.ts';
import type { Api } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';
import { arbitraryStruct, encodingOf, type Value } from '../wire/values.ts';

/** A topic that is there, for requests to name. */
export interface Victim {
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
  /** A batch that it would take. */
  readonly batch: Uint8Array;
}

export interface FuzzFrame {
  readonly kind: Kind;
  /** With its length in front. */
  readonly bytes: Uint8Array;
}

const SIZE_BYTES = 4;
const VALUES = 12;
const CORRELATION = 7;
const VERSION_AT = 6;
/** Key, version, correlation id. */
const HEADER_BYTES = 8;

const INTS = [-1, -2, 0, 0x7f, 0x7fff, 0xffff, 0x10000, 0x7ffffffe, 0x7fffffff, -0x80000000];
const VARINTS: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0x07],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0x03],
  [0x7f],
  [0],
];

interface Mark {
  readonly at: number;
  readonly bytes: number;
}

/** Remembers where numbers stand: most of them are lengths and counts. */
class MarkingWriter extends Writer {
  readonly marks: Mark[] = [];

  override int16(value: number, field: string): void {
    this.#marked(() => super.int16(value, field));
  }

  override int32(value: number, field: string): void {
    this.#marked(() => super.int32(value, field));
  }

  override unsignedVarint(value: number): void {
    this.#marked(() => super.unsignedVarint(value));
  }

  #marked(write: () => void): void {
    const at = this.writtenBytes;
    write();
    this.marks.push({ at, bytes: this.writtenBytes - at });
  }
}

/** Fields that name what is there, so that a request gets beyond its first check. */
const NAMES: ReadonlySet<string> = new Set(['name', 'topic', 'topicName', 'resourceName']);
const PARTITIONS: ReadonlySet<string> = new Set(['partitionIndex', 'partition', 'index']);

/** The same value with some fields that mean something to whom it is sent. */
function grounded(value: unknown, victim: Victim, dice: SeededRandom): unknown {
  if (Array.isArray(value)) return value.map((item) => grounded(item, victim, dice));
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (dice.below(4) === 0) return [key, grounded(inner, victim, dice)];
      if (NAMES.has(key) && typeof inner === 'string') return [key, victim.name];
      if (key === 'topicNames') return [key, [victim.name]];
      if (key === 'topicId') return [key, victim.id];
      if (key === 'records' && inner !== null) return [key, victim.batch];
      if (PARTITIONS.has(key) && typeof inner === 'number') return [key, dice.below(victim.partitions + 1)];
      if (key === 'resourceType') return [key, dice.below(2) === 0 ? 2 : 4];
      if (key === 'transactionalId') return [key, null];
      if (key === 'replicaId') return [key, -1];
      if (key === 'acks') return [key, dice.below(4) - 2];
      if (key === 'maxWaitMs') return [key, dice.below(50)];
      return [key, grounded(inner, victim, dice)];
    }),
  );
}

function patched(bytes: Uint8Array, at: number, removed: number, put: readonly number[] | Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length - removed + put.length);
  out.set(bytes.subarray(0, at));
  out.set(put, at);
  out.set(bytes.subarray(at + removed), at + put.length);
  return resized(out);
}

function resized(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= SIZE_BYTES) new DataView(bytes.buffer).setInt32(0, bytes.length - SIZE_BYTES);
  return bytes;
}

interface Sound {
  readonly api: Api;
  readonly bytes: Uint8Array;
  readonly marks: readonly Mark[];
}

type Damage = (sound: Sound, dice: SeededRandom) => Uint8Array;

function anywhere({ bytes }: Sound, dice: SeededRandom): number {
  return SIZE_BYTES + dice.below(bytes.length - SIZE_BYTES);
}

const DAMAGES = {
  none: ({ bytes }) => bytes,
  truncated: (sound, dice) => resized(sound.bytes.slice(0, anywhere(sound, dice))),
  flipped: (sound, dice) => {
    const bytes = sound.bytes.slice();
    for (let flips = 1 + dice.below(3); flips > 0; flips--) {
      const at = anywhere(sound, dice);
      bytes[at] = (bytes[at] as number) ^ (1 << dice.below(8));
    }
    return bytes;
  },
  /** A length, a count or another number becomes one that nothing fits. */
  number: ({ bytes, marks }, dice) => {
    const mark = marks[dice.below(marks.length)] as Mark;
    if (mark.bytes !== 4 && mark.bytes !== 2) {
      return patched(bytes, mark.at, mark.bytes, VARINTS[dice.below(VARINTS.length)] as readonly number[]);
    }
    const value = new DataView(new ArrayBuffer(4));
    value.setInt32(0, INTS[dice.below(INTS.length)] as number);
    return patched(bytes, mark.at, mark.bytes, new Uint8Array(value.buffer).subarray(4 - mark.bytes));
  },
  inserted: (sound, dice) =>
    patched(sound.bytes, anywhere(sound, dice), 0, dice.bytes16().subarray(0, 1 + dice.below(16))),
  version: ({ api, bytes }, dice) => {
    const out = bytes.slice();
    const [least, most] = api.versions;
    const versions = [-1, most + 1, most + 2, least - 1, 0x7fff, -0x8000, least + dice.below(most - least + 1)];
    new DataView(out.buffer).setInt16(VERSION_AT, versions[dice.below(versions.length)] as number);
    return out;
  },
  key: ({ bytes }, dice) => {
    const out = bytes.slice();
    new DataView(out.buffer).setInt16(SIZE_BYTES, dice.below(100) - 5);
    return out;
  },
  /** In place of an empty section of tagged fields, where the last byte is one. */
  tags: ({ bytes }, dice) => {
    const count = [1, 3, 60, 127][dice.below(4)] as number;
    const tags: number[] = [count];
    for (let tag = 0; tag < count; tag++) {
      const size = dice.below(4);
      tags.push(dice.below(3) === 0 ? 0 : tag & 0x7f, dice.below(20) === 0 ? 0x7f : size);
      for (let i = 0; i < size; i++) tags.push(dice.below(256));
    }
    return patched(bytes, bytes.length - 1, 1, tags);
  },
  /** What stands in front of the frame is not its length. */
  length: ({ bytes }, dice) => {
    const out = bytes.slice();
    const there = out.length - SIZE_BYTES;
    const sizes = [-1, -0x80000000, 0x7fffffff, 0, 3, HEADER_BYTES, dice.below(there), there + 1 + dice.below(1_000)];
    new DataView(out.buffer).setInt32(0, sizes[dice.below(sizes.length)] as number);
    return out;
  },
  twice: ({ bytes }) => Uint8Array.from([...bytes, ...bytes]),
} as const satisfies Record<string, Damage>;

export type Kind = keyof typeof DAMAGES;
const KINDS = Object.keys(DAMAGES) as Kind[];

/** All frames of one version of an API, by their number. */
export class FuzzFrames {
  readonly api: Api;
  readonly version: number;
  readonly #seed: number;
  readonly #victim: Victim;
  readonly #values: readonly Value[];

  constructor(api: Api, version: number, seed: number, victim: Victim) {
    this.api = api;
    this.version = version;
    this.#seed = Math.imul(seed + 1, 0x9e3779b1) ^ (api.key << 8) ^ version;
    this.#victim = victim;
    const values = arbitraryStruct(api.request, encodingOf(api, version));
    this.#values = fc.sample(values, { seed: this.#seed, numRuns: VALUES });
  }

  frame(number: number): FuzzFrame {
    const dice = new SeededRandom(this.#seed + Math.imul(number + 1, 0x85ebca6b));
    const value = this.#values[dice.below(this.#values.length)] as Value;
    const aimed = dice.below(5) === 0 ? value : (grounded(value, this.#victim, dice) as Value);
    const sound = this.#sound(aimed);
    const kind = KINDS[dice.below(KINDS.length)] as Kind;
    return { kind, bytes: DAMAGES[kind](sound, dice) };
  }

  #sound(value: Value): Sound {
    const writer = new MarkingWriter();
    beginFrame(writer);
    writeRequestHeader(writer, this.api, this.version, CORRELATION, 'fuzz');
    requestWriter(this.api, this.version)(writer, value as never);
    endFrame(writer);
    const bytes = writer.memory.bytes.slice(0, writer.writtenBytes);
    return { api: this.api, bytes, marks: writer.marks.filter(({ at }) => at >= SIZE_BYTES) };
  }
}
