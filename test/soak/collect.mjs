/**
 * Loaded into every thread of the soak's broker before anything else: collects the thread's garbage when it is told to. Plain
 * JavaScript, for whatever strips types would stay in each of them. The blocker's thread never returns to its event loop and
 * does not hear of it.
 */
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

if (!isMainThread) {
  const channel = new BroadcastChannel('soak-collect');
  channel.onmessage = () => globalThis.gc();
  channel.unref();
}
