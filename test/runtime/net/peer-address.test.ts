/** A client's address as it travels in a message. */
import { expect, test } from 'vitest';
import { hostOf, packHost, unpackHost } from '../../../src/runtime/net/peer-address.ts';

function travelled(peer: string): string {
  const packed = { w: 0, x: 0, y: 0 };
  packHost(hostOf(peer), packed);
  return unpackHost(packed.w, packed.x, packed.y);
}

test.each([
  ['127.0.0.1:5000', '127.0.0.1'],
  ['255.254.1.0:1', '255.254.1.0'],
  ['[::1]:5000', '0:0:0:0:0:0:0:1'],
  ['[fe80::1%eth0]:5000', 'fe80:0:0:0:0:0:0:1'],
  ['[2001:db8:1:2:ffff:fffe:c:d]:9', '2001:db8:1:2:ffff:fffe:c:d'],
  ['[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:9', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['[::ffff:10.1.2.3]:9', '10.1.2.3'],
  ['[1::]:9', '1:0:0:0:0:0:0:0'],
])('%s is %s on the other side', (peer, host) => {
  expect(travelled(peer)).toBe(host);
});

test('what is no address is none', () => {
  for (const peer of ['', 'somewhere:1', '1.2.3:4', '[1:2:3]:4', '[1::2::3]:4', '300.1.1.1:5']) {
    expect(travelled(peer)).toBe('0.0.0.0');
  }
});
