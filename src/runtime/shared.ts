/** Memory that all threads of one broker share, and the sizes that they agree on. */
import type { Clock } from '../base/clock.ts';

export interface Shared {
  readonly published: SharedArrayBuffer;
  /** Open log files and their leases. */
  readonly files: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  /** One int32: connections open in the whole broker. */
  readonly connections: SharedArrayBuffer;
  /** Sums of the times of requests; null in a broker that does not profile itself. */
  readonly times: SharedArrayBuffer | null;
}

export const HANDLERS_MAX = 32;
export const PROCESSORS_MAX = 31;
/** File slots of one handler: its open files and those that wait for their last lease. */
export const FILE_STRIPE = 16_384;
/** Where ranges that are copied are read to, warm because it is always the same. */
export const SCRATCH_BYTES = 1_048_577;
/** Places where a processor notes the descriptors of its connections. */
export const DESCRIPTORS_MAX = 65_536;
export const RING_SLOTS = 1_024;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
