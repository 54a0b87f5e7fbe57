/**
 * The bytes that consumers of the classic protocol put into joins and plans, which its coordinator leaves alone: what a member
 * subscribes to and still owns, and what it is assigned. They are the client's and may be anything.
 */
import { memoryOver } from '../../base/memory.ts';
import { messageReader, messageWriter } from '../../wire/compiler.ts';
import { Reader } from '../../wire/reader.ts';
import { array, bytes, int32, type Message, message, string, struct, type ValueOf } from '../../wire/schema.ts';
import { WireError } from '../../wire/wire-error.ts';
import { Writer } from '../../wire/writer.ts';

export const CONSUMER_PROTOCOL_TYPE = 'consumer';

const NOT_FLEXIBLE = { flexibleFrom: Number.POSITIVE_INFINITY } as const;
const topicPartitions = struct({ topic: string(), partitions: array(int32()) });

const SubscriptionTable = message({
  name: 'ConsumerProtocolSubscription',
  versions: [0, 3],
  ...NOT_FLEXIBLE,
  fields: {
    topics: array(string()),
    userData: bytes({ nullableFrom: 0 }),
    ownedPartitions: array(topicPartitions, { since: 1, ignorable: true }),
    generationId: int32({ since: 2, default: -1, ignorable: true }),
    rackId: string({ since: 3, nullableFrom: 3, default: null, ignorable: true }),
  },
});

const AssignmentTable = message({
  name: 'ConsumerProtocolAssignment',
  versions: [0, 3],
  ...NOT_FLEXIBLE,
  fields: { assignedPartitions: array(topicPartitions), userData: bytes({ nullableFrom: 0 }) },
});

export type Subscription = ValueOf<typeof SubscriptionTable>;
export type Assignment = ValueOf<typeof AssignmentTable>;
export type NamedPartitions = Assignment['assignedPartitions'][number];

const reader = new Reader();
const writer = new Writer();

/**
 * Each version begins as version 0 does: what cannot be read as the version that it says is read as that. Null when it is not
 * even that.
 */
export function readSubscription(metadata: Uint8Array): Subscription | null {
  return read(SubscriptionTable, metadata) ?? read(SubscriptionTable, metadata, 0);
}

export function readAssignment(assignment: Uint8Array): Assignment | null {
  return read(AssignmentTable, assignment);
}

/** Null when the bytes are no subscription. */
export function subscribedTopics(metadata: Uint8Array): readonly string[] | null {
  return readSubscription(metadata)?.topics ?? null;
}

/** For a member with this metadata, in the version that it speaks. */
export function writeAssignment(assignedPartitions: readonly NamedPartitions[], metadata: Uint8Array): Uint8Array {
  const version = Math.max(0, versionOf(AssignmentTable, metadata) ?? 0);
  writer.reset();
  writer.int16(version, AssignmentTable.name);
  messageWriter(AssignmentTable, version)(writer, { assignedPartitions: [...assignedPartitions], userData: null });
  return writer.memory.bytes.slice(writer.start, writer.offset);
}

/** Later versions are read as the last that is known: what they add stands behind. Null when there is none. */
function versionOf({ versions }: Message, content: Uint8Array): number | null {
  if (content.length < 2) return null;
  const said = new DataView(content.buffer, content.byteOffset).getInt16(0);
  return said < 0 ? null : Math.min(said, versions[1]);
}

function read<M extends Message>(table: M, content: Uint8Array, as = versionOf(table, content)): ValueOf<M> | null {
  if (as === null || versionOf(table, content) === null) return null;
  try {
    reader.reset(memoryOver(content), 0, content.length);
    reader.int16(table.name);
    return messageReader(table, as)(reader);
  } catch (problem) {
    if (problem instanceof WireError) return null;
    throw problem;
  }
}
