/** When a connection is given up: frames that do not come, clients that are silent, readers that do not read. */
import { beforeEach, describe, expect, test } from 'vitest';
import { PRESSED_EVERY_MS } from '../../../src/runtime/net/frames.ts';
import { frameOf, LIMITS } from '../kit.ts';
import { AskedDesk } from './asked-desk.ts';

let desk: AskedDesk;
beforeEach(() => {
  desk = new AskedDesk();
});

function contents(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => i * 5 + (i >> 8));
}

describe('time', () => {
  test('a frame earns its time by what comes, and nothing by what it announces', () => {
    const announced = desk.connect();
    announced.transport.arrive(frameOf(desk.request('now', [3], 1_000_000)).subarray(0, 12));
    const { transport } = desk.connect();
    const one = desk.request('now', [3], 900_000);
    const stream = frameOf(one);
    transport.arrive(stream.subarray(0, 50_000));
    desk.run();
    desk.pass(LIMITS.receiveTimeoutMs - 10);
    expect(desk.ends).toEqual([]);
    // Ten seconds at 64 KiB each.
    transport.arrive(stream.subarray(50_000, 50_000 + 10 * 65_536));
    desk.run();
    desk.pass(20);
    expect(desk.ends.map(({ connection }) => connection)).toEqual([announced.connection]);
    desk.pass(9_900);
    expect(desk.ends).toHaveLength(1);
    desk.pass(100);
    expect(desk.ends[1]?.why).toContain('request.receive.timeout.ms');
    expect(transport.closed).toBe(1);
    expect(desk.timers.count).toBe(0);
    desk.expectRest();
  });

  test('no more than the time-out can be saved up: much at once and then nothing is late, too', () => {
    const { transport } = desk.connect();
    const stream = frameOf(desk.request('now', [3], 2_000_000));
    desk.pass(10);
    transport.arrive(stream.subarray(0, 100_000));
    desk.run();
    transport.arrive(stream.subarray(100_000, 1_900_000));
    desk.run();
    desk.pass(LIMITS.receiveTimeoutMs - 10);
    expect(desk.ends).toEqual([]);
    desk.pass(20);
    expect(desk.ends[0]?.why).toContain('request.receive.timeout.ms');
    desk.expectRest();
  });

  test('one that comes steadily at 64 KiB a second is never late, however large', () => {
    const { transport } = desk.connect();
    const one = desk.request('now', [3], LIMITS.frameBytesMax);
    const stream = frameOf(one);
    const step = 65_536;
    for (let at = 0; at < stream.length; at += step) {
      transport.arrive(stream.subarray(at, at + step));
      desk.run();
      desk.pass(1_000);
    }
    expect(desk.started).toEqual([one.id]);
    expect(desk.ends).toEqual([]);
  });

  test('one that comes byte by byte has one time-out and next to nothing more, its size prefix included', () => {
    const { connection, transport } = desk.connect();
    const stream = frameOf(desk.request('now', [3], 200));
    const begun = desk.now;
    for (let at = 0; at < stream.length - 1 && !connection.closed; at++) {
      transport.arrive(stream.subarray(at, at + 1));
      desk.run();
      desk.pass(LIMITS.receiveTimeoutMs / 4);
    }
    expect(connection.closed).toBe(true);
    expect(desk.now - begun).toBeLessThan(LIMITS.receiveTimeoutMs * 1.5);
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
    const [waiting, late] = [desk.request('waits'), desk.request('now')];
    const stream = Buffer.concat([frameOf(waiting), frameOf(late)]);
    transport.arrive(stream.subarray(0, 40));
    desk.run();
    transport.arrive(stream.subarray(40));
    desk.run();
    expect(desk.started).toEqual([waiting.id]);
    for (let i = 0; i < 10; i++) desk.pass(LIMITS.receiveTimeoutMs);
    expect(desk.ends).toEqual([]);
    desk.finish(waiting.id);
    desk.run();
    expect(transport.sent).toEqual(desk.answers([waiting, late]));
    desk.expectRest();
  });

  test('nor is one that waits in the line for room; its time starts with its admission', () => {
    const holder = desk.connect();
    const big = desk.request('later', [3], 1_000_000);
    desk.ask(holder.transport, big);
    const { transport } = desk.connect();
    const stream = frameOf(desk.request('now', [3], 655_360));
    transport.arrive(stream.subarray(0, 100_000));
    desk.run();
    expect(desk.intake.waiting).toBe(1);
    for (let i = 0; i < 5; i++) desk.pass(LIMITS.receiveTimeoutMs);
    expect(desk.ends).toEqual([]);
    desk.finish(big.id);
    desk.run();
    desk.pass(LIMITS.receiveTimeoutMs - 1_000);
    expect(desk.ends).toEqual([]);
    desk.pass(2_000);
    expect(desk.ends[0]?.why).toContain('request.receive.timeout.ms');
    desk.expectRest();
  });

  test('a connection without traffic is closed, any traffic keeps it', () => {
    const { connection, transport } = desk.connect();
    desk.pass(LIMITS.idleMs - 100);
    desk.ask(transport, desk.request('now'));
    desk.pass(LIMITS.idleMs - 100);
    expect(connection.closed).toBe(false);
    desk.pass(1_200);
    expect(connection.closed).toBe(true);
    expect(desk.ends[0]?.why).toContain('connections.max.idle.ms');
    expect(transport.closed).toBe(1);
  });

  test('one whose answer is not ready is not idle; once it is out the time starts anew', () => {
    const { connection, transport } = desk.connect();
    desk.ask(transport, desk.request('waits'));
    for (let i = 0; i < 5; i++) desk.pass(LIMITS.idleMs);
    expect(connection.closed).toBe(false);
    desk.finish(1);
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
    desk.ask(stuck.transport, desk.request('now', [{ file: slot, position: 0, length: 200_000 }]));
    const slow = desk.connect();
    slow.transport.room = 100;
    desk.ask(slow.transport, desk.request('now', [{ file: slot, position: 0, length: 200_000 }]));
    for (let i = 0; i < 4; i++) {
      desk.pass(LIMITS.idleMs / 4 + 10);
      slow.transport.room += 100;
      if (i < 2) stuck.transport.arrive(frameOf(desk.request('now')));
      desk.run();
    }
    desk.pass(LIMITS.idleMs / 2);
    expect(stuck.connection.closed).toBe(true);
    expect(slow.connection.closed).toBe(false);
    expect(desk.files.leases).toBe(1);
  });
});

