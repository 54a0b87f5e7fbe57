/** Other protocols at our port, told by their first four bytes, which as the size of a request are beyond any limit. */

/** TLS records of a handshake start with 0x16 and a version 3.x. */
const TLS_HANDSHAKE = 0x1603;
const HTTP_WORDS = ['GET ', 'POST', 'PUT ', 'HEAD', 'DELE', 'OPTI', 'PATC', 'CONN', 'TRAC', 'PRI '];
const HTTP_SIZES = new Set(
  HTTP_WORDS.map((word) => Array.from(word).reduce((size, letter) => size * 256 + letter.charCodeAt(0), 0)),
);

/** What is spoken, if these four bytes tell. */
export function spokenBy(size: number): 'TLS' | 'HTTP' | null {
  if (size >>> 16 === TLS_HANDSHAKE) return 'TLS';
  return HTTP_SIZES.has(size) ? 'HTTP' : null;
}
