/** The main thread's part of a broker's profile: its own, and the times of requests, which all threads have summed. */
import { startProfile, writeAnew } from '../runtime/profile.ts';
import type { Shared } from '../runtime/shared.ts';
import { requestTimesOf } from './metrics.ts';

/** Gives what ends it and writes both. */
export function startMainProfile(directory: string, shared: Shared): () => void {
  const write = startProfile(directory, 'main');
  return () => {
    write();
    writeAnew(directory, 'requests', 'json', `${JSON.stringify(requestTimesOf(shared), null, 2)}\n`);
  };
}