describe('while others wait for memory', () => {
  function pressed(ms: number): void {
    for (const connection of Array.from(desk.connections)) connection.press();
    desk.pass(ms);
  }

  test('a frame that does not come is given up at the second look, one that comes is not', () => {
    const stalled = desk.connect();
    const steady = desk.connect();
    const stream = frameOf(desk.request('now', [3], 500_000));
    for (const { transport } of [stalled, steady]) transport.arrive(stream.subarray(0, 40_000));
    desk.run();
    pressed(PRESSED_EVERY_MS);
    expect(desk.ends, 'the first look only sees how much there is').toEqual([]);
    steady.transport.arrive(stream.subarray(40_000, 40_000 + PRESSED_EVERY_MS * 66));
    desk.run();
    pressed(PRESSED_EVERY_MS);
    expect(desk.ends.map(({ connection }) => connection)).toEqual([stalled.connection]);
    expect(desk.ends[0]?.why).toContain('while others waited');
    steady.connection.excuse();
    pressed(PRESSED_EVERY_MS);
    expect(steady.connection.closed, 'what was our fault does not count').toBe(false);
    pressed(0);
    expect(steady.connection.closed).toBe(true);
    desk.expectRest();
  });

  test('the next frame of a connection begins anew', () => {
    const { connection, transport } = desk.connect();
    const [first, second] = [desk.request('now', [3], 100_000), desk.request('now', [3], 100_000)];
    transport.arrive(frameOf(first).subarray(0, 99_000));
    desk.run();
    pressed(100);
    transport.arrive(Buffer.concat([frameOf(first).subarray(99_000), frameOf(second).subarray(0, 50_000)]));
    desk.run();
    pressed(100);
    expect(connection.closed).toBe(false);
    expect(desk.started).toEqual([first.id]);
    pressed(0);
    expect(connection.closed).toBe(true);
    desk.expectRest();
  });
});
