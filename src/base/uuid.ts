/**
 * Kafka's ids: 16 bytes. Inside the broker an id is a string of 16 characters 0 ... 255, one a byte: cheap to read from
 * the wire and usable as a map key. People and files see Kafka's form: base64url without padding, 22 characters.
 */
import type { Random } from './random.ts';

export type Uuid = string;

export const ZERO_UUID: Uuid = '\0'.repeat(16);

export function uuidOfBytes(bytes: Uint8Array): Uuid {
  let text = '';
  for (let i = 0; i < 16; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

/** A random id as Kafka makes them: version 4, never one that starts with a dash (it would read as a flag). */
export function randomUuid(random: Random): Uuid {
  for (;;) {
    const bytes = random.bytes16();
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    const id = uuidOfBytes(bytes);
    if (!formatUuid(id).startsWith('-')) return id;
  }
}

export function formatUuid(id: Uuid): string {
  return btoa(id).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Null when the text is not 22 characters of base64url. */
export function parseUuid(text: string): Uuid | null {
  if (!/^[A-Za-z0-9_-]{22}$/.test(text)) return null;
  const id = atob(`${text.replaceAll('-', '+').replaceAll('_', '/')}==`);
  return id.length === 16 ? id : null;
}
