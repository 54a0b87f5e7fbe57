/** What a connection still has to send: bytes and ranges in order, cold ranges, files that fall short, and the share of a turn. */
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryOver } from '../../../src/base/memory.ts';
import { PortableKernels } from '../../../src/base/portable-kernels.ts';
import {
  BLOCKED,
  BROKEN,
  COLD,
  Outgoing,
  SENT_ALL,
  TURN_BYTES_MAX,
  YIELDED,
} from '../../../src/runtime/net/outgoing.ts';
import { FakeDesk } from '../kit.ts';
import { FakeTransport } from './sockets.ts';

let desk: FakeDesk;
let transport: FakeTransport;
let outgoing: Outgoing;
let resumed: number;
beforeEach(() => {
  desk = new FakeDesk();
  transport = new FakeTransport(desk.files);
  resumed = 0;
  outgoing = new Outgoing(transport, desk, () => {
    resumed += 1;
  });
});

function contents(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => i * 11 + (i >> 8));
}

function addBytes(bytes: number): Uint8Array {
  const memory = memoryOver(contents(bytes + 7));
  outgoing.addBytes(memory, 7, bytes);
  return memory.bytes.subarray(7);
}

function addRange(slot: number, position: number, length: number): Uint8Array {
  outgoing.addRange(desk.files.lease(slot, position, length));
  return desk.files.file(slot).bytes.subarray(position, position + length);
}

