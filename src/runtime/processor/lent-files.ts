/**
 * Log files whose ranges a processor sends: their descriptors by slot, what the page cache has of them, the blocker that
 * brings in the rest. A lease that is released last closes its file here.
 */
import { assert } from '../../base/assert.ts';
import type { Memory } from '../../base/memory.ts';
import type { FileTable } from '../../log/leases.ts';
import type { Counters } from '../counters.ts';
import type { Intake } from '../net/intake.ts';
import type { RangeDesk } from '../net/outgoing.ts';
import { WOULD_BLOCK } from '../net/transport.ts';
import { READ_AHEAD } from '../rings/messages.ts';
import type { Outbox } from '../rings/ring.ts';

/** What the thread's kind does with an open file. */
export interface FileCalls {
  /** Reads what is in the page cache: bytes, 0 at the end, WOULD_BLOCK. */
  readWarm(descriptor: number, memory: Memory, offset: number, length: number, position: number): number;
  closeFile(descriptor: number): void;
}

export interface LentFilesParts {
  readonly files: FileTable;
  readonly sockets: FileCalls;
  readonly scratch: Memory;
  readonly counters: Counters;
  readonly limits: { readonly zeroCopyMinBytes: number };
}

export class LentFiles implements RangeDesk {
  readonly scratch: Memory;
  readonly intake: Intake;
  readonly counted = { zeroCopyBytes: 0, copiedBytes: 0, sentBytes: 0 };
  readonly #parts: LentFilesParts;
  readonly #coming = new Map<number, () => void>();
  blocker: Outbox | null = null;
  #nextToken = 1;

  constructor(parts: LentFilesParts, intake: Intake) {
    this.#parts = parts;
    this.scratch = parts.scratch;
    this.intake = intake;
  }

  get zeroCopyMinBytes(): number {
    return this.#parts.limits.zeroCopyMinBytes;
  }

  descriptor(slot: number): number {
    return this.#parts.files.descriptor(slot);
  }

  readWarm(descriptor: number, position: number, offset: number, length: number): number {
    return this.#parts.sockets.readWarm(descriptor, this.scratch, offset, length, position);
  }

  /** Its first and its last byte stand for the range: it is at most a turn's share, read ahead as one. */
  resident(descriptor: number, position: number, length: number): boolean {
    const end = this.scratch.bytes.length - 1;
    const { sockets } = this.#parts;
    return (
      sockets.readWarm(descriptor, this.scratch, end, 1, position) !== WOULD_BLOCK &&
      sockets.readWarm(descriptor, this.scratch, end, 1, position + length - 1) !== WOULD_BLOCK
    );
  }

  readAhead(slot: number, position: number, length: number, done: () => void): void {
    const { blocker } = this;
    assert(blocker !== null, 'a processor has a blocker');
    const token = this.#nextToken++ & 0x7fffffff;
    this.#parts.files.retain(slot);
    this.#coming.set(token, () => {
      this.release(slot);
      done();
    });
    this.#parts.counters.add('readAheads', 1);
    blocker.send(READ_AHEAD, token, slot, 0, 0, 0, 0, 0, position, length);
  }

  /** The blocker has read what was asked for under this token. */
  came(token: number): void {
    const done = this.#coming.get(token);
    this.#coming.delete(token);
    done?.();
  }

  release(slot: number): void {
    const descriptor = this.#parts.files.release(slot);
    if (descriptor >= 0) this.#parts.sockets.closeFile(descriptor);
  }

  count(): void {
    const { counters } = this.#parts;
    counters.set('bytesOut', this.counted.sentBytes);
    counters.set('zeroCopyBytes', this.counted.zeroCopyBytes);
    counters.set('copiedBytes', this.counted.copiedBytes);
  }
}
