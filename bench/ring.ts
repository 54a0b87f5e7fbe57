/** What one message within a thread, and one to another thread and its answer cost: our ring, a message port, piscina; one at a time and a thousand at once. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { ASLEEP, AWAKE, futexBell } from '../src/runtime/rings/bell.ts';
import { Inbox, newRing, Outbox } from '../src/runtime/rings/ring.ts';
import { type EchoRings, STOP } from './kit/echo-thread.ts';
import type { Suite } from './kit/suite.ts';
import { timed, timedSync } from './kit/suite.ts';

const BURST = 1000;
const SLOTS = 1024;
const ECHO = new URL('./kit/echo-thread.ts', import.meta.url);

class RingPeer {
  readonly #rings: EchoRings = { there: newRing(SLOTS), back: newRing(SLOTS), flags: new SharedArrayBuffer(8) };
  readonly #own = new Int32Array(this.#rings.flags, 4, 1);
  readonly #outbox = new Outbox(this.#rings.there, futexBell(new Int32Array(this.#rings.flags, 0, 1)));
  readonly #inbox = new Inbox(this.#rings.back);
  readonly #worker = new Worker(ECHO, { workerData: this.#rings });

  /** Sends `count` messages, then sleeps until as many answers have come. */
  exchange(count: number): void {
    for (let i = 1; i <= count; i++) this.#outbox.send(1, i, 0, 0, 0, 0, 0, 0);
    this.#outbox.ringBell();
    for (let seen = 0; seen < count; ) {
      const at = this.#inbox.peek();
      if (at < 0) {
        Atomics.store(this.#own, 0, ASLEEP);
        if (this.#inbox.peek() < 0) Atomics.wait(this.#own, 0, ASLEEP);
        Atomics.store(this.#own, 0, AWAKE);
        continue;
      }
      seen += 1;
      if (this.#inbox.words[at + 1] !== seen)
        throw new Error(`answer ${this.#inbox.words[at + 1]} in place of ${seen}`);
      this.#inbox.next();
    }
  }

  async close(): Promise<void> {
    const gone = once(this.#worker, 'exit');
    this.#outbox.send(STOP, 0, 0, 0, 0, 0, 0, 0);
    this.#outbox.ringBell();
    await gone;
  }
}

class PortPeer {
  readonly #worker = new Worker(ECHO, { workerData: null });
  #left = 0;
  #done: () => void = () => undefined;

  constructor() {
    this.#worker.on('message', () => {
      this.#left -= 1;
      if (this.#left === 0) this.#done();
    });
  }

  exchange(count: number): Promise<void> {
    this.#left = count;
    const all = new Promise<void>((resolve) => (this.#done = resolve));
    for (let i = 1; i <= count; i++) this.#worker.postMessage({ type: 1, a: i });
    return all;
  }

  async close(): Promise<void> {
    const gone = once(this.#worker, 'exit');
    this.#worker.postMessage({ type: STOP, a: 0 });
    await gone;
  }
}

/** The same ring between two roles of one thread: nobody sleeps and no bell rings. */
function sameThreadRing(count: number): () => void {
  const memory = newRing(SLOTS);
  const outbox = new Outbox(memory, futexBell(new Int32Array(1)));
  const inbox = new Inbox(memory);
  return () => {
    for (let i = 1; i <= count; i++) outbox.send(1, i, 0, 0, 0, 0, 0, 0);
    for (let seen = 1; seen <= count; seen++) {
      const at = inbox.peek();
      if (inbox.words[at + 1] !== seen) throw new Error(`message ${inbox.words[at + 1]} in place of ${seen}`);
      inbox.next();
    }
  };
}

function sameThreadPort(count: number): () => void {
  const { port1, port2 } = new MessageChannel();
  return () => {
    for (let i = 1; i <= count; i++) port1.postMessage({ type: 1, a: i });
    for (let seen = 1; seen <= count; seen++) {
      if (receiveMessageOnPort(port2)?.message.a !== seen) throw new Error(`not message ${seen}`);
    }
  };
}

function piscinaExchange(pool: Piscina, count: number): Promise<unknown> {
  const all: Promise<unknown>[] = [];
  for (let i = 1; i <= count; i++) all.push(pool.run({ type: 1, a: i }));
  return Promise.all(all);
}

export const suite: Suite = {
  question: 'a hand-off within a thread, and to another one and back: ring against message port and piscina',
  async run(options) {
    const ring = new RingPeer();
    const port = new PortPeer();
    const pool = new Piscina({
      filename: fileURLToPath(new URL('./kit/echo-task.ts', import.meta.url)),
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 8,
    });
    try {
      return [
        ...timedSync(
          [
            { name: `same thread, ring, each of ${BURST}`, operations: BURST, run: sameThreadRing(BURST) },
            { name: `same thread, message port, each of ${BURST}`, operations: BURST, run: sameThreadPort(BURST) },
            { name: 'ring, one message and its answer', operations: 1, run: () => ring.exchange(1) },
            { name: `ring, each of ${BURST}`, operations: BURST, run: () => ring.exchange(BURST) },
          ],
          options,
        ),
        ...(await timed(
          [
            { name: 'message port, one message and its answer', operations: 1, run: () => port.exchange(1) },
            { name: `message port, each of ${BURST}`, operations: BURST, run: () => port.exchange(BURST) },
            { name: 'piscina, one task and its result', operations: 1, run: () => piscinaExchange(pool, 1) },
            { name: `piscina, each of ${BURST}`, operations: BURST, run: () => piscinaExchange(pool, BURST) },
          ],
          options,
        )),
      ];
    } finally {
      await Promise.all([ring.close(), port.close(), pool.destroy()]);
    }
  },
};
