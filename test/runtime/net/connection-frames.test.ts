/** How a connection cuts frames and when it reads: sizes and pieces at their limits, admission, congestion, and a side that is closed. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Block, SMALL_FRAME_BYTES_MAX } from '../../../src/runtime/net/intake.ts';
import { answerOf, FakeDesk, frameOf, INTAKE_LIMITS, LIMITS, type Open, type Request } from '../kit.ts';
import type { FakeTransport } from './sockets.ts';

/** All that small unfinished frames may hold. */
const SLOTS_BYTES = 33_554_432;

let desk: FakeDesk;
let nextId: number;
beforeEach(() => {
  desk = new FakeDesk();
  nextId = 1;
});

function request(bytes: number, treatment: Request['treatment'] = 'now', answer: Request['answer'] = [3]): Request {
  const one = { id: nextId++, treatment, bytes, holds: true, answer };
  desk.requests.set(one.id, one);
  return one;
}

function sizeOf(bytes: number): Uint8Array {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setInt32(0, bytes);
  return size;
}

function answers(requests: readonly Request[]): Buffer {
  return Buffer.concat(requests.map((one) => answerOf(one, desk.files)));
}

function complete(id: number): void {
  desk.complete(desk.open.find(({ request }) => request.id === id) as Open);
}

function finish(transport: FakeTransport): void {
  transport.finish();
  desk.run();
  expect(desk.connections).toEqual([]);
  expect(desk.timers.count).toBe(0);
  desk.expectRest();
}

describe('frames', () => {
  test.each([1, 2, 3, 4, 5, 7, 11, 12, 13, 64])('in pieces of %i bytes, each with a wait behind it', (pieceBytes) => {
    const { transport } = desk.connect();
    const requests = [request(8), request(9), request(100), request(8), request(31)];
    const stream = Buffer.concat(requests.map(frameOf));
    for (let at = 0; at < stream.length; at += pieceBytes) {
      transport.arrive(stream.subarray(at, at + pieceBytes));
      desk.run();
      // A spurious wake-up changes nothing.
      desk.connections[0]?.readable(desk.now);
    }
    expect(desk.started).toEqual(requests.map(({ id }) => id));
    expect(transport.sent).toEqual(answers(requests));
    desk.pass(LIMITS.receiveTimeoutMs * 2);
    expect(desk.ends).toEqual([]);
    finish(transport);
  });

  test('cut in two at every byte', () => {
    const sizes = [8, 20, 9];
    const total = sizes.reduce((sum, bytes) => sum + bytes + 4, 0);
    for (let cut = 0; cut <= total; cut++) {
      desk = new FakeDesk();
      const { transport } = desk.connect();
      const requests = sizes.map((bytes) => request(bytes));
      const stream = Buffer.concat(requests.map(frameOf));
      transport.arrive(stream.subarray(0, cut));
      desk.run();
      transport.arrive(stream.subarray(cut));
      desk.run();
      expect(transport.sent, `cut at ${cut}`).toEqual(answers(requests));
      finish(transport);
    }
  });

  test.each([-1, 0, 1, 2, 3, 4, 5].map((more) => SMALL_FRAME_BYTES_MAX - 4 + more))(
    'of %i bytes, around the border between small and large',
    (bytes) => {
      const { transport } = desk.connect();
      const requests = [request(bytes), request(8)];
      const stream = Buffer.concat(requests.map(frameOf));
      for (let at = 0; at < stream.length; at += 10_000) {
        transport.arrive(stream.subarray(at, at + 10_000));
        desk.run();
      }
      expect(transport.sent).toEqual(answers(requests));
      finish(transport);
    },
  );

  test('many in one receive, and one of the largest size allowed', () => {
    const { transport } = desk.connect();
    const requests = [...Array.from({ length: 200 }, () => request(20)), request(LIMITS.frameBytesMax), request(20)];
    transport.arrive(Buffer.concat(requests.map(frameOf)));
    desk.run();
    expect(transport.sent).toEqual(answers(requests));
    finish(transport);
  });

  test.each([-1, -0x80000000, LIMITS.frameBytesMax + 1, 0x7fffffff])('of %i bytes cost the connection', (bytes) => {
    const { transport } = desk.connect();
    const before = request(8, 'later');
    transport.arrive(Buffer.concat([frameOf(before), sizeOf(bytes), new Uint8Array(20)]));
    desk.run();
    expect(transport.closed).toBe(1);
    expect(desk.ends[0]?.why).toContain('socket.request.max.bytes');
    complete(before.id);
    desk.run();
    expect(desk.timers.count).toBe(0);
    desk.expectRest();
  });

  test.each([
    ['of no bytes', () => sizeOf(0)],
    ['of bytes nobody can read', () => frameOf(request(30, 'malformed'))],
    ['that comes in pieces and cannot be read', () => frameOf(request(80_000, 'malformed'))],
  ])('%s cost the connection', (_name, bytes) => {
    const { transport } = desk.connect();
    const stream = bytes();
    transport.arrive(stream.subarray(0, 5));
    desk.run();
    transport.arrive(stream.subarray(5));
    desk.run();
    expect(transport.closed).toBe(1);
    expect(desk.ends[0]?.why).toBe('a request that cannot be read');
    expect(desk.timers.count).toBe(0);
    desk.expectRest();
  });
});

