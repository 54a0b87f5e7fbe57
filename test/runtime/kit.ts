/**
 * A processor made of nothing, so that connections run under a virtual clock. The desk does with its
 * connections what the contract says and no more, and checks on the way what must hold at every step.
 */
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { PortableKernels } from '../../src/base/portable-kernels.ts';
import { Timers } from '../../src/base/timers.ts';
import { Call, type CallOwner } from '../../src/runtime/net/call.ts';
import { Connection, type ConnectionDesk, type ConnectionLimits } from '../../src/runtime/net/connection.ts';
import { type Block, Intake, intakeBytes } from '../../src/runtime/net/intake.ts';
import type { FileRange, Outgoing, RangeDesk } from '../../src/runtime/net/outgoing.ts';
import { WOULD_BLOCK } from '../../src/runtime/net/transport.ts';
import { FakeFiles, FakeTransport, must } from './net/sockets.ts';

export const INTAKE_LIMITS = { queuedBytesMax: 1_048_576, frameBytesMax: 2_097_152 };
const INTAKE_MEMORY = memoryOver(new Uint8Array(intakeBytes(INTAKE_LIMITS)));
const ENCODER_BYTES = 4_194_304;
const ENCODER_MEMORY = memoryOver(new Uint8Array(ENCODER_BYTES));
/** What lies in the encoder's memory after its turn: nobody may send it. */
const SPOILT = 0xee;

export const LIMITS: ConnectionLimits = {
  frameBytesMax: INTAKE_LIMITS.frameBytesMax,
  inFlightMax: 8,
  idleMs: 600_000,
  receiveTimeoutMs: 30_000,
};

/** A request as the tests know it: what its bytes are, how it is treated, and what is answered. */
export interface Request {
  readonly id: number;
  readonly treatment: 'later' | 'now' | 'alone' | 'waits' | 'silent' | 'hangUp' | 'malformed';
  /** Bytes of the body. */
  readonly bytes: number;
  readonly holds: boolean;
  readonly answer: readonly (number | { readonly file: number; readonly position: number; readonly length: number })[];
}

const BODY_BYTES_MIN = 8;
const PATTERN = Uint8Array.from({ length: 2_097_408 }, (_, i) => i * 7 + (i >> 8));

/** Bytes that tell whose they are. */
function fill(bytes: Uint8Array, id: number, from = 0): Uint8Array {
  const start = (id * 37) & 0xff;
  bytes.set(PATTERN.subarray(start + from, start + bytes.length), from);
  return bytes;
}

/** The body starts with its id. */
export function bodyOf({ id, bytes }: Request): Uint8Array {
  const body = fill(new Uint8Array(Math.max(bytes, BODY_BYTES_MIN)), id, BODY_BYTES_MIN);
  new DataView(body.buffer).setInt32(0, id);
  return body;
}

export function frameOf(request: Request): Uint8Array {
  const body = bodyOf(request);
  const frame = new Uint8Array(4 + body.length);
  new DataView(frame.buffer).setInt32(0, body.length);
  frame.set(body, 4);
  return frame;
}

/** What must arrive at the client for it. */
export function answerOf(request: Request, files: FakeFiles): Uint8Array {
  if (request.treatment === 'silent' || request.treatment === 'hangUp') return new Uint8Array(0);
  const head = new Uint8Array(4);
  new DataView(head.buffer).setInt32(0, request.id);
  const parts = request.answer.map((part, index) =>
    typeof part === 'number'
      ? fill(new Uint8Array(part), request.id + index)
      : files.file(part.file).bytes.slice(part.position, part.position + part.length),
  );
  return Buffer.concat([head, ...parts]);
}

/** One request under way. */
export interface Open {
  readonly request: Request;
  readonly call: Call;
  readonly connection: Connection;
  readonly offset: number;
  readonly block: Block | null;
}

function hasEvent(transport: FakeTransport): boolean {
  return transport.isReadable || transport.isWritable;
}

