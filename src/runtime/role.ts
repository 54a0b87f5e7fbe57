/**
 * What a thread's loop hosts. A role takes in messages, works, and settles what it owes at the end of the round; it never
 * blocks and never knows whether the role at the other end of a ring lives on the same thread.
 */
import type { ControlMessage } from './control.ts';

export interface Role {
  readonly name: string;
  /** Takes in what waits in its rings. True when there was anything. */
  drain(now: number): boolean;
  /** Writes, publishes, sends, rings bells. True when that gave somebody on this thread more to do. */
  settle(now: number): boolean;
  /** When it must run again at the latest, on the monotonic clock. */
  deadline(): number;
  /** True when something came in since the last drain: asked once more before the thread sleeps. */
  pending(): boolean;
  /** A message from the main thread. What is given to `reply` is the answer; it may come later. */
  control(message: ControlMessage, reply: Reply): void;
  /** Closes what the role holds. */
  stop(): void;
  /** Brings its counters up to date: about once a second and when asked. */
  count(): void;
}

export type Reply = (value?: unknown, error?: string) => void;
