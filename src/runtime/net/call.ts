/**
 * One request from its first byte to its last: what was asked, what holds its bytes, and the answer once it is there.
 * Lives in its connection's line; an abandoned call (its connection is gone) gives back all it holds.
 */
import { assert } from '../../base/assert.ts';
import type { FileRange } from './outgoing.ts';

export interface CallOwner {
  /** The call at some place of its connection's line has become ready. */
  ready(call: Call): void;
  releaseCall(call: Call): void;
}

export class Call {
  readonly connection: number;
  readonly apiKey: number;
  version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly listener: number;
  readonly receivedAt: number;
  readonly #owner: CallOwner;
  /** Nothing may start behind it until it is answered. */
  alone = false;
  /** A fetch that waits for data: nothing may start behind it. */
  waits = false;
  done = false;
  /** No answer goes out (acks=0). */
  silent = false;
  /** The connection is closed in place of an answer. */
  hangUp = false;
  why = '';
  abandoned = false;
  /** Its client has nothing more to say and may be gone: waiting for more data ends. */
  hurried = false;
  /** Told once when a call that waits is hurried. */
  onHurry: (() => void) | null = null;
  body: unknown = null;
  /** Leased ranges that the answer carries. */
  ranges: readonly FileRange[] = NO_RANGES;
  /** Told once when the connection goes before the answer is ready. */
  onAbandon: (() => void) | null = null;

  constructor(
    owner: CallOwner,
    connection: number,
    listener: number,
    header: { apiKey: number; apiVersion: number; correlationId: number; clientId: string | null },
    receivedAt: number,
  ) {
    this.#owner = owner;
    this.connection = connection;
    this.listener = listener;
    this.apiKey = header.apiKey;
    this.version = header.apiVersion;
    this.correlationId = header.correlationId;
    this.clientId = header.clientId;
    this.receivedAt = receivedAt;
  }

  answer(body: unknown, ranges: readonly FileRange[] = NO_RANGES): void {
    this.body = body;
    this.ranges = ranges;
    this.#finish();
  }

  answerNothing(): void {
    this.silent = true;
    this.#finish();
  }

  close(why: string): void {
    this.hangUp = true;
    this.why = why;
    this.#finish();
  }

  abandon(): void {
    this.abandoned = true;
    this.#owner.releaseCall(this);
    this.onAbandon?.();
    this.onAbandon = null;
    this.onHurry = null;
  }

  hurry(): void {
    if (this.hurried || this.done) return;
    this.hurried = true;
    this.onHurry?.();
    this.onHurry = null;
  }

  #finish(): void {
    assert(!this.done, 'a request is answered once', { apiKey: this.apiKey, correlationId: this.correlationId });
    this.done = true;
    this.onAbandon = null;
    this.onHurry = null;
    this.#owner.ready(this);
  }
}

export const NO_RANGES: readonly FileRange[] = [];
