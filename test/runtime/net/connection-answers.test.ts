/** How answers leave: order, slow readers, leases, and what is given back when a connection ends. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Block } from '../../../src/runtime/net/intake.ts';
import { TURN_BYTES_MAX } from '../../../src/runtime/net/outgoing.ts';
import { frameOf, LIMITS, type Open, type Request } from '../kit.ts';
import { AskedDesk } from './asked-desk.ts';

let desk: AskedDesk;
beforeEach(() => {
  desk = new AskedDesk();
});

function contents(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => i * 5 + (i >> 8));
}

describe('answers', () => {
  test('leave in the order of their requests, whatever the order in which they are ready', () => {
    const { transport } = desk.connect();
    const requests = Array.from({ length: 8 }, (_, i) => desk.request(i === 3 ? 'silent' : 'later', [i * 10]));
    desk.ask(transport, ...requests);
    const sent: number[] = [];
    for (const id of [3, 8, 2, 5, 1, 7, 4, 6]) {
      desk.finish(id);
      desk.run();
      sent.push(transport.sent.length);
    }
    const upTo = (count: number): number => desk.answers(requests.slice(0, count)).length;
    expect(sent).toEqual([0, 0, 0, 0, upTo(3), upTo(3), upTo(5), upTo(8)]);
    expect(transport.sent).toEqual(desk.answers(requests));
    desk.expectRest();
  });

  test('a hang-up comes in its turn, behind the answers before it and in place of those behind it', () => {
    const { connection, transport } = desk.connect();
    const requests = [desk.request('later'), desk.request('hangUp'), desk.request('later')];
    desk.ask(transport, ...requests);
    desk.finish(3);
    desk.finish(2);
    desk.run();
    expect(connection.closed).toBe(false);
    desk.finish(1);
    desk.run();
    expect(connection.closed).toBe(true);
    expect(transport.sent).toEqual(desk.answers(requests.slice(0, 1)));
    expect(desk.ends[0]?.why).toBe('as asked');
    desk.expectRest();
  });

  test('a hang-up waits for a reader that is slow with the answer before it', () => {
    const { connection, transport } = desk.connect();
    transport.room = 10;
    const requests = [desk.request('now', [500]), desk.request('hangUp')];
    desk.ask(transport, ...requests);
    desk.finish(2);
    desk.run();
    expect(connection.closed).toBe(false);
    transport.room = 10_000;
    desk.run();
    expect(connection.closed).toBe(true);
    expect(transport.sent).toEqual(desk.answers(requests.slice(0, 1)));
    desk.expectRest();
  });

  test('that cannot be written cost the connection and nothing stays', () => {
    const { connection, transport } = desk.connect();
    desk.ask(transport, desk.request('later'));
    desk.encode = () => false;
    desk.finish(1);
    desk.run();
    expect(connection.closed).toBe(true);
    desk.expectRest();
  });

  test('a reader that takes a few bytes at a time gets everything, and each lease ends once, with its last byte', () => {
    const slot = desk.files.add(contents(300_000));
    const small = desk.files.add(contents(5_000), false);
    const { transport } = desk.connect();
    transport.room = 0;
    const requests = [
      desk.request('now', [10, { file: slot, position: 7, length: 100_000 }, 300]),
      desk.request('now', [{ file: small, position: 1, length: 4_000 }]),
    ];
    desk.ask(transport, ...requests);
    const all = desk.answers(requests);
    const ends = all.length - 4_000;
    let chunk = 1;
    while (transport.sent.length < all.length) {
      transport.room = chunk;
      chunk = (chunk * 7 + 3) % 4_001;
      desk.run();
      while (desk.coming.length > 0) desk.arriveAhead();
      desk.run();
      if (transport.sent.length < 10 + 100_000) expect(desk.files.file(slot).leases).toBe(1);
      if (transport.sent.length >= ends) expect(desk.files.file(slot).leases).toBe(0);
    }
    expect(transport.sent).toEqual(all);
    expect(transport.sendFileCalls).toBeGreaterThan(0);
    desk.expectRest();
  });

  test('pipelined requests that stood behind a blocked answer go on once it is out, without anything new arriving', () => {
    desk.limits = { ...LIMITS, inFlightMax: 1 };
    const { transport } = desk.connect();
    transport.room = 0;
    const requests = [desk.request('now', [100]), desk.request('now', [100]), desk.request('now', [100])];
    desk.ask(transport, ...requests);
    expect(desk.started).toEqual([1]);
    transport.room = 10_000;
    desk.run();
    expect(transport.sent).toEqual(desk.answers(requests));
    desk.expectRest();
  });

  test('nothing new starts while the reader is slow', () => {
    const { transport } = desk.connect();
    transport.room = 5;
    const requests = [desk.request('now', [100]), desk.request('now', [100])];
    desk.ask(transport, requests[0] as Request);
    desk.ask(transport, requests[1] as Request);
    expect(desk.started).toEqual([1]);
    expect(transport.waitingBytes).toBeGreaterThan(0);
    transport.room = 10_000;
    desk.run();
    expect(transport.sent).toEqual(desk.answers(requests));
    desk.expectRest();
  });

  test('one whose bytes find no memory costs its own connection only', () => {
    const { connection, transport } = desk.connect();
    transport.room = 0;
    desk.ask(transport, desk.request('later', [30_000]));
    const held: Block[] = [];
    for (let bytes = 33_554_432; bytes >= 512; bytes = Math.floor(bytes / 2)) {
      for (let block = desk.intake.area(bytes); block !== null; block = desk.intake.area(bytes)) held.push(block);
    }
    desk.finish(1);
    desk.run();
    expect(connection.closed).toBe(true);
    expect(desk.ends[0]?.why).toContain('no memory');
    for (const block of held) desk.intake.release(block);
    desk.expectRest();
  });

  test('more than a turn may carry leaves in several, with the rest of the thread in between', () => {
    const slot = desk.files.add(contents(3_000_000));
    const a = desk.connect();
    const b = desk.connect();
    const big = desk.request('now', [{ file: slot, position: 0, length: 3_000_000 }]);
    const small = desk.request('now');
    a.transport.arrive(frameOf(big));
    b.transport.arrive(frameOf(small));
    a.connection.readable(desk.now);
    b.connection.readable(desk.now);
    desk.settle();
    expect(a.transport.sent.length).toBe(TURN_BYTES_MAX);
    expect(b.transport.sent).toEqual(desk.answers([small]));
    desk.settle();
    expect(a.transport.sent.length).toBe(2 * TURN_BYTES_MAX);
    desk.run();
    expect(a.transport.sent).toEqual(desk.answers([big]));
    desk.expectRest();
  });
});

describe('a connection that ends', () => {
  test('gives back the leases of answers that were ready, of those half sent, and of those still to come', () => {
    const slot = desk.files.add(contents(300_000));
    const part = { file: slot, position: 0, length: 200_000 };
    const { connection, transport } = desk.connect();
    transport.room = 50_000;
    const requests = [
      desk.request('later', [part]),
      desk.request('later', [part, 10, part]),
      desk.request('later', [part]),
    ];
    desk.ask(transport, ...requests);
    desk.finish(1);
    desk.run();
    desk.finish(2);
    expect(desk.files.leases).toBe(3);
    let told = 0;
    (desk.open[0] as Open).call.onAbandon = () => {
      told += 1;
    };
    connection.close('the test ends');
    expect(told).toBe(1);
    expect(desk.files.leases).toBe(0);
    expect(desk.timers.count).toBe(0);
    const last = desk.open[0] as Open;
    desk.complete(last);
    expect(last.call.abandoned).toBe(true);
    desk.run();
    desk.expectRest();
    connection.close('again');
    expect(desk.ends.length).toBe(1);
  });

  test('while a cold range is on its way does not come back to life with it', () => {
    const slot = desk.files.add(contents(200_000), false);
    const { connection, transport } = desk.connect();
    desk.ask(transport, desk.request('now', [{ file: slot, position: 0, length: 150_000 }]));
    expect(desk.coming.length).toBe(1);
    connection.close('the test ends');
    expect(desk.files.leases).toBe(1);
    desk.arriveAhead();
    desk.run();
    desk.expectRest();
  });

  test('because the other end is gone, noticed in sending', () => {
    const { connection, transport } = desk.connect();
    desk.ask(transport, desk.request('waits'));
    transport.reset();
    desk.run();
    desk.finish(1);
    desk.run();
    expect(connection.closed).toBe(true);
    expect(desk.ends[0]?.why).toBe('the other end is gone');
    desk.expectRest();
  });
});

describe('answers that nobody reads', () => {
  const ANSWER_BYTES = 60_000;
  const KEPT_BYTES_MAX = 16_777_216;

  test('hold a bounded part of the memory; for one more, the client that has not read for longest goes', () => {
    const stuck = Array.from({ length: 400 }, () => {
      const one = desk.connect();
      one.transport.room = 0;
      desk.ask(one.transport, desk.request('now', [ANSWER_BYTES]));
      desk.pass(10);
      return one;
    });
    expect(desk.intake.heldBytes).toBeLessThan(KEPT_BYTES_MAX * 1.2);
    const open = stuck.map(({ connection }) => !connection.closed);
    const first = open.indexOf(true);
    expect(first, 'those that came first').toBeGreaterThan(0);
    expect(open.slice(first)).toEqual(open.slice(first).map(() => true));
    for (const { connection } of stuck) connection.close('enough');
    desk.expectRest();
  });

  test('of clients that all stopped reading just now cost the last one, and a large one alone is kept', () => {
    const stuck = Array.from({ length: 400 }, () => desk.connect());
    for (const { transport } of stuck) {
      transport.room = 0;
      desk.ask(transport, desk.request('now', [ANSWER_BYTES]));
    }
    const open = stuck.filter(({ connection }) => !connection.closed);
    expect(open).toEqual(stuck.slice(0, open.length));
    expect(open.length).toBeGreaterThan(200);
    for (const { connection } of open) connection.close('enough');
    const alone = desk.connect();
    alone.transport.room = 0;
    const parts = Array.from({ length: 5 }, () => 3_600_000 / 5);
    const large = desk.request('now', parts);
    desk.ask(alone.transport, large);
    alone.transport.room = Number.POSITIVE_INFINITY;
    desk.run();
    expect(alone.transport.sent).toEqual(desk.answers([large]));
    alone.connection.close('enough');
    desk.expectRest();
  });
});