describe('outgoing', () => {
  test('bytes, small ranges and large ones leave in the order in which they were added', () => {
    const slot = desk.files.add(contents(400_000));
    const all = Buffer.concat([
      addBytes(10),
      addRange(slot, 100, 5_000),
      addRange(slot, 9, 1),
      addBytes(2),
      addRange(slot, 1_000, 65_536),
      addRange(slot, 0, 65_535),
      addBytes(3),
    ]);
    expect(outgoing.empty).toBe(false);
    expect(outgoing.send()).toBe(SENT_ALL);
    expect(outgoing.empty).toBe(true);
    expect(transport.sent).toEqual(all);
    expect(transport.sendFileCalls, 'only from zero.copy.min.bytes on').toBe(1);
    expect(desk.counted).toEqual({ zeroCopyBytes: 65_536, copiedBytes: 70_536, sentBytes: all.length });
    expect(desk.files.leases).toBe(0);
  });

  test('nothing of no length is ever sent, and its lease ends at once', () => {
    const slot = desk.files.add(contents(10));
    addBytes(0);
    addRange(slot, 5, 0);
    expect(outgoing.empty).toBe(true);
    expect(desk.files.leases).toBe(0);
    expect(outgoing.send()).toBe(SENT_ALL);
  });

  test('a range that is in the page cache in parts goes as far as it is there', () => {
    const slot = desk.files.add(contents(50_000));
    const all = Buffer.concat([addBytes(5), addRange(slot, 0, 50_000), addBytes(6)]);
    const read = desk.readWarm.bind(desk);
    let reads = 0;
    desk.readWarm = (descriptor, position, offset, length) => {
      reads += 1;
      return read(descriptor, position, offset, Math.min(length, 12_345));
    };
    expect(outgoing.send()).toBe(SENT_ALL);
    expect(transport.sent).toEqual(all);
    expect(reads).toBe(5);
    expect(desk.files.leases).toBe(0);
  });

  test.each([
    ['by sendfile', 200_000],
    ['as a copy', 20_000],
  ])('a cold range that goes %s is read ahead once, whoever asks in between', (_how, length) => {
    const slot = desk.files.add(contents(300_000), false);
    const all = Buffer.concat([addBytes(5), addRange(slot, 10, length)]);
    expect(outgoing.send()).toBe(COLD);
    expect(transport.sent.length, 'what lies before it is out').toBe(5);
    expect(outgoing.send()).toBe(COLD);
    expect(desk.coming.length).toBe(1);
    expect(resumed).toBe(0);
    desk.arriveAhead();
    expect(resumed).toBe(1);
    expect(outgoing.send()).toBe(SENT_ALL);
    expect(transport.sent).toEqual(all);
    expect(desk.files.leases).toBe(0);
  });

  test.each([200_000, 20_000])(
    'a range of %i bytes that stays cold however often it is read ahead is given up',
    (length) => {
      const slot = desk.files.add(contents(300_000), false);
      addRange(slot, 0, length);
      let tries = 0;
      for (; tries < 100; tries++) {
        if (outgoing.send() !== COLD) break;
        desk.arriveAhead(false);
      }
      expect(tries).toBeGreaterThan(1);
      expect(outgoing.send()).toBe(BROKEN);
      outgoing.close();
      expect(desk.files.leases).toBe(0);
    },
  );

  test('a large range that was written just now is sent without a look', () => {
    const slot = desk.files.add(contents(100_000));
    outgoing.addRange(desk.files.lease(slot, 0, 100_000, true));
    desk.resident = () => {
      throw new Error('nobody has to look');
    };
    expect(outgoing.send()).toBe(SENT_ALL);
    expect(transport.sent.length).toBe(100_000);
  });

  test('one that moves on a little each time is not', () => {
    const slot = desk.files.add(contents(300_000), false);
    const all = addRange(slot, 0, 300_000);
    transport.sendMax = 10_000;
    for (let i = 0; i < 30; i++) {
      desk.files.file(slot).warm = false;
      expect(outgoing.send()).toBe(COLD);
      desk.arriveAhead();
      transport.room = 10_000;
      expect(outgoing.send()).toBe(i < 29 ? BLOCKED : SENT_ALL);
    }
    expect(transport.sent).toEqual(Buffer.from(all));
  });

  test.each([
    ['sendfile', 100_000],
    ['a copy', 30_000],
  ])('a file that ends before its range is a broken promise: %s stops there', (_how, length) => {
    const slot = desk.files.add(contents(length - 1));
    addRange(slot, 0, length);
    expect(outgoing.send()).toBe(BROKEN);
    outgoing.close();
    expect(desk.files.leases).toBe(0);
  });

  test('a broken socket is told from a full one', () => {
    addBytes(100);
    transport.room = 0;
    expect(outgoing.send()).toBe(BLOCKED);
    transport.reset();
    expect(outgoing.send()).toBe(BROKEN);
  });

  test('a turn carries so much and no more, of bytes as of ranges', () => {
    const slot = desk.files.add(contents(2_000_000));
    const all = Buffer.concat([addBytes(1_500_000), addRange(slot, 0, 2_000_000), addRange(slot, 0, 50_000)]);
    const sent: number[] = [];
    let result = YIELDED;
    while (result === YIELDED) {
      result = outgoing.send();
      sent.push(transport.sent.length - sent.reduce((sum, bytes) => sum + bytes, 0));
    }
    expect(result).toBe(SENT_ALL);
    expect(Math.max(...sent)).toBe(TURN_BYTES_MAX);
    expect(transport.sent).toEqual(all);
  });

  test('what is kept is a copy of the bytes that are not out yet, and goes back when it is out', () => {
    const slot = desk.files.add(contents(100));
    const memory = memoryOver(contents(1_000));
    const expected = Buffer.concat([
      memory.bytes.slice(0, 600),
      desk.files.file(slot).bytes.slice(3, 53),
      memory.bytes.slice(600),
    ]);
    outgoing.addBytes(memory, 0, 600);
    outgoing.addRange(desk.files.lease(slot, 3, 50));
    outgoing.addBytes(memory, 600, 400);
    transport.room = 250;
    expect(outgoing.send()).toBe(BLOCKED);
    expect(outgoing.keep(desk.intake, new PortableKernels())).toBe(true);
    memory.bytes.fill(0xee);
    expect(desk.intake.heldBlocks).toBe(2);
    expect(outgoing.keep(desk.intake, new PortableKernels()), 'kept once').toBe(true);
    expect(desk.intake.heldBlocks).toBe(2);
    transport.room = 10_000;
    expect(outgoing.send()).toBe(SENT_ALL);
    expect(transport.sent).toEqual(expected);
    desk.expectRest();
  });

  test('closing gives back what was kept and leased, once', () => {
    const slot = desk.files.add(contents(100_000), false);
    addBytes(500);
    addRange(slot, 0, 70_000);
    addRange(slot, 0, 10);
    transport.room = 100;
    expect(outgoing.send()).toBe(BLOCKED);
    outgoing.keep(desk.intake, new PortableKernels());
    transport.room = 1_000;
    expect(outgoing.send()).toBe(COLD);
    outgoing.close();
    outgoing.close();
    expect(desk.files.leases, 'the read-ahead has its own').toBe(1);
    desk.arriveAhead();
    expect(resumed).toBe(0);
    desk.expectRest();
  });

  test('is heavy from 64 entries on, and sends more than 64 all the same', () => {
    const parts: Uint8Array[] = [];
    for (let i = 1; i <= 64; i++) {
      expect(outgoing.heavy).toBe(false);
      parts.push(addBytes(i));
    }
    expect(outgoing.heavy).toBe(true);
    for (let i = 1; i <= 100; i++) parts.push(addBytes(i));
    expect(outgoing.send()).toBe(SENT_ALL);
    expect(transport.sent).toEqual(Buffer.concat(parts));
    expect(outgoing.heavy).toBe(false);
  });
});
