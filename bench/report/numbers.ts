/** Numbers in the names of what was measured: `64 KiB, sendfile`, `index.interval.bytes 512`, `1000 entries`. */

/** The number and its unit of bytes. */
/** Not that of p99 or of Kafka 4.3's v9: a number that counts stands by itself. */
export const NUMBER = /(?<![A-Za-z\d.])(\d+(?:\.\d+)?)(?:\s*(B|KiB|MiB)\b)?/;

export function unitIn(label: string): string {
  return NUMBER.exec(label)?.[2] ?? '';
}

/** In bytes where it says so; NaN without one. */
export function numberIn(label: string): number {
  const found = NUMBER.exec(label);
  if (found === null) return Number.NaN;
  const factor = found[2] === 'KiB' ? 1024 : found[2] === 'MiB' ? 1024 ** 2 : 1;
  return Number(found[1]) * factor;
}

/** The name without its number: what is alike in all points of a curve. */
export function withoutNumber(label: string): string {
  return label
    .replace(NUMBER, '')
    .replace(/\s+(?=[\s,]|$)/g, '')
    .replace(/^[\s,]+|[\s,]+$/g, '');
}
