/**
 * A socket, a processor and files made of nothing, so that connections run under a virtual clock. The desk does with its
 * connections what the contract says and no more, and checks on the way what must hold at every step.
 */
import { type Memory, memoryOver, type Pieces } from '../../src/base/memory.ts';
import { PortableKernels } from '../../src/base/portable-kernels.ts';
import { Timers } from '../../src/base/timers.ts';
import { Call, type CallOwner } from '../../src/runtime/call.ts';
import { Connection, type ConnectionDesk, type ConnectionLimits } from '../../src/runtime/connection.ts';
import { type Block, Intake, intakeBytes } from '../../src/runtime/intake.ts';
import type { FileRange, Outgoing } from '../../src/runtime/outgoing.ts';
import { END, type Transport, WOULD_BLOCK } from '../../src/runtime/transport.ts';

/** Asked at every step, so cheaper than an `expect`. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`broken: ${what}`);
}

/** ECONNRESET, as the native transport gives it. */
export const RESET = -104;

export class FakeTransport implements Transport {
  readonly peer = 'client:1';
  readonly files: FakeFiles;
  #incoming: Uint8Array[] = [];
  #ended = false;
  #broken = false;
  readonly #sent: Uint8Array[] = [];
  /** Bytes that the other end takes before it must read. */
  room = Number.POSITIVE_INFINITY;
  /** Bytes that go out in one call at most. */
  sendMax = Number.POSITIVE_INFINITY;
  reading = false;
  writing = false;
  closed = 0;
  sendFileCalls = 0;
  moved = 0;
  /** It said that it is full. */
  #full = false;

  constructor(files: FakeFiles) {
    this.files = files;
  }

  /** What comes in one segment: a receive gives no more than one. */
  arrive(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#incoming.push(bytes);
  }

  finish(): void {
    this.#ended = true;
  }

  reset(): void {
    this.#broken = true;
  }

  get waitingBytes(): number {
    return this.#incoming.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  get sent(): Uint8Array {
    return Buffer.concat(this.#sent);
  }

  get isReadable(): boolean {
    return this.reading && (this.#incoming.length > 0 || this.#ended || this.#broken);
  }

  get isWritable(): boolean {
    return this.writing && (this.room > 0 || this.#broken);
  }

  receive(memory: Memory, offset1: number, length1: number, offset2: number, length2: number): number {
    must(this.closed === 0, 'nothing is received behind the end');
    must(length1 + length2 > 0, 'a receive has room');
    if (this.#broken) return RESET;
    const first = this.#incoming[0];
    if (first === undefined) return this.#ended ? END : WOULD_BLOCK;
    let done = 0;
    for (const [offset, length] of [
      [offset1, length1],
      [offset2, length2],
    ] as const) {
      must(length >= 0 && offset >= 0 && offset + length <= memory.bytes.length, 'a place lies in its memory');
      const part = Math.min(length, first.length - done);
      memory.bytes.set(first.subarray(done, done + part), offset);
      done += part;
    }
    if (done === first.length) this.#incoming.shift();
    else this.#incoming[0] = first.subarray(done);
    this.moved += done;
    return done;
  }

  send(pieces: Pieces): number {
    must(pieces.count > 0, 'a send has something');
    let left = this.#take();
    if (left <= 0) return left;
    let sent = 0;
    for (let i = 0; i < pieces.count && left > 0; i++) {
      must(pieces.lengthOf(i) > 0, 'a piece has bytes');
      const offset = pieces.offsetOf(i);
      const part = Math.min(pieces.lengthOf(i), left);
      this.#sent.push(pieces.memoryOf(i).bytes.slice(offset, offset + part));
      left -= part;
      sent += part;
    }
    return this.#gone(sent);
  }

  sendFile(descriptor: number, position: number, length: number): number {
    must(length > 0, 'a range has bytes');
    this.sendFileCalls += 1;
    const left = this.#take();
    if (left <= 0) return left;
    const bytes = this.files.read(descriptor, position, Math.min(length, left));
    this.#sent.push(bytes);
    return this.#gone(bytes.length);
  }

  interest(read: boolean, write: boolean): void {
    must(this.closed === 0, 'no interest behind the end');
    this.reading = read;
    this.writing = write;
  }

  close(): void {
    this.closed += 1;
    must(this.closed === 1, 'a socket is closed once');
  }

  #take(): number {
    must(this.closed === 0, 'nothing is sent behind the end');
    if (this.#broken) return RESET;
    if (this.room > 0) {
      this.#full = false;
      return Math.min(this.room, this.sendMax);
    }
    must(!this.#full, 'a full socket is left alone until it can be written');
    this.#full = true;
    return WOULD_BLOCK;
  }

  #gone(bytes: number): number {
    this.room -= bytes;
    this.moved += bytes;
    return bytes;
  }
}

export interface FakeFile {
  readonly bytes: Uint8Array;
  leases: number;
  warm: boolean;
}

const DESCRIPTOR = 1_000;

/** Log files with counted leases, which are in the page cache or not. */
export class FakeFiles {
  readonly files: FakeFile[] = [];

  add(bytes: Uint8Array, warm = true): number {
    return this.files.push({ bytes, leases: 0, warm }) - 1;
  }

  file(slot: number): FakeFile {
    const file = this.files[slot];
    must(file !== undefined, 'a slot was given out');
    return file;
  }

  lease(slot: number, position: number, length: number, warm = false): FileRange {
    this.file(slot).leases += 1;
    return { slot, position, length, warm };
  }

  release(slot: number): void {
    const file = this.file(slot);
    file.leases -= 1;
    must(file.leases >= 0, 'a lease is released once');
  }

  descriptor(slot: number): number {
    must(this.file(slot).leases > 0, 'a file is used under lease');
    return DESCRIPTOR + slot;
  }

  read(descriptor: number, position: number, length: number): Uint8Array {
    return this.file(descriptor - DESCRIPTOR).bytes.slice(position, position + length);
  }

  isWarm(descriptor: number): boolean {
    return this.file(descriptor - DESCRIPTOR).warm;
  }

  get leases(): number {
    return this.files.reduce((sum, { leases }) => sum + leases, 0);
  }
}

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

export class FakeDesk implements ConnectionDesk, CallOwner {
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