export class FakeDesk implements ConnectionDesk, RangeDesk, CallOwner {
  readonly ranges = this;
  readonly kernels = new PortableKernels();
  readonly timers: Timers;
  readonly intake = new Intake(INTAKE_MEMORY, INTAKE_LIMITS);
  readonly scratch = memoryOver(new Uint8Array(262_145));
  readonly counted = { zeroCopyBytes: 0, copiedBytes: 0, sentBytes: 0 };
  readonly files = new FakeFiles();
  readonly requests = new Map<number, Request>();
  readonly connections: Connection[] = [];
  readonly open: Open[] = [];
  readonly started: number[] = [];
  readonly ends: { readonly connection: Connection; readonly why: string }[] = [];
  /** Read-aheads under way. */
  readonly coming: { readonly slot: number; readonly done: () => void }[] = [];
  readonly #ready = new Set<Connection>();
  readonly #stalled = new Set<Connection>();
  readonly #line = new Map<Connection, Open[]>();
  limits = LIMITS;
  zeroCopyMinBytes = 65_536;
  /** Requests under way before nobody may start another. */
  openMax = Number.POSITIVE_INFINITY;
  now: number;
  #encoded = 0;

  constructor(now = 1_000) {
    this.now = now;
    this.timers = new Timers(now);
  }

  connect(): { connection: Connection; transport: FakeTransport } {
    const transport = new FakeTransport(this.files);
    const connection = new Connection(this.connections.length + 1, 0, transport, this, this.now);
    this.connections.push(connection);
    this.#line.set(connection, []);
    return { connection, transport };
  }

  // ---- ConnectionDesk

  get congested(): boolean {
    return this.open.length >= this.openMax;
  }

  frame(connection: Connection, memory: Memory, offset: number, length: number, block: Block): Call | null {
    must(!connection.closed, 'a closed connection starts nothing');
    must(!this.congested, 'nothing starts while the desk is congested');
    must(offset >= block.offset && offset + length <= block.offset + block.bytes, 'a frame lies in its block');
    const line = this.#line.get(connection) as Open[];
    must(line.length < this.limits.inFlightMax, 'answer slots');
    for (const { call } of line)
      must(call.done || !(call.alone || call.waits), 'nothing starts behind one that blocks');
    const request = length < 4 ? undefined : this.requests.get(memory.view.getInt32(offset));
    if (request === undefined || request.treatment === 'malformed') return null;
    must(
      Buffer.compare(memory.bytes.subarray(offset, offset + length), bodyOf(request)) === 0,
      'bytes as they were sent',
    );
    this.started.push(request.id);
    const header = { apiKey: 0, apiVersion: 0, correlationId: request.id, clientId: null };
    const call = new Call(this, connection.id, 0, header, this.now);
    call.alone = request.treatment === 'alone';
    call.waits = request.treatment === 'waits';
    if (request.holds) this.intake.retain(block);
    const open = { request, call, connection, offset, block: request.holds ? block : null };
    line.push(open);
    this.open.push(open);
    if (request.treatment === 'now') this.complete(open);
    return call;
  }

  /** The work is done: the payload must still be what it was. */
  complete(open: Open): void {
    this.open.splice(this.open.indexOf(open), 1);
    const { request, call, block, offset } = open;
    if (block !== null) {
      const body = bodyOf(request);
      const there = this.intake.memory.bytes.subarray(offset, offset + body.length);
      must(Buffer.compare(there, body) === 0, 'held bytes stay as they are');
      this.intake.release(block);
    }
    if (request.treatment === 'silent') call.answerNothing();
    else if (request.treatment === 'hangUp') call.close('as asked');
    else {
      const parts = request.answer.map((part) =>
        typeof part === 'number' ? part : this.files.lease(part.file, part.position, part.length),
      );
      call.answer(
        parts,
        parts.filter((part) => typeof part !== 'number'),
      );
    }
  }

  encode(call: Call, outgoing: Outgoing): boolean {
    must(!call.hangUp && !call.silent, 'an answer that goes out');
    const add = (bytes: Uint8Array): void => {
      const at = this.#encoded;
      ENCODER_MEMORY.bytes.set(bytes, at);
      this.#encoded += bytes.length;
      outgoing.addBytes(ENCODER_MEMORY, at, bytes.length);
    };
    const head = new Uint8Array(4);
    new DataView(head.buffer).setInt32(0, call.correlationId);
    add(head);
    for (const [index, part] of (call.body as (number | FileRange)[]).entries()) {
      if (typeof part === 'number') add(fill(new Uint8Array(part), call.correlationId + index));
      else outgoing.addRange(part);
    }
    return true;
  }

