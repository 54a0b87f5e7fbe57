/** The memory that the threads of a new broker share, all of it empty. */
import { FileTable } from '../log/leases.ts';
import { PublishedPartitions } from '../replica/published.ts';
import { countersMemory } from '../runtime/counters.ts';
import { requestTimesMemory } from '../runtime/processor/request-times.ts';
import { FILE_STRIPE, HANDLERS_MAX, type Shared } from '../runtime/shared.ts';

/** `profiled`: the times of requests are summed, too. */
export function sharedMemory(profiled: boolean): Shared {
  return {
    published: PublishedPartitions.memory(),
    files: FileTable.memory(HANDLERS_MAX * FILE_STRIPE),
    counters: countersMemory(),
    connections: new SharedArrayBuffer(4),
    times: profiled ? requestTimesMemory() : null,
  };
}
