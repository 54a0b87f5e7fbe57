/** How files and directories of a log are called: Kafka's names, made and read here only. */

export const LOG = '.log';
export const OFFSET_INDEX = '.index';
export const TIME_INDEX = '.timeindex';
export const TRANSACTION_INDEX = '.txnindex';
export const PRODUCER_SNAPSHOT = '.snapshot';
export const SEGMENT_SUFFIXES = [LOG, OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX] as const;

/** Renamed, waiting for its removal. */
export const DELETED = '.deleted';
/** Written by a cleaner that has not finished. */
export const CLEANED = '.cleaned';
/** Finished by a cleaner, about to take the place of the segments it was made from. */
export const SWAP = '.swap';

export const EPOCH_CHECKPOINT = 'leader-epoch-checkpoint';
export const PARTITION_METADATA = 'partition.metadata';

/** Partition directories that wait for removal, are being moved in from another disk, or belong to nobody. */
export const DIRECTORY_DELETED = '-delete';
export const DIRECTORY_FUTURE = '-future';
export const DIRECTORY_STRAY = '-stray';

const OFFSET_DIGITS = 20;
const NAME_BYTES_MAX = 255;

export function fileName(offset: number, suffix: string): string {
  return String(offset).padStart(OFFSET_DIGITS, '0') + suffix;
}

export function filePath(directory: string, offset: number, suffix: string): string {
  return `${directory}/${fileName(offset, suffix)}`;
}

/** The offset in a name of exactly twenty digits and the suffix; -1 for every other name. */
export function offsetOf(name: string, suffix: string): number {
  if (name.length !== OFFSET_DIGITS + suffix.length || !name.endsWith(suffix)) return -1;
  const digits = name.slice(0, OFFSET_DIGITS);
  if (!/^\d+$/.test(digits)) return -1;
  const offset = Number(digits);
  return Number.isSafeInteger(offset) ? offset : -1;
}

/** The offset that leads a name, whatever follows it; -1 when none does. */
export function leadingOffset(name: string): number {
  return /^\d{20}\./.test(name) ? offsetOf(name.slice(0, OFFSET_DIGITS), '') : -1;
}

export function partitionDirectory(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/** `<topic>-<partition>.<32 hex digits>-delete`. */
export function deletedDirectory(topic: string, partition: number, id: Uint8Array): string {
  return asideDirectory(topic, partition, id, DIRECTORY_DELETED);
}

/** A partition's directory that is none for now; a long topic is cut so that the name stays a name. */
export function asideDirectory(topic: string, partition: number, id: Uint8Array, suffix: string): string {
  const hex = Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const tail = `-${partition}.${hex}${suffix}`;
  return topic.slice(0, NAME_BYTES_MAX - tail.length) + tail;
}

/** Topic and partition of a directory's name, or null when it is not `<topic>-<number>`. */
export function parsePartitionDirectory(name: string): { topic: string; partition: number } | null {
  const match = /^([a-zA-Z0-9._-]{1,249})-(0|[1-9]\d{0,9})$/.exec(name);
  if (match === null) return null;
  const partition = Number(match[2]);
  return partition <= 0x7fffffff ? { topic: match[1] as string, partition } : null;
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