  resetEncoder(): void {
    ENCODER_MEMORY.bytes.fill(SPOILT, 0, this.#encoded);
    this.#encoded = 0;
  }

  misfit(): void {}

  closed(connection: Connection, why: string): void {
    this.ends.push({ connection, why });
    this.forget(connection);
  }

  forget(connection: Connection): void {
    const index = this.connections.indexOf(connection);
    must(index >= 0, 'a connection ends once');
    this.connections.splice(index, 1);
    this.#ready.delete(connection);
    this.#stalled.delete(connection);
  }

  again(connection: Connection): void {
    this.#ready.add(connection);
  }

  stalled(connection: Connection): void {
    this.#stalled.add(connection);
  }

  relieve(now: number): boolean {
    const stuck = this.connections.find((connection) => connection.stuckMs(now) >= 1_000);
    stuck?.close('others need the memory');
    return stuck !== undefined;
  }

  // ---- CallOwner

  ready(call: Call): void {
    const connection = this.connections.find(({ id }) => id === call.connection);
    if (call.abandoned || connection === undefined) this.releaseCall(call);
    else {
      const line = this.#line.get(connection) as Open[];
      while (line.length > 0 && (line[0] as Open).call.done) line.shift();
      this.#ready.add(connection);
    }
  }

  releaseCall(call: Call): void {
    if (call.done) for (const { slot } of call.ranges) this.files.release(slot);
  }

  // ---- RangeDesk

  descriptor(slot: number): number {
    return this.files.descriptor(slot);
  }

  readWarm(descriptor: number, position: number, offset: number, length: number): number {
    must(length > 0 && offset + length <= this.scratch.bytes.length, 'a copy fits');
    if (!this.files.isWarm(descriptor)) return WOULD_BLOCK;
    const bytes = this.files.read(descriptor, position, length);
    this.scratch.bytes.set(bytes, offset);
    return bytes.length;
  }

  resident(descriptor: number): boolean {
    return this.files.isWarm(descriptor);
  }

  readAhead(slot: number, _position: number, length: number, done: () => void): void {
    must(length > 0, 'a range has bytes');
    this.files.file(slot).leases += 1;
    this.coming.push({
      slot,
      done: () => {
        this.files.release(slot);
        done();
      },
    });
  }

  /** The blocker has read it. */
  arriveAhead(warm = true): void {
    const one = this.coming.shift();
    if (one === undefined) return;
    if (warm) this.files.file(one.slot).warm = true;
    one.done();
  }

  release(slot: number): void {
    this.files.release(slot);
  }

  // ---- The loop

  /** Time passes in turns of half a second at most; what is due fires. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = Math.min(end, this.now + 500);
      this.timers.advance(this.now);
    }
  }

  /** The end of a processor's round. True when it must run again; who is still stalled waits for somebody else's doing. */
  settle(): boolean {
    this.intake.admitWaiting();
    const before = this.#moved();
    const asked = this.#ready.size > 0;
    if (this.#stalled.size > 0 && !this.congested && this.intake.chunk() !== null) {
      for (const connection of this.#stalled) this.#ready.add(connection);
      this.#stalled.clear();
    }
    const ready = Array.from(this.#ready);
    this.#ready.clear();
    for (const connection of ready) connection.resume(this.now);
    return asked || this.#moved() !== before;
  }

  /** Events and rounds as epoll would give them, until nobody has anything to do. Fails when a thread would spin. */
  run(): void {
    let idle = 0;
    for (let turn = 0; ; turn++) {
      let any = false;
      const before = this.#moved();
      for (const connection of Array.from(this.connections)) {
        const transport = connection.transport as FakeTransport;
        if (transport.isReadable && !connection.closed) {
          any = true;
          connection.readable(this.now);
        }
        if (!connection.closed && transport.isWritable) {
          any = true;
          connection.writable(this.now);
        }
      }
      if (this.settle()) any = true;
      if (!any && !this.connections.some(({ transport }) => hasEvent(transport as FakeTransport))) return;
      idle = this.#moved() === before ? idle + 1 : 0;
      must(idle < 6, 'a loop that does nothing sleeps');
      must(turn < 1_000_000, 'a loop ends');
    }
  }

  #moved(): number {
    let moved = this.started.length + this.ends.length;
    for (const { transport } of this.connections) moved += (transport as FakeTransport).moved;
    return moved;
  }

  /** Nothing is held for anybody. */
  expectRest(): void {
    this.intake.rest();
    must(this.intake.heldBlocks === 0, `${this.intake.heldBlocks} blocks held at rest`);
    must(this.intake.heldBytes === 0, `${this.intake.heldBytes} bytes held at rest`);
    must(this.intake.waiting === 0, `${this.intake.waiting} applicants at rest`);
    must(this.files.leases === 0, `${this.files.leases} leases at rest`);
  }
}
