/** The other thread of the ring bench: it answers every message, over a pair of rings or over a message port. */
import { parentPort, workerData } from 'node:worker_threads';
import { ASLEEP, AWAKE, futexBell } from '../../src/runtime/rings/bell.ts';
import { Inbox, Outbox } from '../../src/runtime/rings/ring.ts';

export interface EchoRings {
  there: SharedArrayBuffer;
  back: SharedArrayBuffer;
  /** Word 0: this thread's sleep flag. Word 1: the other's. */
  flags: SharedArrayBuffer;
}

/** A message of this type ends the thread; it is not answered. */
export const STOP = 0;

function echoRings(rings: EchoRings): void {
  const own = new Int32Array(rings.flags, 0, 1);
  const inbox = new Inbox(rings.there);
  const outbox = new Outbox(rings.back, futexBell(new Int32Array(rings.flags, 4, 1)));
  for (;;) {
    let at = inbox.peek();
    if (at < 0) {
      outbox.ringBell();
      Atomics.store(own, 0, ASLEEP);
      if (inbox.peek() < 0) Atomics.wait(own, 0, ASLEEP);
      Atomics.store(own, 0, AWAKE);
      continue;
    }
    while (at >= 0) {
      const type = inbox.words[at] as number;
      if (type === STOP) return;
      outbox.send(type, inbox.words[at + 1] as number, 0, 0, 0, 0, 0, 0);
      inbox.next();
      at = inbox.peek();
    }
  }
}

if (workerData?.there) echoRings(workerData as EchoRings);
else
  parentPort?.on('message', (message: { type: number; a: number }) => {
    if (message.type === STOP) parentPort?.close();
    else parentPort?.postMessage({ type: message.type, a: message.a });
  });
