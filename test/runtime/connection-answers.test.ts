/** How answers leave, and when a connection is given up: order, slow readers, leases, time-outs, and moving to another processor. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Block } from '../../src/runtime/intake.ts';
import { answerOf, FakeDesk, type FakeTransport, frameOf, LIMITS, type Open, type Request } from './kit.ts';

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

describe('answers', () => {
  test('leave in the order of their requests, whatever the order in which they are ready', () => {
    const { transport } = desk.connect();
    const requests = Array.from({ length: 8 }, (_, i) => request(i === 3 ? 'silent' : 'later', [i * 10]));
    ask(transport, ...requests);
    const sent: number[] = [];
    for (const id of [3, 8, 2, 5, 1, 7, 4, 6]) {
      complete(id);
      desk.run();
      sent.push(transport.sent.length);
    }
    const upTo = (count: number): number => answers(requests.slice(0, count)).length;
    expect(sent).toEqual([0, 0, 0, 0, upTo(3), upTo(3), upTo(5), upTo(8)]);
    expect(transport.sent).toEqual(answers(requests));
    desk.expectRest();
  });

  test('a hang-up comes in its turn, behind the answers before it and in place of those behind it', () => {
    const { connection, transport } = desk.connect();
    const requests = [request('later'), request('hangUp'), request('later')];
    ask(transport, ...requests);
    complete(3);
    complete(2);
    desk.run();
    expect(connection.closed).toBe(false);
    complete(1);
    desk.run();
    expect(connection.closed).toBe(true);
    expect(transport.sent).toEqual(answers(requests.slice(0, 1)));
    expect(desk.ends[0]?.why).toBe('as asked');
    desk.expectRest();
  });

  test('a hang-up waits for a reader that is slow with the answer before it', () => {
    const { connection, transport } = desk.connect();
    transport.room = 10;
    const requests = [request('now', [500]), request('hangUp')];
    ask(transport, ...requests);
    complete(2);
    desk.run();
    expect(connection.closed).toBe(false);
    transport.room = 10_000;
    desk.run();
    expect(connection.closed).toBe(true);
    expect(transport.sent).toEqual(answers(requests.slice(0, 1)));
    desk.expectRest();
  });

  test('that cannot be written cost the connection and nothing stays', () => {
    const { connection, transport } = desk.connect();
    ask(transport, request('later'));
    desk.encode = () => false;
    complete(1);
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
      request('now', [10, { file: slot, position: 7, length: 100_000 }, 300]),
      request('now', [{ file: small, position: 1, length: 4_000 }]),
    ];
    ask(transport, ...requests);
    const all = answers(requests);
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
    const requests = [request('now', [100]), request('now', [100]), request('now', [100])];
    ask(transport, ...requests);
    expect(desk.started).toEqual([1]);
    transport.room = 10_000;
    desk.run();
    expect(transport.sent).toEqual(answers(requests));
    desk.expectRest();
  });

  test('nothing new starts while the reader is slow', () => {
    const { transport } = desk.connect();
    transport.room = 5;
    const requests = [request('now', [100]), request('now', [100])];
    ask(transport, requests[0] as Request);
    ask(transport, requests[1] as Request);
    expect(desk.started).toEqual([1]);
    expect(transport.waitingBytes).toBeGreaterThan(0);
    transport.room = 10_000;
    desk.run();
    expect(transport.sent).toEqual(answers(requests));
    desk.expectRest();
  });

  test('one whose bytes find no memory costs its own connection only', () => {
    const { connection, transport } = desk.connect();
    transport.room = 0;
    ask(transport, request('later', [30_000]));
    const held: Block[] = [];
    for (let bytes = 33_554_432; bytes >= 512; bytes = Math.floor(bytes / 2)) {
      for (let block = desk.intake.area(bytes); block !== null; block = desk.intake.area(bytes)) held.push(block);
    }
    complete(1);
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
    const big = request('now', [{ file: slot, position: 0, length: 3_000_000 }]);
    const small = request('now');
    a.transport.arrive(frameOf(big));
    b.transport.arrive(frameOf(small));
    a.connection.readable(desk.now);
    b.connection.readable(desk.now);
    desk.settle();
    expect(a.transport.sent.length).toBe(1_048_576);
    expect(b.transport.sent).toEqual(answers([small]));
    desk.settle();
    expect(a.transport.sent.length).toBe(2 * 1_048_576);
    desk.run();
    expect(a.transport.sent).toEqual(answers([big]));
    desk.expectRest();
  });
});

describe('a connection that ends', () => {
  test('gives back the leases of answers that were ready, of those half sent, and of those still to come', () => {
    const slot = desk.files.add(contents(300_000));
    const part = { file: slot, position: 0, length: 200_000 };
    const { connection, transport } = desk.connect();
    transport.room = 50_000;
    const requests = [request('later', [part]), request('later', [part, 10, part]), request('later', [part])];
    ask(transport, ...requests);
    complete(1);
    desk.run();
    complete(2);
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
    ask(transport, request('now', [{ file: slot, position: 0, length: 150_000 }]));
    expect(desk.coming.length).toBe(1);
    connection.close('the test ends');
    expect(desk.files.leases).toBe(1);
    desk.arriveAhead();
    desk.run();
    desk.expectRest();
  });

  test('because the other end is gone, noticed in sending', () => {
    const { connection, transport } = desk.connect();
    ask(transport, request('waits'));
    transport.reset();
    desk.run();
    complete(1);
    desk.run();
    expect(connection.closed).toBe(true);
    expect(desk.ends[0]?.why).toBe('the other end is gone');
    desk.expectRest();
  });
});

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
