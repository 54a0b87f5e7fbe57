/**
 * Kafka's checkpoint files: text, a version line, a count line, one line per entry. The count and the last line feed tell
 * a whole file from a torn one. Replaced by a temporary file and a rename, never changed in place.
 */
import type { Disk } from './disk.ts';
import { parentOf } from './names.ts';

const VERSION = '0';

/** A checkpoint that does not read as one. Recovery falls back; nobody else may. */
export class MalformedCheckpoint extends Error {
  override readonly name = 'MalformedCheckpoint';
}

export function formatCheckpoint(lines: readonly string[]): string {
  return `${[VERSION, String(lines.length), ...lines].join('\n')}\n`;
}

/** The entries' lines. Throws MalformedCheckpoint. */
export function parseCheckpoint(text: string, path: string): string[] {
  const lines = text.split('\n');
  const refuse = (why: string): never => {
    throw new MalformedCheckpoint(`${path} is damaged: ${why}`);
  };
  if (lines.pop() !== '') refuse('its last line has no end');
  if (lines[0] !== VERSION) refuse(`its version is "${lines[0] ?? ''}", this broker reads version ${VERSION}`);
  const entries = lines.slice(2);
  if (lines[1] !== String(entries.length)) refuse(`it announces ${lines[1] ?? 'no'} entries and has ${entries.length}`);
  return entries;
}

export function wholeNumber(text: string | undefined, path: string): number {
  const value = Number(text);
  if (text === undefined || !/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new MalformedCheckpoint(`${path} is damaged: "${text ?? ''}" is no number`);
  }
  return value;
}

const UTF8 = new TextEncoder();
const TEXT = new TextDecoder('utf-8', { fatal: false });

export function readText(disk: Disk, path: string): string | null {
  const bytes = disk.readFile(path);
  return bytes === null ? null : TEXT.decode(bytes);
}

/**
 * Replaces a file as a whole. `durable` also syncs file and directory; without it power loss may leave the file torn, and
 * whoever reads it must notice.
 */
export function replaceFile(disk: Disk, path: string, content: string | Uint8Array, durable: boolean): void {
  const temporary = `${path}.tmp`;
  writeWhole(disk, temporary, content, durable);
  disk.rename(temporary, path);
  if (durable) disk.syncDirectory(parentOf(path));
}

export function writeWhole(disk: Disk, path: string, content: string | Uint8Array, durable: boolean): void {
  const bytes = typeof content === 'string' ? UTF8.encode(content) : content;
  const file = disk.open(path, 'create');
  try {
    disk.truncate(file, 0);
    disk.writeBytes(file, 0, bytes);
    if (durable) disk.sync(file);
  } finally {
    disk.close(file);
  }
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** recovery-point-, log-start-, replication-offset-checkpoint: `topic partition offset` a line. */
export function formatOffsets(offsets: Iterable<PartitionOffset>): string {
  return formatCheckpoint(Array.from(offsets, ({ topic, partition, offset }) => `${topic} ${partition} ${offset}`));
}

export function parseOffsets(text: string, path: string): PartitionOffset[] {
  return parseCheckpoint(text, path).map((line) => {
    const [topic, partition, offset, ...rest] = line.split(/\s+/);
    if (!topic || rest.length > 0) throw new MalformedCheckpoint(`${path} is damaged: "${line}"`);
    return { topic, partition: wholeNumber(partition, path), offset: wholeNumber(offset, path) };
  });
}
