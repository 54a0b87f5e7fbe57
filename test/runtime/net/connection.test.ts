/** Connections as a whole: whatever a client sends in whatever pieces, and however slowly it reads, answers come whole and in order. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/runtime/net/connection.ts';
import { answerOf, FakeDesk, frameOf, LIMITS, type Request } from '../kit.ts';
import type { FakeTransport } from './sockets.ts';

const CONTENTS = [3, 4].map((step) => Uint8Array.from({ length: 1_500_000 }, (_, i) => i * step + (i >> 8)));

const range = fc.record({
  file: fc.nat(1),
  position: fc.integer({ min: 0, max: 400_000 }),
  length: fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 60_000, max: 1_100_000 })),
});
const frameBytes = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 8, max: 600 }) },
  { weight: 2, arbitrary: fc.integer({ min: 600, max: 65_532 }) },
  { weight: 1, arbitrary: fc.constantFrom(65_530, 65_531, 65_532, 65_533, 65_534) },
  { weight: 2, arbitrary: fc.integer({ min: 65_533, max: 700_000 }) },
);
const request = fc.record({
  treatment: fc.oneof(
    { weight: 6, arbitrary: fc.constant('later' as const) },
    { weight: 3, arbitrary: fc.constant('now' as const) },
    { weight: 1, arbitrary: fc.constantFrom('alone' as const, 'waits' as const, 'silent' as const) },
  ),
  bytes: frameBytes,
  holds: fc.boolean(),
  answer: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.nat(2_000) },
      { weight: 1, arbitrary: range },
      { weight: 1, arbitrary: fc.nat(200_000) },
    ),
    {
      maxLength: 4,
    },
  ),
});
const pieceBytes = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 8 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 2_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 400_000 }) },
);
const op = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('feed' as const),
      which: fc.nat(),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('run' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('complete' as const), which: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('room' as const),
      which: fc.nat(),
      bytes: fc.oneof(fc.nat(500), fc.nat(300_000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('arriveAhead' as const), warm: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cool' as const), which: fc.nat(1) }) },
);

/** One client: what it will send, cut into pieces, and what it must get. */
interface Client {
  readonly connection: Connection;
  readonly transport: FakeTransport;
  readonly requests: readonly Request[];
  readonly pieces: Uint8Array[];
}

class World {
  readonly desk = new FakeDesk();
  readonly clients: Client[] = [];

  constructor(openMax: number, inFlightMax: number) {
    this.desk.openMax = openMax;
    this.desk.limits = { ...LIMITS, inFlightMax };
    for (const [file, bytes] of CONTENTS.entries()) this.desk.files.add(bytes, file === 0);
  }

  client(requests: readonly Request[], cuts: readonly number[], room: number): void {
    const { connection, transport } = this.desk.connect();
    for (const one of requests) this.desk.requests.set(one.id, one);
    const stream = Buffer.concat(requests.map(frameOf));
    const pieces: Uint8Array[] = [];
    for (let at = 0, i = 0; at < stream.length; i++) {
      const length = cuts[i % cuts.length] as number;
      pieces.push(stream.subarray(at, at + length));
      at += length;
    }
    transport.room = room;
    this.clients.push({ connection, transport, requests, pieces });
  }

  /** Everything that can happen happens. */
  finish(random: () => number): void {
    const { desk } = this;
    for (let round = 0; round < 2_000; round++) {
      for (const { transport, pieces } of this.clients) {
        transport.room = Number.POSITIVE_INFINITY;
        for (const piece of pieces.splice(0)) transport.arrive(piece);
      }
      while (desk.coming.length > 0) desk.arriveAhead();
      desk.run();
      if (desk.open.length > 0)
        desk.complete(desk.open[Math.floor(random() * desk.open.length)] as (typeof desk.open)[0]);
      else if (desk.coming.length === 0) break;
    }
    expect(desk.open.length).toBe(0);
    expect(desk.coming.length).toBe(0);
  }

  check(): void {
    const { desk } = this;
    expect(desk.ends.map(({ why }) => why)).toEqual([]);
    for (const { connection, transport, requests } of this.clients) {
      const mine = new Set(requests.map(({ id }) => id));
      expect(desk.started.filter((id) => mine.has(id))).toEqual(requests.map(({ id }) => id));
      const expected = Buffer.concat(requests.map((one) => answerOf(one, desk.files)));
      expect(transport.sent.length).toBe(expected.length);
      expect(Buffer.compare(transport.sent, expected), 'answers, byte for byte').toBe(0);
      expect(connection.movable).toBe(true);
      expect(connection.partialBytes).toBe(0);
    }
    desk.expectRest();
    // Nobody's frame is unfinished: after the time-out everybody is still there.
    desk.pass(LIMITS.receiveTimeoutMs + 100_000);
    expect(desk.ends).toEqual([]);
  }

