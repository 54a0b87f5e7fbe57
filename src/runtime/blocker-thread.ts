/**
 * The blocker's thread: sleeps on its flag, does what waits, looks for control messages. It never returns to
 * an event loop while the broker runs, so everything comes by ring or by the port it looks into.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { FileTable } from '../log/leases.ts';
import { Blocker } from './blocker.ts';
import type { Question } from './control.ts';
import { Counters } from './counters.ts';
import { ASLEEP, AWAKE, Bell, futexBell } from './rings/bell.ts';
import { Inbox, Outbox } from './rings/ring.ts';
import type { ThreadData } from './thread.ts';
import type { World } from './world.ts';

/** So often the thread looks around even if nobody rang: a termination is noticed then. */
const LOOK_AROUND_MS = 10_000;

export interface BlockerData extends ThreadData {
  /** Of its counters. */
  readonly row: number;
}

export function runBlocker(data: BlockerData, { ground }: World): void {
  const port: MessagePort = data.port;
  ground.nameThread(data.name);
  const flag = new Int32Array(data.bell.flag);
  const counters = new Counters(data.shared.counters, data.row);
  const blocker = new Blocker(data.name, ground.calls, new FileTable(new Int32Array(data.shared.files)), counters);
  port.postMessage({ kind: 'ready' });
  for (;;) {
    // Asleep before looking: who rings after this is seen by the wait, which then does not sleep.
    Atomics.store(flag, 0, ASLEEP);
    for (let message = receiveMessageOnPort(port); message; message = receiveMessageOnPort(port)) {
      const { sequence, message: asked } = message.message as Question;
      if (asked.kind === 'link') {
        const { peer, in: inbox, out, bell } = asked.link;
        const words = new Int32Array(bell.flag);
        const ring = bell.event < 0 ? futexBell(words) : new Bell(words, () => ground.signal(bell.event));
        blocker.linked(peer, new Inbox(inbox), new Outbox(out, ring));
      } else if (asked.kind === 'unlink') blocker.unlinked(asked.peer);
      port.postMessage({ kind: 'reply', sequence, value: undefined, error: null });
      if (asked.kind === 'stop') return;
    }
    blocker.work();
    if (!blocker.pending()) Atomics.wait(flag, 0, ASLEEP, blocker.congested ? 1 : LOOK_AROUND_MS);
    Atomics.store(flag, 0, AWAKE);
  }
}
