/** When a connection is given up: frames that do not come, clients that are silent, readers that do not read. */
import { beforeEach, describe, expect, test } from 'vitest';
import { answerOf, FakeDesk, frameOf, LIMITS, type Open, type Request } from './kit.ts';
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

function contents(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => i * 5 + (i >> 8));
}

describe('time', () => {
  test('a frame must be complete within the time-out and that of its bytes', () => {
    const { transport } = desk.connect();
    const stream = frameOf(request('now', [3], 655_360));
    transport.arrive(stream.subarray(0, 400_000));
    desk.run();
    desk.pass(LIMITS.receiveTimeoutMs + 9_990);
    expect(desk.ends).toEqual([]);
    // What comes in between earns nothing.
    transport.arrive(stream.subarray(400_000, 500_000));
    desk.run();
    desk.pass(20);
    expect(desk.ends[0]?.why).toContain('request.receive.timeout.ms');
    expect(transport.closed).toBe(1);
    expect(desk.timers.count).toBe(0);
    desk.expectRest();
  });

  test('so must a size of which only a part has come', () => {
    const { transport } = desk.connect();
    transport.arrive(new Uint8Array(2));
    desk.run();
    desk.pass(LIMITS.receiveTimeoutMs + 10);
    expect(desk.ends[0]?.why).toContain('request.receive.timeout.ms');
    desk.expectRest();
  });

  test('a client is not late with a frame that the broker does not read', () => {
    const { transport } = desk.connect();
    const [waiting, late] = [request('waits'), request('now')];
    const stream = Buffer.concat([frameOf(waiting), frameOf(late)]);
    transport.arrive(stream.subarray(0, 40));
    desk.run();
    transport.arrive(stream.subarray(40));
    desk.run();
    expect(desk.started).toEqual([waiting.id]);
    for (let i = 0; i < 10; i++) desk.pass(LIMITS.receiveTimeoutMs);
    expect(desk.ends).toEqual([]);
    complete(waiting.id);
    desk.run();
    expect(transport.sent).toEqual(answers([waiting, late]));
    desk.expectRest();
  });

  test('nor is one that waits in the line for room; its time starts with its admission', () => {
    const holder = desk.connect();
    const big = request('later', [3], 1_000_000);
    ask(holder.transport, big);
    const { transport } = desk.connect();
    const stream = frameOf(request('now', [3], 655_360));
    transport.arrive(stream.subarray(0, 100_000));
    desk.run();
    expect(desk.intake.waiting).toBe(1);
    for (let i = 0; i < 5; i++) desk.pass(LIMITS.receiveTimeoutMs);
    expect(desk.ends).toEqual([]);
    complete(big.id);
    desk.run();
    desk.pass(LIMITS.receiveTimeoutMs + 9_000);
    expect(desk.ends).toEqual([]);
    desk.pass(2_000);
    expect(desk.ends[0]?.why).toContain('request.receive.timeout.ms');
    desk.expectRest();
  });

  test('a connection without traffic is closed, any traffic keeps it', () => {
    const { connection, transport } = desk.connect();
    desk.pass(LIMITS.idleMs - 100);
    ask(transport, request('now'));
    desk.pass(LIMITS.idleMs - 100);
    expect(connection.closed).toBe(false);
    desk.pass(1_200);
    expect(connection.closed).toBe(true);
    expect(desk.ends[0]?.why).toContain('connections.max.idle.ms');
    expect(transport.closed).toBe(1);
  });

  test('one whose answer is not ready is not idle; once it is out the time starts anew', () => {
    const { connection, transport } = desk.connect();
    ask(transport, request('waits'));
    for (let i = 0; i < 5; i++) desk.pass(LIMITS.idleMs);
    expect(connection.closed).toBe(false);
    complete(1);
    desk.run();
    desk.pass(LIMITS.idleMs - 100);
    expect(connection.closed).toBe(false);
    desk.pass(1_200);
    expect(connection.closed).toBe(true);
  });

  test('a reader without progress is closed although it keeps sending, one that reads on is not', () => {
    const slot = desk.files.add(contents(300_000));
    const stuck = desk.connect();
    stuck.transport.room = 100;
    ask(stuck.transport, request('now', [{ file: slot, position: 0, length: 200_000 }]));
    const slow = desk.connect();
    slow.transport.room = 100;
    ask(slow.transport, request('now', [{ file: slot, position: 0, length: 200_000 }]));
    for (let i = 0; i < 4; i++) {
      desk.pass(LIMITS.idleMs / 4 + 10);
      slow.transport.room += 100;
      if (i < 2) stuck.transport.arrive(frameOf(request('now')));
      desk.run();
    }
    desk.pass(LIMITS.idleMs / 2);
    expect(stuck.connection.closed).toBe(true);
    expect(slow.connection.closed).toBe(false);
    expect(desk.files.leases).toBe(1);
  });
});
