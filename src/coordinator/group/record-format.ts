/**
 * The bytes of the records of `__consumer_offsets`: Kafka's own, in the versions that Kafka writes; older and newer ones that
 * Kafka reads are read. What stands behind the last field is left alone.
 */
import { memoryOver } from '../../base/memory.ts';
import { messageReader, messageWriter } from '../../wire/compiler.ts';
import { Reader } from '../../wire/reader.ts';
import type { Message, ValueInput, ValueOf } from '../../wire/schema.ts';
import { Writer } from '../../wire/writer.ts';
import * as table from './record-tables.ts';
import { KEY } from './record-tables.ts';
import type { GroupRecord } from './records.ts';

export interface EncodedRecord {
  readonly key: Uint8Array;
  /** Null is a tombstone. */
  readonly value: Uint8Array | null;
}

/** With an expiry of its own, which later versions do not carry. */
const OFFSET_WITH_EXPIRY = 1;
const OFFSET = 4;
const GROUP_METADATA = 3;

const reader = new Reader();
const writer = new Writer();

function written<M extends Message>(first: number, message: M, version: number, value: ValueInput<M>): Uint8Array {
  writer.reset();
  writer.int16(first, message.name);
  messageWriter(message, version)(writer, value);
  return writer.memory.bytes.slice(writer.start, writer.offset);
}

function valueBytes<M extends Message>(message: M, value: ValueInput<M> | null, version = 0): Uint8Array | null {
  return value === null ? null : written(version, message, version, value);
}

export function encodeGroupRecord(record: GroupRecord): EncodedRecord {
  switch (record.kind) {
    case 'offset-commit':
      return {
        key: written(KEY.OFFSET_COMMIT, table.OffsetCommitKey, 0, record),
        value: valueBytes(
          table.OffsetCommitValue,
          record.value,
          (record.value?.expireTimestamp ?? -1) === -1 ? OFFSET : OFFSET_WITH_EXPIRY,
        ),
      };
    case 'group-metadata':
      return {
        key: written(KEY.GROUP_METADATA, table.GroupKey, 0, record),
        value: valueBytes(table.GroupMetadataValue, record.value, GROUP_METADATA),
      };
    case 'consumer-group-metadata':
      return {
        key: written(KEY.CONSUMER_GROUP_METADATA, table.GroupKey, 0, record),
        value: valueBytes(table.ConsumerGroupMetadataValue, record.value),
      };
    case 'consumer-group-partition-metadata':
      return {
        key: written(KEY.CONSUMER_GROUP_PARTITION_METADATA, table.GroupKey, 0, record),
        value: valueBytes(table.ConsumerGroupPartitionMetadataValue, record.value),
      };
    case 'consumer-group-member-metadata':
      return {
        key: written(KEY.CONSUMER_GROUP_MEMBER_METADATA, table.MemberKey, 0, record),
        value: valueBytes(table.ConsumerGroupMemberMetadataValue, record.value),
      };
    case 'consumer-group-target-assignment-metadata':
      return {
        key: written(KEY.CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA, table.GroupKey, 0, record),
        value: valueBytes(table.ConsumerGroupTargetAssignmentMetadataValue, record.value),
      };
    case 'consumer-group-target-assignment-member':
      return {
        key: written(KEY.CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER, table.MemberKey, 0, record),
        value: valueBytes(table.ConsumerGroupTargetAssignmentMemberValue, record.value),
      };
    case 'consumer-group-current-member-assignment':
      return {
        key: written(KEY.CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT, table.MemberKey, 0, record),
        value: valueBytes(table.ConsumerGroupCurrentMemberAssignmentValue, record.value),
      };
    case 'consumer-group-regular-expression':
      return {
        key: written(KEY.CONSUMER_GROUP_REGULAR_EXPRESSION, table.RegularExpressionKey, 0, record),
        value: valueBytes(table.ConsumerGroupRegularExpressionValue, record.value),
      };
  }
}

function keyOf<M extends Message>(message: M): ValueOf<M> {
  return messageReader(message, 0)(reader);
}

function contentOf<M extends Message>(message: M, value: Uint8Array | null): ValueOf<M> | null {
  if (value === null) return null;
  reader.reset(memoryOver(value), 0, value.length);
  const version = reader.int16(message.name);
  const [first, last] = message.versions;
  if (version < first || version > last) reader.fail(message.name, `version ${version}, which is not known,`);
  return messageReader(message, version)(reader);
}

/**
 * Null when the record is about something that is not known here: a newer Kafka may have left it, and it is to be skipped.
 * Throws WireError when the bytes are no such record.
 */
export function decodeGroupRecord(key: Uint8Array, value: Uint8Array | null): GroupRecord | null {
  reader.reset(memoryOver(key), 0, key.length);
  switch (reader.int16('record key')) {
    case KEY.OFFSET_COMMIT_OF_OLD:
    case KEY.OFFSET_COMMIT: {
      const named = keyOf(table.OffsetCommitKey);
      return { kind: 'offset-commit', ...named, value: contentOf(table.OffsetCommitValue, value) };
    }
    case KEY.GROUP_METADATA: {
      const named = keyOf(table.GroupKey);
      return { kind: 'group-metadata', ...named, value: contentOf(table.GroupMetadataValue, value) };
    }
    case KEY.CONSUMER_GROUP_METADATA: {
      const named = keyOf(table.GroupKey);
      return { kind: 'consumer-group-metadata', ...named, value: contentOf(table.ConsumerGroupMetadataValue, value) };
    }
    case KEY.CONSUMER_GROUP_PARTITION_METADATA: {
      const named = keyOf(table.GroupKey);
      const content = contentOf(table.ConsumerGroupPartitionMetadataValue, value);
      return { kind: 'consumer-group-partition-metadata', ...named, value: content };
    }
    case KEY.CONSUMER_GROUP_MEMBER_METADATA: {
      const named = keyOf(table.MemberKey);
      const content = contentOf(table.ConsumerGroupMemberMetadataValue, value);
      return { kind: 'consumer-group-member-metadata', ...named, value: content };
    }
    case KEY.CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA: {
      const named = keyOf(table.GroupKey);
      const content = contentOf(table.ConsumerGroupTargetAssignmentMetadataValue, value);
      return { kind: 'consumer-group-target-assignment-metadata', ...named, value: content };
    }
    case KEY.CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER: {
      const named = keyOf(table.MemberKey);
      const content = contentOf(table.ConsumerGroupTargetAssignmentMemberValue, value);
      return { kind: 'consumer-group-target-assignment-member', ...named, value: content };
    }
    case KEY.CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT: {
      const named = keyOf(table.MemberKey);
      const content = contentOf(table.ConsumerGroupCurrentMemberAssignmentValue, value);
      return { kind: 'consumer-group-current-member-assignment', ...named, value: content };
    }
    case KEY.CONSUMER_GROUP_REGULAR_EXPRESSION: {
      const named = keyOf(table.RegularExpressionKey);
      const content = contentOf(table.ConsumerGroupRegularExpressionValue, value);
      return { kind: 'consumer-group-regular-expression', ...named, value: content };
    }
    default:
      return null;
  }
}
