/** A connection moves to another processor at a frame boundary, with every byte that was read and not used. */
import { beforeEach, describe, expect, test } from 'vitest';
import { answerOf, FakeDesk, frameOf, LIMITS, type Open, type Request } from '../kit.ts';
import type { FakeTransport } from './sockets.ts';

let desk: FakeDesk;
let nextId: number;
beforeEach(() => {
  desk = new FakeDesk();
  nextId = 1;
});

function request(treatment: Request['treatment'] = 'now', answer: Request['answer'] = [3], bytes = 20): Request {
  const one = { id: nextId++, treatment, bytes, holds: true, answer };
  desk.requests.set(one.id, one);
  return one;
}

function answers(requests: readonly Request[]): Buffer {
  return Buffer.concat(requests.map((one) => answerOf(one, desk.files)));
}

function complete(id: number): void {
  desk.complete(desk.open.find(({ request }) => request.id === id) as Open);
}

function ask(transport: FakeTransport, ...requests: Request[]): void {
  transport.arrive(Buffer.concat(requests.map(frameOf)));
  desk.run();
}

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
    ask(transport, request('later'), request('later'), request('later'));
    for (const id of [1, 2, 3]) {
      complete(id);
      desk.run();
    }
    expect(desk.started).toEqual([1, 2, 3]);
    desk.openMax = Number.POSITIVE_INFINITY;
    const requests = [request('now'), request('now')];
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
    expect(arrived.sent).toEqual(answers(requests.slice(whole)));
    there.pass(LIMITS.receiveTimeoutMs * 2);
    expect(there.ends).toEqual([]);
    there.expectRest();
  });

  test('takes along whole frames that had to wait, even many of them', () => {
    const { connection, transport } = desk.connect();
    const first = request('alone');
    const requests = Array.from({ length: 30 }, () => request('now', [5], 6_000));
    ask(transport, first, ...requests);
    expect(connection.movable).toBe(false);
    connection.leaving = true;
    complete(first.id);
    desk.run();
    expect(desk.started).toEqual([first.id]);
    const there = new FakeDesk();
    for (const one of requests) there.requests.set(one.id, one);
    const arrived = move(connection, there);
    expect(arrived.sent).toEqual(answers(requests));
    there.expectRest();
  });

  test('waits for what is under way, for answers that go out, and for a large frame to be whole', () => {
    const { connection, transport } = desk.connect();
    ask(transport, request('later'));
    const big = request('later', [2_000], 100_000);
    const stream = frameOf(big);
    expect(connection.movable).toBe(false);
    complete(1);
    desk.run();
    expect(connection.movable).toBe(true);
    transport.arrive(stream.subarray(0, 50_000));
    desk.run();
    connection.leaving = true;
    expect(connection.movable).toBe(false);
    transport.room = 100;
    transport.arrive(Buffer.concat([stream.subarray(50_000), frameOf(request('now'))]));
    desk.run();
    expect(desk.started, 'its large frame is read to the end, the next one is not begun').toEqual([1, big.id]);
    complete(big.id);
    desk.run();
    expect(connection.movable).toBe(false);
    transport.room = 10_000;
    desk.run();
    expect(connection.movable).toBe(true);
    expect(connection.partialBytes).toBe(24);
  });

  test('to a processor that is congested leaves the bytes there until it is not', () => {
    const { connection, transport } = desk.connect();
    ask(transport, request('alone'), request('now'));
    connection.leaving = true;
    complete(1);
    desk.run();
    const there = new FakeDesk();
    there.requests.set(2, desk.requests.get(2) as Request);
    there.openMax = 0;
    const arrived = move(connection, there);
    expect(there.started).toEqual([]);
    there.openMax = 1;
    there.run();
    expect(there.started).toEqual([2]);
    expect(arrived.sent).toEqual(answers([desk.requests.get(2) as Request]));
    there.expectRest();
  });
});