describe('reading', () => {
  test('stops when all answer slots are taken and goes on when one is free', () => {
    const { connection, transport } = desk.connect();
    const requests = Array.from({ length: 12 }, () => request(50, 'later'));
    transport.arrive(Buffer.concat(requests.slice(0, 10).map(frameOf)));
    transport.arrive(Buffer.concat(requests.slice(10).map(frameOf)));
    desk.run();
    expect(desk.started.length).toBe(LIMITS.inFlightMax);
    expect(connection.inFlight).toBe(LIMITS.inFlightMax);
    expect(transport.reading).toBe(false);
    expect(transport.waitingBytes).toBe(2 * 54);
    complete(2);
    desk.run();
    expect(desk.started.length, 'an answer that waits for the first keeps its slot').toBe(LIMITS.inFlightMax);
    complete(1);
    desk.run();
    expect(desk.started.length).toBe(LIMITS.inFlightMax + 2);
    while (desk.open.length > 0) {
      desk.complete(desk.open[0] as Open);
      desk.run();
    }
    expect(transport.sent).toEqual(answers(requests));
    finish(transport);
  });

  test.each(['alone', 'waits'] as const)('nothing starts behind a request that %s', (treatment) => {
    const { transport } = desk.connect();
    const requests = [request(10, 'later'), request(10, treatment), request(10), request(10)];
    transport.arrive(Buffer.concat(requests.map(frameOf)));
    desk.run();
    expect(desk.started).toEqual([1, 2]);
    complete(1);
    desk.run();
    expect(desk.started).toEqual([1, 2]);
    complete(2);
    desk.run();
    expect(desk.started).toEqual([1, 2, 3, 4]);
    expect(transport.sent).toEqual(answers(requests));
    finish(transport);
  });

  test('one that ends its waiting lets the next one in with its answer', () => {
    const { transport } = desk.connect();
    const [fetch, next] = [request(10, 'waits'), request(10, 'later')];
    transport.arrive(Buffer.concat([frameOf(fetch), frameOf(next)]));
    desk.run();
    (desk.open[0] as Open).call.waits = false;
    complete(fetch.id);
    desk.run();
    expect(desk.started).toEqual([fetch.id, next.id]);
    complete(next.id);
    desk.run();
    finish(transport);
  });

  test('congestion of others stops a connection, and its end lets it go on without being asked', () => {
    const a = desk.connect();
    const b = desk.connect();
    desk.openMax = 1;
    const first = request(10, 'later');
    const second = request(10, 'later');
    a.transport.arrive(frameOf(first));
    desk.run();
    b.transport.arrive(frameOf(second));
    desk.run();
    expect(desk.started).toEqual([first.id]);
    expect(b.transport.reading).toBe(false);
    complete(first.id);
    desk.run();
    expect(desk.started).toEqual([first.id, second.id]);
    complete(second.id);
    desk.run();
    a.transport.finish();
    finish(b.transport);
  });

  test('a large frame waits for room in the line, its turn comes when somebody lets go, and whoever leaves the line is out', () => {
    const big = 600_000;
    const [a, b, c] = [desk.connect(), desk.connect(), desk.connect()];
    const requests = [request(big, 'later'), request(big, 'later'), request(big, 'later')];
    for (const [i, { transport }] of [a, b, c].entries()) {
      transport.arrive(frameOf(requests[i] as Request).subarray(0, 300_000));
      desk.run();
    }
    expect(desk.intake.waiting).toBe(2);
    expect([a, b, c].map(({ transport }) => transport.reading)).toEqual([true, false, false]);
    expect(b.transport.waitingBytes, 'no more of it is read').toBeGreaterThan(0);
    expect(b.connection.movable).toBe(false);
    b.connection.close('changed its mind');
    expect(desk.intake.waiting).toBe(1);
    a.transport.arrive(frameOf(requests[0] as Request).subarray(300_000));
    desk.run();
    c.transport.arrive(frameOf(requests[2] as Request).subarray(300_000));
    desk.run();
    expect(desk.started).toEqual([1]);
    complete(1);
    desk.run();
    expect(desk.started).toEqual([1, 3]);
    complete(3);
    desk.run();
    expect(c.transport.sent).toEqual(answers([requests[2] as Request]));
    a.transport.finish();
    finish(c.transport);
  });

  test('memory that is used up stops it without spinning, and comes back', () => {
    const { connection, transport } = desk.connect();
    const held: Block[] = [];
    for (let bytes = 33_554_432; bytes >= 512; bytes = Math.floor(bytes / 2)) {
      for (let block = desk.intake.area(bytes); block !== null; block = desk.intake.area(bytes)) held.push(block);
    }
    desk.intake.rest();
    expect(desk.intake.chunk()).toBeNull();
    const one = request(30);
    transport.arrive(frameOf(one));
    desk.run();
    expect(desk.started).toEqual([]);
    expect(transport.reading).toBe(false);
    desk.run();
    for (const block of held.splice(0)) desk.intake.release(block);
    desk.run();
    expect(desk.started).toEqual([one.id]);
    expect(connection.closed).toBe(false);
    finish(transport);
  });

  test('with chunks but no place for an unfinished frame it keeps the bytes where they are', () => {
    const { transport } = desk.connect();
    const held: Block[] = [];
    for (let block = desk.intake.slot(65_536); block !== null; block = desk.intake.slot(65_536)) held.push(block);
    const [first, second] = [request(30), request(40)];
    const stream = Buffer.concat([frameOf(first), frameOf(second)]);
    transport.arrive(stream.subarray(0, 36));
    desk.run();
    expect(desk.started).toEqual([first.id]);
    for (const block of held.splice(0)) desk.intake.release(block);
    desk.run();
    transport.arrive(stream.subarray(36));
    desk.run();
    expect(transport.sent).toEqual(answers([first, second]));
    finish(transport);
  });
});

