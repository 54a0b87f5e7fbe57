/** What threads say to the main thread of their own accord, and who there deals with it. */
import type { FromThread } from '../runtime/control.ts';
import { type OpenInPool, openBatchFor } from './batch-opening.ts';
import type { Crew } from './crew.ts';
import type { MainDesk } from './main-desk.ts';
import type { PartitionHost } from './partition-host.ts';
import type { Pools } from './pools.ts';

/** Null is what does not exist yet: a thread may speak before everything stands. */
export interface Ears {
  readonly desk: MainDesk | null;
  readonly pools: Pools | null;
  readonly crew: Crew | null;
  readonly host: PartitionHost | null;
  readonly openInPool: OpenInPool;
  /** The batches of a handler wait for a verdict that does not come. */
  jobFailed(problem: Error): void;
}

export function hear(message: FromThread, { desk, pools, crew, host, openInPool, jobFailed }: Ears): void {
  if (message.kind === 'ask') void desk?.answer(message);
  else if (message.kind === 'move') pools?.moved(message.connection);
  else if (message.kind === 'openBatch') openBatchFor(message, crew as Crew, openInPool).catch(jobFailed);
  else if (message.kind === 'keepStart') host?.kept.keepStart(message.from, message.token, message.slot);
  else if (message.kind === 'offline') host?.offline(message);
}
