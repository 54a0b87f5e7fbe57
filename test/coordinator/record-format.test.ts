/** The records of `__consumer_offsets`, against bytes of Kafka's own classes (../wire/golden/Generate.java) and against damage. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeGroupRecord, encodeGroupRecord } from '../../src/coordinator/group/record-format.ts';
import * as tables from '../../src/coordinator/group/record-tables.ts';
import { KEY } from '../../src/coordinator/group/record-tables.ts';
import type { GroupRecord } from '../../src/coordinator/group/records.ts';
import type { Fields, Message } from '../../src/wire/schema.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { readGolden } from '../wire/golden.ts';
import { arbitraryStruct, fromJson, type Value } from '../wire/values.ts';

interface Golden {
  readonly type: number;
  readonly version: number;
  readonly kind: 'filled' | 'nulls' | 'defaults' | 'written';
  readonly keyHex: string;
  readonly valueHex: string;
  readonly key: Record<string, unknown>;
  readonly value: Value;
}

interface Kind {
  readonly kind: GroupRecord['kind'];
  readonly key: Message;
  readonly value: Message;
}

const { OffsetCommitKey, GroupKey, MemberKey } = tables;

const KINDS: Record<number, Kind> = {
  [KEY.OFFSET_COMMIT_OF_OLD]: { kind: 'offset-commit', key: OffsetCommitKey, value: tables.OffsetCommitValue },
  [KEY.OFFSET_COMMIT]: { kind: 'offset-commit', key: OffsetCommitKey, value: tables.OffsetCommitValue },
  [KEY.GROUP_METADATA]: { kind: 'group-metadata', key: GroupKey, value: tables.GroupMetadataValue },
  [KEY.CONSUMER_GROUP_METADATA]: {
    kind: 'consumer-group-metadata',
    key: GroupKey,
    value: tables.ConsumerGroupMetadataValue,
  },
  [KEY.CONSUMER_GROUP_PARTITION_METADATA]: {
    kind: 'consumer-group-partition-metadata',
    key: GroupKey,
    value: tables.ConsumerGroupPartitionMetadataValue,
  },
  [KEY.CONSUMER_GROUP_MEMBER_METADATA]: {
    kind: 'consumer-group-member-metadata',
    key: MemberKey,
    value: tables.ConsumerGroupMemberMetadataValue,
  },
  [KEY.CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA]: {
    kind: 'consumer-group-target-assignment-metadata',
    key: GroupKey,
    value: tables.ConsumerGroupTargetAssignmentMetadataValue,
  },
  [KEY.CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER]: {
    kind: 'consumer-group-target-assignment-member',
    key: MemberKey,
    value: tables.ConsumerGroupTargetAssignmentMemberValue,
  },
  [KEY.CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT]: {
    kind: 'consumer-group-current-member-assignment',
    key: MemberKey,
    value: tables.ConsumerGroupCurrentMemberAssignmentValue,
  },
  [KEY.CONSUMER_GROUP_REGULAR_EXPRESSION]: {
    kind: 'consumer-group-regular-expression',
    key: tables.RegularExpressionKey,
    value: tables.ConsumerGroupRegularExpressionValue,
  },
};

const goldens = readGolden<Golden>('group-records.jsonl');
const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

function kindOf(type: number): Kind {
  const kind = KINDS[type];
  if (kind === undefined) throw new Error(`no kind of record has the key ${type}`);
  return kind;
}

/** The golden line as a record. Kafka calls a group's name `groupId` in the newer keys. */
function recordOf({ type, key, value }: Golden): GroupRecord {
  const { kind, value: content } = kindOf(type);
  const { groupId, ...others } = key;
  const named = groupId === undefined ? others : { group: groupId, ...others };
  return { kind, ...named, value: fromJson(content.fields, value) } as unknown as GroupRecord;
}

/** Whether Kafka writes this value in this version. */
function isWritten({ type, version, value }: Golden): boolean {
  switch (type) {
    case KEY.OFFSET_COMMIT_OF_OLD:
      return false;
    case KEY.OFFSET_COMMIT:
      return version === ((value.expireTimestamp ?? -1) === -1 ? 4 : 1);
    case KEY.GROUP_METADATA:
      return version === 3;
    default:
      return version === 0;
  }
}

