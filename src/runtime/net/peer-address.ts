/**
 * The address of a client in three floats, so that it goes along in a message: its port is left out. IPv4 is one number and
 * two of -1; IPv6 is 48, 48 and 32 of its bits.
 */
export interface PackedHost {
  w: number;
  x: number;
  y: number;
}

const MAPPED = 0xffff;
const WORD = 0x10000;

/** Host of `1.2.3.4:5678` or `[::1]:5678`. */
export function hostOf(peer: string): string {
  const end = peer.lastIndexOf(':');
  const host = end < 0 ? peer : peer.slice(0, end);
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** What is no address is packed as nothing: 0.0.0.0. */
export function packHost(host: string, out: PackedHost): void {
  const words = host.includes(':') ? wordsOf(host) : null;
  if (words === null) {
    out.w = numberOf(host);
    out.x = -1;
    out.y = -1;
    return;
  }
  const [a, b, c, d, e, f, g, h] = words as [number, number, number, number, number, number, number, number];
  out.w = (a * WORD + b) * WORD + c;
  out.x = (d * WORD + e) * WORD + f;
  out.y = g * WORD + h;
}

/** As Java writes addresses: IPv6 without leaving groups out. */
export function unpackHost(w: number, x: number, y: number): string {
  if (x === -1 || (w === 0 && x === MAPPED)) {
    const bits = x === -1 ? w : y;
    return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join('.');
  }
  const high = (bits: number) => [Math.floor(bits / (WORD * WORD)), Math.floor(bits / WORD) % WORD, bits % WORD];
  const words = [...high(w), ...high(x), Math.floor(y / WORD), y % WORD];
  return words.map((word) => word.toString(16)).join(':');
}

function numberOf(host: string): number {
  const parts = host.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return 0;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** The eight groups, with those that `::` leaves out and an IPv4 tail taken apart. */
function wordsOf(host: string): number[] | null {
  const bare = host.replace(/%.*$/, '').replace(/(?<=:)\d+\.\d+\.\d+\.\d+$/, (tail) => {
    const bits = numberOf(tail);
    return `${(bits >>> 16).toString(16)}:${(bits & 0xffff).toString(16)}`;
  });
  const [left = '', right, ...others] = bare.split('::');
  if (others.length > 0) return null;
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const before = groups(left);
  const behind = right === undefined ? [] : groups(right);
  const zeros = right === undefined ? 0 : 8 - before.length - behind.length;
  if (zeros < 0) return null;
  const words = [...before, ...new Array<number>(zeros).fill(0), ...behind];
  return words.length === 8 && words.every((word) => word >= 0 && word < WORD) ? words : null;
}
