/** Rings: what goes in comes out, whole and in order, whatever the fill, the overflow and the sequence number; and between real threads. */
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ASLEEP, AWAKE, Bell } from '../../../src/runtime/rings/bell.ts';
import { Inbox, newRing, Outbox, Ring } from '../../../src/runtime/rings/ring.ts';
import type { EchoData, EchoResult } from '../echo-worker.ts';

/** Both counters of a ring that has run for long: 2^31 is passed after a few more messages. */
function agedRing(slots: number, sequence: number): SharedArrayBuffer {
  const memory = newRing(slots);
  const words = new Int32Array(memory);
  words[0] = sequence;
  words[16] = sequence;
  return memory;
}

function silentBell(): Bell {
  return new Bell(new Int32Array(new SharedArrayBuffer(4)), () => {});
}

function send(outbox: Outbox, n: number): void {
  outbox.send(
    n,
    n + 1,
    -n,
    n ^ 0x55,
    n * 3,
    0x7fffffff - n,
    -1,
    n & 7,
    n * 1e10,
    -n / 3,
    Number.MAX_SAFE_INTEGER - n,
    n,
  );
}

function expectMessage(inbox: Inbox, at: number, n: number): void {
  const half = at >> 1;
  expect(Array.from(inbox.words.subarray(at, at + 8))).toEqual(
    [n, n + 1, -n, n ^ 0x55, n * 3, 0x7fffffff - n, -1, n & 7].map((word) => word | 0),
  );
  expect(Array.from(inbox.floats.subarray(half + 4, half + 8))).toEqual([
    n * 1e10,
    -n / 3,
    Number.MAX_SAFE_INTEGER - n,
    n,
  ]);
}

const sequence = fc.oneof(
  fc.constantFrom(0, -1, 0x7fffffff, -0x80000000),
  fc.integer({ min: 0x7fffffff - 40, max: 0x7fffffff }),
  fc.integer({ min: -40, max: 40 }),
);
const step = fc.oneof(
  fc.record({ send: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ take: fc.integer({ min: 1, max: 12 }) }),
  fc.constant('bell' as const),
);

describe('ring', () => {
  test('keeps order through fill, overflow and the wrap of its counters', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 8),
        sequence,
        fc.array(step, { maxLength: 80, size: 'max' }),
        (slots, start, steps) => {
          const memory = agedRing(slots, start);
          const outbox = new Outbox(memory, silentBell());
          const inbox = new Inbox(memory);
          let sent = 0;
          let taken = 0;
          let overflow = 0;
          const take = (count: number): void => {
            for (let i = 0; i < count; i++) {
              const at = inbox.peek();
              expect(at >= 0).toBe(taken < sent - overflow);
              if (at < 0) return;
              expectMessage(inbox, at, taken);
              inbox.next();
              taken += 1;
            }
          };
          for (const one of steps) {
            if (one === 'bell') {
              outbox.ringBell();
              overflow = Math.max(0, sent - taken - slots);
            } else if ('send' in one) {
              for (let i = 0; i < one.send; i++) {
                send(outbox, sent);
                sent += 1;
                // Once anything waits outside, everything behind it waits there, too.
                if (overflow > 0 || sent - taken > slots) overflow += 1;
              }
            } else take(one.take);
            expect(inbox.queued).toBe(sent - taken - overflow);
            expect(outbox.congested).toBe(overflow > 0);
          }
          while (taken < sent) {
            outbox.ringBell();
            overflow = Math.max(0, sent - taken - slots);
            take(slots);
          }
          expect(inbox.peek()).toBe(-1);
          expect(new Ring(memory).queued).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('ends that are built anew go on where the earlier ones stood', () => {
    const memory = agedRing(4, 0x7ffffffe);
    const first = new Outbox(memory, silentBell());
    for (let n = 0; n < 3; n++) send(first, n);
    const reader = new Inbox(memory);
    expectMessage(reader, reader.peek(), 0);
    reader.next();
    const second = new Outbox(memory, silentBell());
    send(second, 3);
    const late = new Inbox(memory);
    for (const n of [1, 2, 3]) {
      expectMessage(late, late.peek(), n);
      late.next();
    }
    expect(late.peek()).toBe(-1);
  });

  test('has a power of two slots', () => {
    expect(() => newRing(3)).toThrow('power of two');
    expect(() => newRing(0)).toThrow('power of two');
    expect(new Ring(newRing(16)).slots).toBe(16);
  });
});

describe('bell', () => {
  test('rings once for a sleeper, never for one that is awake, and only when something was published', () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    let signals = 0;
    const bell = new Bell(flag, () => {
      signals += 1;
    });
    const outbox = new Outbox(newRing(2), bell);
    Atomics.store(flag, 0, ASLEEP);
    outbox.ringBell();
    expect(signals).toBe(0);
    send(outbox, 1);
    send(outbox, 2);
    outbox.ringBell();
    expect(signals).toBe(1);
    expect(Atomics.load(flag, 0)).toBe(AWAKE);
    send(outbox, 3);
    outbox.ringBell();
    Atomics.store(flag, 0, ASLEEP);
    outbox.ringBell();
    expect(signals, 'a full ring has nothing new').toBe(1);
    bell.alarm();
    expect(signals).toBe(2);
    expect(Atomics.load(flag, 0)).toBe(AWAKE);
    bell.alarm();
    expect(signals, 'an alarm is heard by one that is awake').toBe(3);
  });

  test('one that waits outside the ring wakes its reader when it moves in', () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    let signals = 0;
    const memory = newRing(1);
    const outbox = new Outbox(
      memory,
      new Bell(flag, () => {
        signals += 1;
      }),
    );
    const inbox = new Inbox(memory);
    send(outbox, 0);
    send(outbox, 1);
    outbox.ringBell();
    inbox.next();
    Atomics.store(flag, 0, ASLEEP);
    outbox.ringBell();
    expect(signals).toBe(1);
    expectMessage(inbox, inbox.peek(), 1);
  });
});

describe('two threads', () => {
  test('send messages to and fro, sleeping in between, and lose neither a message nor a wake-up', async () => {
    const slots = 64;
    const data = {
      there: newRing(slots),
      back: newRing(slots),
      askerFlag: new SharedArrayBuffer(4),
      echoFlag: new SharedArrayBuffer(4),
      messages: 60_000,
    };
    const run = (role: EchoData['role']): Promise<EchoResult> =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL('../echo-worker.ts', import.meta.url), { workerData: { ...data, role } });
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    const [asker, echo] = await Promise.all([run('asker'), run('echo')]);
    expect(asker).toEqual({ taken: data.messages, wrong: 0, overslept: 0, slept: expect.any(Number) });
    expect(echo).toEqual({ taken: data.messages, wrong: 0, overslept: 0, slept: expect.any(Number) });
    expect(asker.slept + echo.slept).toBeGreaterThan(0);
  });
});