  hangUp(): void {
    for (const { transport } of this.clients) transport.finish();
    this.desk.run();
    expect(this.desk.connections).toEqual([]);
    expect(this.desk.timers.count).toBe(0);
    this.desk.expectRest();
  }
}

describe('a conversation', () => {
  test('survives every way of cutting, delaying and answering it', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            requests: fc.array(request, { minLength: 1, maxLength: 14, size: 'max' }),
            cuts: fc.array(pieceBytes, { minLength: 1, maxLength: 6 }),
            room: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(300), fc.nat(100_000)),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        fc.constantFrom(1, 2, 5, 1_000),
        fc.constantFrom(1, 2, 8),
        fc.array(op, { maxLength: 60, size: 'max' }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (clients, openMax, inFlightMax, ops, random) => {
          const world = new World(openMax, inFlightMax);
          const { desk } = world;
          let id = 1;
          for (const { requests, cuts, room } of clients) {
            // Tiny pieces of huge streams take for ever and show nothing new.
            const bytes = requests.reduce((sum, one) => sum + one.bytes, 0);
            const coarse = cuts.map((cut) => Math.max(cut, Math.floor(bytes / 3_000)));
            world.client(
              requests.map((one) => ({ ...one, id: id++ })),
              coarse,
              room,
            );
          }
          for (const one of ops) {
            if (one.kind === 'feed') {
              const { transport, pieces } = world.clients[one.which % world.clients.length] as Client;
              for (const piece of pieces.splice(0, one.count)) transport.arrive(piece);
            } else if (one.kind === 'run') desk.run();
            else if (one.kind === 'settle') desk.settle();
            else if (one.kind === 'complete' && desk.open.length > 0) {
              desk.complete(desk.open[one.which % desk.open.length] as (typeof desk.open)[0]);
            } else if (one.kind === 'room') {
              (world.clients[one.which % world.clients.length] as Client).transport.room += one.bytes;
            } else if (one.kind === 'arriveAhead') desk.arriveAhead(one.warm);
            else if (one.kind === 'cool') desk.files.file(one.which).warm = false;
          }
          const dice = random[Symbol.iterator]();
          world.finish(() => dice.next().value as number);
          world.check();
          world.hangUp();
        },
      ),
      { numRuns: 150, interruptAfterTimeLimit: 10_000 },
    );
  });

  test('may end anywhere, with everything given back', () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 10, size: 'max' }),
        fc.array(pieceBytes, { minLength: 1, maxLength: 4 }),
        fc.array(op, { maxLength: 30, size: 'max' }),
        fc.nat(400_000),
        fc.constantFrom('reset' as const, 'close' as const),
        (requests, cuts, ops, room, how) => {
          const world = new World(1_000, 8);
          const { desk } = world;
          world.client(
            requests.map((one, index) => ({ ...one, id: index + 1 })),
            cuts.map((cut) => Math.max(cut, 500)),
            room,
          );
          const { connection, transport, pieces } = world.clients[0] as Client;
          for (const one of ops) {
            if (one.kind === 'feed') for (const piece of pieces.splice(0, one.count)) transport.arrive(piece);
            else if (one.kind === 'run') desk.run();
            else if (one.kind === 'complete' && desk.open.length > 0) {
              desk.complete(desk.open[one.which % desk.open.length] as (typeof desk.open)[0]);
            } else if (one.kind === 'arriveAhead') desk.arriveAhead(one.warm);
            else if (one.kind === 'cool') desk.files.file(one.which).warm = false;
          }
          if (how === 'reset') {
            transport.reset();
            desk.run();
            // Who does not read does not notice before somebody has something for it.
            if (!connection.closed) connection.close('the test ends');
          } else connection.close('the test ends');
          expect(transport.closed).toBe(1);
          expect(desk.ends.length).toBe(1);
          expect(desk.timers.count).toBe(0);
          // Owners of partitions and the blocker answer later: nobody waits, nothing stays.
          while (desk.open.length > 0) desk.complete(desk.open[0] as (typeof desk.open)[0]);
          while (desk.coming.length > 0) desk.arriveAhead();
          desk.run();
          desk.expectRest();
        },
      ),
      { numRuns: 150, interruptAfterTimeLimit: 10_000 },
    );
  });
});
