/** Why a start failed, as one sentence for whoever can cure it: the disk's faults and the store's are no faults of ours. */
import { StartError } from '../base/start-error.ts';
import { StoreError } from '../cluster/metadata-store.ts';
import { DiskError } from '../log/disk.ts';
import { JournalDamaged } from '../stores/journal.ts';

/** Anything else is thrown as it is, with its stack. */
export function startProblem(problem: unknown): unknown {
  if (problem instanceof DiskError) {
    return new StartError(`The disk failed (${problem.message}): look at it, or name another data directory.`, {
      cause: problem,
    });
  }
  if (problem instanceof JournalDamaged || problem instanceof StoreError) {
    return new StartError(problem.message, { cause: problem });
  }
  return problem;
}
