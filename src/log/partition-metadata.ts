/** The file `partition.metadata`: which topic a partition directory belongs to, whatever the topic's name stands for now. */
import { formatUuid, parseUuid, type Uuid, ZERO_UUID } from '../base/uuid.ts';

const TEXT = /^version:\s+0\r?\ntopic_id:\s+([A-Za-z0-9_-]{22})\s*$/;

export function formatPartitionMetadata(topicId: Uuid): string {
  return `version: 0\ntopic_id: ${formatUuid(topicId)}`;
}

/** Null when the text is damaged; power loss may leave an empty or torn file. */
export function parsePartitionMetadata(text: string): Uuid | null {
  const match = TEXT.exec(text);
  const id = match === null ? null : parseUuid(match[1] as string);
  return id === ZERO_UUID ? null : id;
}