test('every kind of record has golden bytes, in every version', () => {
  const golden = (type: number, version: number) =>
    goldens.filter((line) => line.type === type && line.version === version && line.kind !== 'written').length;
  for (const [type, { value }] of Object.entries(KINDS)) {
    const last = Number(type) === KEY.OFFSET_COMMIT_OF_OLD ? 0 : value.versions[1];
    for (let version = value.versions[0]; version <= last; version++) expect(golden(Number(type), version)).toBe(3);
  }
  expect(goldens.filter((line) => line.kind === 'written').every(isWritten)).toBe(true);
});

test.each(
  goldens.map((line) => [`${line.type}: ${kindOf(line.type).kind} v${line.version}, ${line.kind}`, line] as const),
)('%s', (_, line) => {
  const key = fromHex(line.keyHex);
  const value = fromHex(line.valueHex);
  const record = recordOf(line);
  expect(decodeGroupRecord(key, value)).toEqual(record);
  expect(decodeGroupRecord(key, null)).toEqual({ ...record, value: null });
  if (isWritten(line)) expect(encodeGroupRecord(record)).toEqual({ key, value });
  for (let length = 0; length < key.length; length++) {
    expect(() => decodeGroupRecord(key.subarray(0, length), value), `${length} bytes of the key`).toThrow(WireError);
  }
  for (let length = 0; length < value.length; length++) {
    expect(() => decodeGroupRecord(key, value.subarray(0, length)), `${length} bytes of the value`).toThrow(WireError);
  }
});

test.each([9, 15, 17, 22, 999, 0x7fff, -1])('a record of the unknown kind %i is nothing', (type) => {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setInt16(0, type);
  expect(decodeGroupRecord(key, new Uint8Array(4))).toBeNull();
  expect(decodeGroupRecord(key, null)).toBeNull();
});

test.each(Object.entries(KINDS))('a value of key %s in a version that is not known is refused', (type, { value }) => {
  const line = goldens.find((golden) => golden.type === Number(type)) as Golden;
  for (const version of [value.versions[1] + 1, 0x7fff, -1]) {
    const bytes = fromHex(line.valueHex);
    new DataView(bytes.buffer).setInt16(0, version);
    expect(() => decodeGroupRecord(fromHex(line.keyHex), bytes)).toThrow(/version .* which is not known/);
  }
});

test('a commit keeps what the version carries: an expiry costs it the leader epoch and the id of the topic', () => {
  const value = {
    offset: Number.MAX_SAFE_INTEGER,
    leaderEpoch: 5,
    metadata: 'žluť 🐴',
    commitTimestamp: 1_700_000_000_000,
    expireTimestamp: -1,
    topicId: '\x01'.repeat(16),
  };
  const record: GroupRecord = { kind: 'offset-commit', group: 'g', topic: 't', partition: 1, value };
  const again = (changed: GroupRecord) => {
    const { key, value: bytes } = encodeGroupRecord(changed);
    return decodeGroupRecord(key, bytes);
  };
  expect(again(record)).toEqual(record);
  const expiring = { ...value, expireTimestamp: 1_700_000_086_400 };
  expect(again({ ...record, value: expiring })).toEqual({
    ...record,
    value: { ...expiring, leaderEpoch: -1, topicId: '\0'.repeat(16) },
  });
});

/** Any record of a kind, in the version in which it is written. */
function anyRecord({ kind, key, value }: Kind): fc.Arbitrary<GroupRecord> {
  const version = kind === 'offset-commit' ? 4 : kind === 'group-metadata' ? 3 : 0;
  const fields = (of: Fields, flexibleFrom: number) =>
    arbitraryStruct(of, { version, flexible: version >= flexibleFrom });
  return fc
    .tuple(fields(key.fields, key.flexibleFrom), fc.option(fields(value.fields, value.flexibleFrom), { freq: 5 }))
    .map(([named, content]) => ({ kind, ...named, value: content }) as unknown as GroupRecord);
}

describe.each(
  Object.values(KINDS)
    .slice(1)
    .map((kind) => [kind.kind, kind] as const),
)('any %s', (_, kind) => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(anyRecord(kind), (record) => {
        const { key, value } = encodeGroupRecord(record);
        expect(decodeGroupRecord(key, value)).toEqual(record);
      }),
      { numRuns: 50 },
    );
  });

  test('that was damaged is a record, nothing or a WireError', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anyRecord(kind), flips, flips, (record, keyFlips, valueFlips) => {
        const { key, value } = encodeGroupRecord(record);
        for (const [at, byte] of keyFlips) key[at % key.length] = byte;
        if (value !== null) for (const [at, byte] of valueFlips) value[at % value.length] = byte;
        try {
          decodeGroupRecord(key, value);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
        }
      }),
      { numRuns: 100 },
    );
  });
});
