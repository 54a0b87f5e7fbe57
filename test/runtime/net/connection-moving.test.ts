/** A connection moves to another processor at a frame boundary, with every byte that was read and not used. */
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeDesk, frameOf, LIMITS, type Request } from '../kit.ts';
import { AskedDesk } from './asked-desk.ts';
import type { FakeTransport } from './sockets.ts';

let desk: AskedDesk;
beforeEach(() => {
  desk = new AskedDesk();
});

describe('moving', () => {
  function move(connection: { movable: boolean; detach(): Uint8Array }, to: FakeDesk): FakeTransport {
    expect(connection.movable).toBe(true);
    const left = connection.detach();
    desk.forget(connection as never);
    desk.expectRest();
    expect(desk.timers.count).toBe(0);
    const arrived = to.connect();
    arrived.connection.adoptBytes(left, to.now);
    to.run();
    return arrived.transport;
  }

  test.each([0, 1, 3, 4, 10, 23, 24, 25, 40, 48])('takes along %i bytes that were read and not used', (bytes) => {
    const { connection, transport } = desk.connect();
    // Bytes that were left over once must not come along again.
    desk.openMax = 1;
    desk.ask(transport, desk.request('later'), desk.request('later'), desk.request('later'));
    for (const id of [1, 2, 3]) {
      desk.finish(id);
      desk.run();
    }
    expect(desk.started).toEqual([1, 2, 3]);
    desk.openMax = Number.POSITIVE_INFINITY;
    const requests = [desk.request('now'), desk.request('now')];
    const stream = Buffer.concat(requests.map(frameOf));
    transport.arrive(stream.subarray(0, bytes));
    desk.run();
    const whole = Math.floor(bytes / 24);
    connection.leaving = true;
    transport.arrive(stream.subarray(bytes));
    desk.run();
    expect(transport.waitingBytes, 'a leaving connection reads nothing').toBe(48 - bytes);
    expect(connection.partialBytes).toBe(bytes - whole * 24);
    const there = new FakeDesk();
    for (const one of requests) there.requests.set(one.id, one);
    const arrived = move(connection, there);
    arrived.arrive(stream.subarray(bytes));
    there.run();
    expect(there.started).toEqual(requests.slice(whole).map(({ id }) => id));
    expect(arrived.sent).toEqual(desk.answers(requests.slice(whole)));
    there.pass(LIMITS.receiveTimeoutMs * 2);
    expect(there.ends).toEqual([]);
    there.expectRest();
  });

  test('takes along whole frames that had to wait, even many of them', () => {
    const { connection, transport } = desk.connect();
    const first = desk.request('alone');
    const requests = Array.from({ length: 30 }, () => desk.request('now', [5], 6_000));
    desk.ask(transport, first, ...requests);
    expect(connection.movable).toBe(false);
    connection.leaving = true;
    desk.finish(first.id);
    desk.run();
    expect(desk.started).toEqual([first.id]);
    const there = new FakeDesk();
    for (const one of requests) there.requests.set(one.id, one);
    const arrived = move(connection, there);
    expect(arrived.sent).toEqual(desk.answers(requests));
    there.expectRest();
  });

  test('waits for what is under way, for answers that go out, and for a large frame to be whole', () => {
    const { connection, transport } = desk.connect();
    desk.ask(transport, desk.request('later'));
    const big = desk.request('later', [2_000], 100_000);
    const stream = frameOf(big);
    expect(connection.movable).toBe(false);
    desk.finish(1);
    desk.run();
    expect(connection.movable).toBe(true);
    transport.arrive(stream.subarray(0, 50_000));
    desk.run();
    connection.leaving = true;
    expect(connection.movable).toBe(false);
    transport.room = 100;
    transport.arrive(Buffer.concat([stream.subarray(50_000), frameOf(desk.request('now'))]));
    desk.run();
    expect(desk.started, 'its large frame is read to the end, the next one is not begun').toEqual([1, big.id]);
    desk.finish(big.id);
    desk.run();
    expect(connection.movable).toBe(false);
    transport.room = 10_000;
    desk.run();
    expect(connection.movable).toBe(true);
    expect(connection.partialBytes).toBe(24);
  });

  test('to a processor that is congested leaves the bytes there until it is not', () => {
    const { connection, transport } = desk.connect();
    desk.ask(transport, desk.request('alone'), desk.request('now'));
    connection.leaving = true;
    desk.finish(1);
    desk.run();
    const there = new FakeDesk();
    there.requests.set(2, desk.requests.get(2) as Request);
    there.openMax = 0;
    const arrived = move(connection, there);
    expect(there.started).toEqual([]);
    there.openMax = 1;
    there.run();
    expect(there.started).toEqual([2]);
    expect(arrived.sent).toEqual(desk.answers([desk.requests.get(2) as Request]));
    there.expectRest();
  });
});
