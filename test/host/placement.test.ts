/** Where roles go: every role once, one acceptor, a number means that many threads. */
import { describe, expect, test } from 'vitest';
import { describe as inWords, place, type ThreadCount } from '../../src/host/placement.ts';

const COUNTS: ThreadCount[] = ['auto', 1, 2, 3, 8];

describe('placement', () => {
  test('hosts every role exactly once, the acceptor with the first processor, whatever is asked', () => {
    for (const network of COUNTS) {
      for (const io of COUNTS) {
        for (const cores of [1, 2, 3, 16, 128]) {
          for (const portable of [false, true]) {
            const threads = place(network, io, cores, portable);
            const roles = threads.flatMap((thread) => thread.roles);
            const what = `${network} ${io} ${cores} ${portable}`;
            expect(new Set(roles).size, what).toBe(roles.length);
            expect(new Set(threads.map(({ name }) => name)).size, what).toBe(threads.length);
            const loops = portable ? 1 : Math.min(8, Math.max(1, Math.floor(cores / 2)));
            const processors = network === 'auto' ? loops : network;
            const handlers = io === 'auto' ? (portable ? 1 : processors) : io;
            const expected = ['a0'];
            for (let i = 0; i < processors; i++) expected.push(`p${i}`);
            for (let i = 0; i < handlers; i++) expected.push(`h${i}`);
            expect([...roles].sort(), what).toEqual(expected.sort());
            const home = threads.find((thread) => thread.roles.includes('a0'));
            expect(home?.roles, what).toContain('p0');
          }
        }
      }
    }
  });

  test('one acceptor for each listener, all on the thread of the first processor', () => {
    expect(inWords(place('auto', 'auto', 4, false, 2))).toBe('loop-0: a0 a1 p0 h0, loop-1: p1 h1');
    expect(inWords(place(1, 2, 4, false, 3))).toBe('net-0: a0 a1 a2 p0, io-0: h0, io-1: h1');
    expect(inWords(place(2, 1, 4, true, 2))).toBe('net-0: a0 a1 p0 p1, io-0: h0');
  });

  test('the layouts that everything is tested in', () => {
    expect(inWords(place('auto', 'auto', 2, false))).toBe('loop-0: a0 p0 h0');
    expect(inWords(place(2, 1, 2, false))).toBe('net-0: a0 p0, net-1: p1, io-0: h0');
    expect(inWords(place(2, 3, 2, false))).toBe('net-0: a0 p0, net-1: p1, io-0: h0, io-1: h1, io-2: h2');
    expect(inWords(place('auto', 'auto', 8, false))).toBe(
      'loop-0: a0 p0 h0, loop-1: p1 h1, loop-2: p2 h2, loop-3: p3 h3',
    );
    expect(inWords(place(2, 'auto', 2, false))).toBe('loop-0: a0 p0 h0, loop-1: p1 h1');
    expect(inWords(place('auto', 'auto', 8, true))).toBe('loop-0: a0 p0 h0');
    expect(inWords(place(2, 3, 8, true))).toBe('net-0: a0 p0 p1, io-0: h0, io-1: h1, io-2: h2');
  });
});
