/** The file `partition.metadata`: the id of the topic that a partition's directory belongs to. */
import { formatUuid, parseUuid, type Uuid, ZERO_UUID } from '../base/uuid.ts';

export function formatPartitionMetadata(topicId: Uuid): string {
  return `version: 0\ntopic_id: ${formatUuid(topicId)}`;
}

/** Null when the text is no whole metadata file. */
export function parsePartitionMetadata(text: string): Uuid | null {
  const match = /^version: 0\ntopic_id: (\S{22})\n?$/.exec(text);
  const id = match === null ? null : parseUuid(match[1] as string);
  return id === ZERO_UUID ? null : id;
}
