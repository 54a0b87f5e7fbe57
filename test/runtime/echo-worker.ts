/**
 * One end of a conversation over two rings: the asker sends numbers in bursts that may overflow, the echo sends them back.
 * Each checks the order of what it gets and whether it was left asleep with messages waiting.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { ASLEEP, AWAKE, futexBell } from '../../src/runtime/rings/bell.ts';
import { Inbox, Outbox } from '../../src/runtime/rings/ring.ts';

export interface EchoData {
  readonly role: 'asker' | 'echo';
  readonly there: SharedArrayBuffer;
  readonly back: SharedArrayBuffer;
  readonly askerFlag: SharedArrayBuffer;
  readonly echoFlag: SharedArrayBuffer;
  readonly messages: number;
}

export interface EchoResult {
  taken: number;
  wrong: number;
  slept: number;
  overslept: number;
}

const IN_FLIGHT_MAX = 200;
const BURST_MAX = 97;
/** Far longer than any message needs: who wakes by it was not woken. */
const OVERSLEPT_MS = 2_000;

function run({ role, there, back, askerFlag, echoFlag, messages }: EchoData): EchoResult {
  const asks = role === 'asker';
  const flag = new Int32Array(asks ? askerFlag : echoFlag);
  const outbox = new Outbox(asks ? there : back, futexBell(new Int32Array(asks ? echoFlag : askerFlag)));
  const inbox = new Inbox(asks ? back : there);
  const result: EchoResult = { taken: 0, wrong: 0, slept: 0, overslept: 0 };
  let sent = 0;
  while (result.taken < messages || outbox.congested) {
    if (asks) {
      const burst = 1 + ((sent * 31) % BURST_MAX);
      for (let i = 0; i < burst && sent < messages && sent - result.taken < IN_FLIGHT_MAX; i++) {
        outbox.send(1, sent, 0, 0, 0, 0, 0, 0, sent * 1e6);
        sent += 1;
      }
    }
    for (let at = inbox.peek(); at >= 0; at = inbox.peek()) {
      const n = inbox.words[at + 1] as number;
      if (n !== result.taken || inbox.floats[(at >> 1) + 4] !== n * 1e6) result.wrong += 1;
      if (!asks) outbox.send(1, n, 0, 0, 0, 0, 0, 0, n * 1e6);
      inbox.next();
      result.taken += 1;
    }
    outbox.ringBell();
    const more = asks && sent < messages && sent - result.taken < IN_FLIGHT_MAX;
    if (more || result.taken === messages) continue;
    Atomics.store(flag, 0, ASLEEP);
    if (inbox.peek() < 0) {
      result.slept += 1;
      const woken = Atomics.wait(flag, 0, ASLEEP, outbox.congested ? 1 : OVERSLEPT_MS);
      if (woken === 'timed-out' && !outbox.congested && inbox.peek() >= 0) result.overslept += 1;
    }
    Atomics.store(flag, 0, AWAKE);
  }
  return result;
}

parentPort?.postMessage(run(workerData as EchoData));
