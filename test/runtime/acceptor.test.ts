/** The acceptor: connections go round the processors that take new ones, and what nobody takes is closed and said. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Acceptor, type Doors } from '../../src/runtime/acceptor.ts';
import type { FromThread } from '../../src/runtime/control.ts';
import { Counters, countersMemory } from '../../src/runtime/counters.ts';
import { Bell } from '../../src/runtime/rings/bell.ts';
import { ACCEPTED } from '../../src/runtime/rings/messages.ts';
import { Inbox, newRing, Outbox } from '../../src/runtime/rings/ring.ts';

class FakeDoors implements Doors {
  readonly listeners = new Map<number, (descriptor: number) => void>();
  readonly refused: number[] = [];
  closed = 0;
  problem: string | null = null;
  failed: (problem: string) => void = () => {};

  listen(
    listener: number,
    _host: string,
    port: number,
    accepted: (descriptor: number) => void,
    failed: (problem: string) => void,
  ): number {
    if (this.problem !== null) throw new Error(this.problem);
    this.failed = failed;
    this.listeners.set(listener, accepted);
    return port + 1;
  }

  close(): void {
    this.closed += 1;
  }

  refuse(descriptor: number): void {
    this.refused.push(descriptor);
  }
}

let doors: FakeDoors;
let open: Int32Array;
let posted: FromThread[];
let acceptor: Acceptor;
let counters: Counters;
let inboxes: Map<string, Inbox>;

const reply = (message: Parameters<Acceptor['control']>[0]): Promise<unknown[]> =>
  new Promise((resolve) => acceptor.control(message, (...answer) => resolve(answer)));

function link(peer: string, slots = 16): void {
  const memory = newRing(slots);
  inboxes.set(peer, new Inbox(memory));
  acceptor.linked(peer, new Outbox(memory, new Bell(new Int32Array(new SharedArrayBuffer(4)), () => {})));
}

/** Descriptors that came to a processor, with their listeners. */
function taken(peer: string): [number, number][] {
  const inbox = inboxes.get(peer) as Inbox;
  const got: [number, number][] = [];
  for (let at = inbox.peek(); at >= 0; at = inbox.peek()) {
    expect(inbox.words[at]).toBe(ACCEPTED);
    got.push([inbox.words[at + 1] as number, inbox.words[at + 2] as number]);
    inbox.next();
  }
  return got;
}

/** Events and how often they are said to have happened. */
function said(): unknown[] {
  return posted.map((message) => message.kind === 'log' && [message.event, message.values?.count]);
}

beforeEach(() => {
  doors = new FakeDoors();
  open = new Int32Array(new SharedArrayBuffer(4));
  posted = [];
  inboxes = new Map();
  counters = new Counters(countersMemory(), 0);
  acceptor = new Acceptor({
    name: 'a0',
    doors,
    counters,
    connectionsMax: 100,
    open,
    post: (message) => posted.push(message),
  });
});

describe('acceptor', () => {
  test('hands connections round, each with the number of its listener', async () => {
    for (const peer of ['p0', 'p1', 'p2']) link(peer);
    await reply({ kind: 'processors', names: ['p0', 'p2'] });
    expect(await reply({ kind: 'listen', listener: 0, host: 'here', port: 9092 })).toEqual([9093]);
    expect(await reply({ kind: 'listen', listener: 7, host: 'here', port: 9192 })).toEqual([9193]);
    for (let descriptor = 1; descriptor <= 4; descriptor++) doors.listeners.get(0)?.(descriptor);
    doors.listeners.get(7)?.(5);
    expect(taken('p0')).toEqual([
      [1, 0],
      [3, 0],
      [5, 7],
    ]);
    expect(taken('p2')).toEqual([
      [2, 0],
      [4, 0],
    ]);
    expect(taken('p1'), 'it takes no new ones').toEqual([]);
    acceptor.count();
    expect(counters.get('connectionsOpened')).toBe(5);
  });

  test('keeps those that come before any processor, in order, and closes them if none ever comes', async () => {
    await reply({ kind: 'listen', listener: 3, host: 'here', port: 0 });
    doors.listeners.get(3)?.(1);
    doors.listeners.get(3)?.(2);
    expect(doors.refused).toEqual([]);
    link('p0');
    await reply({ kind: 'processors', names: ['p0'] });
    expect(taken('p0')).toEqual([
      [1, 3],
      [2, 3],
    ]);
    await reply({ kind: 'processors', names: [] });
    doors.listeners.get(3)?.(4);
    acceptor.stop();
    expect(doors.refused).toEqual([4]);
  });

  test('closes what is above the limit or comes when nobody is linked, and says so', async () => {
    await reply({ kind: 'listen', listener: 0, host: 'here', port: 0 });
    await reply({ kind: 'processors', names: ['p0'] });
    doors.listeners.get(0)?.(1);
    link('p0');
    open[0] = 99;
    doors.listeners.get(0)?.(2);
    expect(open[0], 'counted before anybody takes it').toBe(100);
    doors.listeners.get(0)?.(3);
    expect(open[0]).toBe(100);
    await reply({ kind: 'unlink', peer: 'p0' });
    doors.listeners.get(0)?.(4);
    expect(doors.refused).toEqual([1, 3, 4]);
    expect(open[0]).toBe(100);
    expect(taken('p0')).toEqual([[2, 0]]);
    // The first is said at once, a flood of them once in ten seconds.
    for (let descriptor = 5; descriptor < 1_000; descriptor++) doors.listeners.get(0)?.(descriptor);
    acceptor.settle(9_999);
    expect(said()).toEqual([['connection.refused', 1]]);
    acceptor.settle(10_000);
    acceptor.settle(30_000);
    expect(said()).toEqual([
      ['connection.refused', 1],
      ['connection.refused', 997],
    ]);
    acceptor.count();
    expect(counters.get('connectionsOpened')).toBe(1);
  });

  test('a door that does not open is an answer, not an end', async () => {
    doors.problem = 'EADDRINUSE';
    expect(await reply({ kind: 'listen', listener: 0, host: 'here', port: 9092 })).toEqual([undefined, 'EADDRINUSE']);
    expect((await reply({ kind: 'hold', slots: [] }))[1]).toContain('does not know');
  });

  test('what does not fit a ring is handed over as soon as it does, without another connection coming', async () => {
    link('p0', 2);
    await reply({ kind: 'processors', names: ['p0'] });
    await reply({ kind: 'listen', listener: 0, host: 'here', port: 0 });
    for (let descriptor = 1; descriptor <= 5; descriptor++) doors.listeners.get(0)?.(descriptor);
    const got: number[] = [];
    for (let now = 0; now < 5; now++) {
      got.push(...taken('p0').map(([descriptor]) => descriptor));
      acceptor.settle(now);
      expect(acceptor.deadline() !== Number.POSITIVE_INFINITY, 'it wants to come back').toBe(got.length < 3);
    }
    expect(got).toEqual([1, 2, 3, 4, 5]);
  });

  test('a connection that the system does not give is said, once in a while', async () => {
    await reply({ kind: 'listen', listener: 0, host: 'here', port: 0 });
    for (let at = 0; at < 300; at++) {
      acceptor.settle(at * 100);
      doors.failed('EMFILE');
    }
    expect(said()).toEqual([
      ['accept.failed', 1],
      ['accept.failed', 99],
      ['accept.failed', 100],
    ]);
    expect(posted[0]).toMatchObject({ level: 'error', values: { why: 'EMFILE' } });
  });

  test('closes its doors when told and when it ends', async () => {
    await reply({ kind: 'close' });
    acceptor.stop();
    expect(doors.closed).toBe(2);
  });
});
