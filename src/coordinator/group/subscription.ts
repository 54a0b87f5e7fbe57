/**
 * The topics that a consumer's join metadata names. Each version of the subscription begins as version 0 does, a version and
 * the topics, so that much is read of all of them; the bytes are the client's and may be anything.
 */
import { memoryOver } from '../../base/memory.ts';
import { Reader } from '../../wire/reader.ts';
import { WireError } from '../../wire/wire-error.ts';

export const CONSUMER_PROTOCOL_TYPE = 'consumer';

const STRING_BYTES_MIN = 2;
const READER = new Reader();

/** Null when the bytes are no subscription. */
export function subscribedTopics(metadata: Uint8Array): string[] | null {
  const reader = READER;
  try {
    reader.reset(memoryOver(metadata), 0, metadata.length);
    const version = reader.int16('version');
    if (version < 0) return null;
    const count = reader.count(STRING_BYTES_MIN, 'topics');
    if (count < 0) return null;
    return Array.from({ length: count }, () => reader.string('topic'));
  } catch (problem) {
    if (problem instanceof WireError) return null;
    throw problem;
  }
}
