/**
 * The loop on epoll: sleeps in the kernel, then everything is synchronous. Goes back to the thread's event loop after a
 * control wake and at least once a second, so that messages, terminate and finalizers get their turn.
 */

import type { Loop } from '../loop.ts';
import { ASLEEP, AWAKE } from '../rings/bell.ts';
import { EVENT_BYTES, EVENT_ERROR, EVENT_GONE, EVENT_HANGUP, EVENT_READ, EVENT_WRITE } from './layout.ts';
import type { Native } from './native.ts';

/** Who hears of a descriptor's events. */
export interface Listener {
  readable(now: number): void;
  writable(now: number): void;
  /** The other end has left, or has closed its sending side. */
  gone(now: number): void;
}

const EVENTS_MAX = 256;
const BACK_TO_EVENT_LOOP_MS = 1_000;
const WAKE_TOKEN = 0;
const ADD = 1;
const MODIFY = 2;
const REMOVE = 3;

export class NativeLoop {
  readonly loop: Loop;
  readonly event: number;
  readonly #native: Native;
  readonly #poll: number;
  readonly #flag: Int32Array;
  readonly #events = new Int32Array((EVENTS_MAX * EVENT_BYTES) / 4);
  readonly #eventsMemory: number;
  readonly #listeners = new Map<number, Listener>();
  /** Takes in control messages; true when the event loop must run. */
  readonly #control: () => boolean;
  #nextToken = 1;
  #stopped = false;

  constructor(native: Native, loop: Loop, event: number, flag: Int32Array, control: () => boolean) {
    this.#native = native;
    this.loop = loop;
    this.event = event;
    this.#flag = flag;
    this.#control = control;
    this.#poll = native.pollCreate();
    this.#eventsMemory = native.register(new Uint8Array(this.#events.buffer));
    native.pollControl(this.#poll, ADD, event, EVENT_READ, WAKE_TOKEN);
  }

  watch(descriptor: number, events: number, listener: Listener): number {
    const token = this.#nextToken;
    this.#nextToken = this.#nextToken === 0x7fffffff ? 1 : this.#nextToken + 1;
    this.#listeners.set(token, listener);
    this.#native.pollControl(this.#poll, ADD, descriptor, events, token);
    return token;
  }

  /** A descriptor nobody wants to hear of leaves epoll: a hang-up would be reported for ever. */
  change(descriptor: number, before: number, events: number, token: number): void {
    const op = events === 0 ? REMOVE : before === 0 ? ADD : MODIFY;
    this.#native.pollControl(this.#poll, op, descriptor, events, token);
  }

  forget(descriptor: number, events: number, token: number): void {
    this.#listeners.delete(token);
    if (events !== 0) this.#native.pollControl(this.#poll, REMOVE, descriptor, 0, token);
  }

  start(): void {
    setImmediate(this.#run);
  }

  /** After this the thread's event loop is free for good. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#native.close(this.#poll);
    this.#native.unregister(this.#eventsMemory);
  }

  readonly #run = (): void => {
    if (this.#stopped) return;
    const back = this.loop.clock.monotonic() + BACK_TO_EVENT_LOOP_MS;
    for (;;) {
      if (this.#control() || this.#stopped) break;
      this.loop.round();
      if (this.#turn() || this.loop.clock.monotonic() >= back) break;
    }
    if (!this.#stopped) setImmediate(this.#run);
  };

  /** Waits for events and hands them out. True when the thread was woken, maybe by a control message. */
  #turn(): boolean {
    let timeout = this.loop.patience(BACK_TO_EVENT_LOOP_MS);
    if (timeout > 0) {
      Atomics.store(this.#flag, 0, ASLEEP);
      if (this.loop.pending()) timeout = 0;
    }
    const ready = this.#native.pollWait(this.#poll, this.#eventsMemory, 0, EVENTS_MAX, timeout);
    Atomics.store(this.#flag, 0, AWAKE);
    const now = this.loop.clock.monotonic();
    if (timeout > 0) this.loop.slept(now);
    let woken = false;
    for (let i = 0; i < ready; i++) {
      const token = this.#events[i * 2] as number;
      const bits = this.#events[i * 2 + 1] as number;
      if (token === WAKE_TOKEN) {
        this.#native.eventClear(this.event);
        woken = true;
        continue;
      }
      if ((bits & (EVENT_GONE | EVENT_ERROR | EVENT_HANGUP)) !== 0) this.#listeners.get(token)?.gone(now);
      if ((bits & (EVENT_READ | EVENT_ERROR | EVENT_HANGUP)) !== 0) this.#listeners.get(token)?.readable(now);
      if ((bits & EVENT_WRITE) !== 0) this.#listeners.get(token)?.writable(now);
    }
    return woken && this.#control();
  }
}