describe('a client that closes its side', () => {
  test('gets all its answers first, those of frames that were not started yet, too', () => {
    const { connection, transport } = desk.connect();
    const requests = Array.from({ length: 20 }, () => request(50, 'later'));
    transport.arrive(Buffer.concat(requests.map(frameOf)));
    transport.finish();
    desk.run();
    while (desk.open.length > 0) {
      expect(connection.closed).toBe(false);
      desk.complete(desk.open[desk.open.length - 1] as Open);
      desk.run();
    }
    expect(connection.closed).toBe(true);
    expect(transport.sent).toEqual(answers(requests));
    expect(desk.ends[0]?.why).toBe('');
    desk.expectRest();
  });

  test('gets them although it reads slowly', () => {
    const { connection, transport } = desk.connect();
    transport.room = 5;
    const requests = Array.from({ length: 10 }, () => request(50, 'now', [1_000]));
    transport.arrive(Buffer.concat(requests.map(frameOf)));
    transport.finish();
    for (let i = 0; i < 200 && !connection.closed; i++) {
      desk.run();
      transport.room += 100;
    }
    expect(connection.closed).toBe(true);
    expect(transport.sent).toEqual(answers(requests));
    desk.expectRest();
  });

  test('in the middle of a frame loses that frame only', () => {
    const { connection, transport } = desk.connect();
    const whole = request(50, 'later');
    transport.arrive(Buffer.concat([frameOf(whole), frameOf(request(100)).subarray(0, 60)]));
    transport.finish();
    desk.run();
    expect(connection.closed).toBe(false);
    // The frame never comes, and nobody is late for it.
    desk.pass(LIMITS.receiveTimeoutMs * 3);
    expect(connection.closed).toBe(false);
    complete(whole.id);
    desk.run();
    expect(connection.closed).toBe(true);
    expect(transport.sent).toEqual(answers([whole]));
    desk.expectRest();
  });

  test('while its last frame has no place is let go as soon as it has one', () => {
    const { connection, transport } = desk.connect();
    const held: Block[] = [];
    for (let block = desk.intake.slot(65_536); block !== null; block = desk.intake.slot(65_536)) held.push(block);
    transport.arrive(frameOf(request(30)).subarray(0, 20));
    connection.readable(desk.now);
    for (const block of held.splice(0)) desk.intake.release(block);
    transport.finish();
    desk.run();
    expect(connection.closed).toBe(true);
    desk.expectRest();
  });

  test('with a large frame in the line is out of it', () => {
    const holder = desk.connect();
    const { connection, transport } = desk.connect();
    const big = request(INTAKE_LIMITS.queuedBytesMax - 100, 'later');
    holder.transport.arrive(frameOf(big));
    desk.run();
    transport.arrive(frameOf(request(100_000)).subarray(0, 50_000));
    transport.finish();
    desk.run();
    expect(desk.intake.waiting).toBe(1);
    complete(big.id);
    desk.run();
    expect(connection.closed).toBe(true);
    finish(holder.transport);
  });
});

