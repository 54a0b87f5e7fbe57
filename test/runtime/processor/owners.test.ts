/** The way to the owners: routes by name and id, and questions to a partition that moves arrive at its new owner in order. */
import { beforeEach, describe, expect, test } from 'vitest';
import { PublishedPartitions, SLOT_BYTES } from '../../../src/replica/published.ts';
import { Owners } from '../../../src/runtime/processor/owners.ts';
import { Bell } from '../../../src/runtime/rings/bell.ts';
import { Inbox, newRing, Outbox } from '../../../src/runtime/rings/ring.ts';

const SLOTS = 8;
let published: PublishedPartitions;
let owners: Owners;
let inboxes: Inbox[];
let rung: number[];
beforeEach(() => {
  published = new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES * 16));
  owners = new Owners(published);
  rung = [];
  inboxes = [0, 1].map((handler) => {
    const memory = newRing(SLOTS);
    const asleep = new Int32Array(new SharedArrayBuffer(4)).fill(1);
    owners.link(
      handler,
      new Outbox(
        memory,
        new Bell(asleep, () => {
          rung.push(handler);
        }),
      ),
    );
    return new Inbox(memory);
  });
});

function take(handler: number): number[][] {
  const inbox = inboxes[handler] as Inbox;
  const messages: number[][] = [];
  for (let at = inbox.peek(); at >= 0; at = inbox.peek()) {
    messages.push([...inbox.words.subarray(at, at + 8), inbox.floats[(at >> 1) + 4] as number]);
    inbox.next();
  }
  return messages;
}

function ask(n: number, slot: number): number[] {
  owners.send(10, n, n + 1, slot, n + 2, n + 3, n + 4, n + 5, n * 1e12);
  return [10, n, n + 1, slot, n + 2, n + 3, n + 4, n + 5, n * 1e12];
}

describe('owners', () => {
  test('a question says when the turn began in which it was sent', () => {
    owners.turnAt = 1_234.5;
    ask(1, 0);
    const inbox = inboxes[0] as Inbox;
    expect(inbox.floats[(inbox.peek() >> 1) + 7]).toBe(1_234.5);
  });

  test('a question goes to who owns its partition', () => {
    published.setOwner(3, 1);
    const [a, b, c] = [ask(1, 3), ask(2, 0), ask(3, 3)];
    expect(take(0)).toEqual([b]);
    expect(take(1)).toEqual([a, c]);
    owners.ringBells();
    expect(rung.sort()).toEqual([0, 1]);
  });

  test('while a partition is held its questions wait, those of others do not', () => {
    published.setOwner(3, 1);
    owners.hold([3, 4]);
    const [a, b, c] = [ask(1, 3), ask(2, 0), ask(3, 4)];
    owners.hold([3]);
    const d = ask(4, 3);
    expect(take(1)).toEqual([]);
    expect(take(0)).toEqual([b]);
    published.setOwner(3, 0);
    owners.resume([3]);
    expect(take(0)).toEqual([a, d]);
    expect(take(1)).toEqual([]);
    const e = ask(5, 3);
    expect(take(0)).toEqual([e]);
    published.setOwner(4, 1);
    owners.resume([4, 4]);
    expect(take(1)).toEqual([c]);
  });

  test('one full ring makes it congested until it has room again', () => {
    for (let n = 0; n < SLOTS; n++) ask(n, 0);
    expect(owners.congested).toBe(false);
    ask(9, 0);
    expect(owners.congested).toBe(true);
    expect(take(0).length).toBe(SLOTS);
    owners.ringBells();
    expect(owners.congested).toBe(false);
    expect(take(0).length).toBe(1);
  });

  test('a handler that was unlinked owns nothing', () => {
    published.setOwner(5, 1);
    owners.unlink(1);
    expect(() => ask(1, 5)).toThrow('has an owner');
    expect(owners.congested).toBe(false);
    owners.ringBells();
  });

  test('routes are found by name and by id, and a name made anew is another topic', () => {
    const first = { name: 'a', id: 'id-1', slots: [1, 2] };
    const second = { name: 'a', id: 'id-2', slots: [3] };
    owners.update([first, { name: 'b', id: 'id-b', slots: [9] }], []);
    expect(owners.route('a')).toBe(first);
    expect(owners.routeById('id-1')).toBe(first);
    expect(owners.route('c')).toBeNull();
    expect(owners.routeById('c')).toBeNull();
    owners.update([second], ['id-1', 'unknown']);
    expect(owners.route('a')).toBe(second);
    expect(owners.routeById('id-1')).toBeNull();
    owners.update([first], []);
    owners.update([], ['id-2']);
    expect(owners.route('a'), 'the newer one keeps the name').toBe(first);
    owners.update([], ['id-1', 'id-b']);
    expect([owners.route('a'), owners.route('b'), owners.routeById('id-b')]).toEqual([null, null, null]);
  });
});