describe('who only announces', () => {
  test('keeps nobody out, however many there are and however much they announce', () => {
    const announcers = Array.from({ length: 40 }, (_, index) => {
      const one = desk.connect();
      const bytes = index % 2 === 0 ? LIMITS.frameBytesMax : 300_000;
      one.transport.arrive(frameOf(request(bytes)).subarray(0, 12 + index));
      return one;
    });
    desk.run();
    expect(desk.intake.waiting).toBe(0);
    const honest = desk.connect();
    const one = request(500_000);
    const stream = frameOf(one);
    for (let at = 0; at < stream.length; at += 50_000) {
      honest.transport.arrive(stream.subarray(at, at + 50_000));
      desk.run();
    }
    expect(desk.started).toEqual([one.id]);
    for (const { transport } of announcers) transport.finish();
    finish(honest.transport);
  });

  test('has no more of the small room than twice what it sent, once half of that is taken', () => {
    const clients = Array.from({ length: 2_000 }, () => desk.connect());
    for (const { transport } of clients) transport.arrive(frameOf(request(60_000)).subarray(0, 700));
    desk.run();
    expect(desk.intake.heldBytes).toBeLessThan(SLOTS_BYTES / 2 + 2_000 * 2_048 + 1_000_000);
    // Still there is room for those that send on, and each of them gets there.
    for (const { connection } of clients.slice(10)) connection.close('enough');
    for (const { transport } of clients.slice(0, 10)) transport.finish();
    desk.run();
    desk.expectRest();
  });

  test.each([200, 70_000, 500_000, LIMITS.frameBytesMax])(
    '%i bytes come whole through places that grow with them',
    (bytes) => {
      const crowd: Block[] = [];
      while (crowd.length * 65_536 <= SLOTS_BYTES / 2) crowd.push(desk.intake.slot(65_536) as Block);
      const room = desk.connect();
      room.transport.arrive(frameOf(request(400_000)).subarray(0, 20));
      const { transport } = desk.connect();
      const requests = [request(bytes), request(40), request(bytes)];
      const stream = Buffer.concat(requests.map(frameOf));
      let step = 1;
      for (let at = 0; at < stream.length; at += step) {
        step = Math.min(90_000, at + 1);
        transport.arrive(stream.subarray(at, at + step));
        desk.run();
        if (desk.intake.waiting > 0) room.connection.close('makes room');
      }
      desk.run();
      expect(transport.sent).toEqual(answers(requests));
      for (const block of crowd) desk.intake.release(block);
      if (!room.connection.closed) room.transport.finish();
      finish(transport);
    },
  );

  test('behind a request that waits, it holds what came and no room', () => {
    const { transport } = desk.connect();
    const [waiting, large] = [request(10, 'waits'), request(500_000)];
    transport.arrive(Buffer.concat([frameOf(waiting), frameOf(large).subarray(0, 40_000)]));
    desk.run();
    expect(desk.intake.heldBytes).toBeLessThan(400_000);
    complete(waiting.id);
    desk.run();
    transport.arrive(frameOf(large).subarray(40_000));
    desk.run();
    expect(transport.sent).toEqual(answers([waiting, large]));
    finish(transport);
  });

  test('and closes its side gives its room back at once, whatever is still under way', () => {
    const { transport } = desk.connect();
    const open = request(10, 'later');
    transport.arrive(Buffer.concat([frameOf(open), frameOf(request(500_000)).subarray(0, 40_000)]));
    desk.run();
    expect(desk.intake.heldBytes).toBeGreaterThan(500_000);
    transport.finish();
    desk.run();
    expect(desk.intake.heldBytes).toBeLessThan(400_000);
    complete(open.id);
    desk.run();
    expect(transport.sent).toEqual(answers([open]));
    finish(desk.connect().transport);
  });
});

test('frames that have their room are finished although those who wait for it hold every chunk', () => {
  const first = desk.connect();
  const big = request(900_000);
  first.transport.arrive(frameOf(big).subarray(0, 200_000));
  desk.run();
  const line = [];
  for (let index = 0; desk.intake.chunk() !== null; index++) {
    const one = desk.connect();
    one.transport.arrive(frameOf(request(600_000)).subarray(0, 250_000));
    desk.run();
    line.push(one);
    expect(index).toBeLessThan(1_000);
  }
  first.transport.arrive(frameOf(big).subarray(200_000));
  desk.run();
  expect(first.transport.sent).toEqual(answers([big]));
  for (const { connection } of line) connection.close('enough');
  finish(first.transport);
});
