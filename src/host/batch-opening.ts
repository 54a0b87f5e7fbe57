/** Batches that must be opened are, in the background pool: their handler's other work goes on. */
import type { OpenedBatch, Opening } from '../log/admission.ts';
import type { FromThread } from '../runtime/control.ts';
import type { Crew } from './crew.ts';

/** Has a batch opened where it was received. */
export type OpenInPool = (job: {
  readonly memory: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
  readonly opening: Opening;
}) => Promise<OpenedBatch>;

/** Resolves when the handler has its verdict. */
export async function openBatchFor(
  { from, token, processor, offset, length, opening }: Extract<FromThread, { kind: 'openBatch' }>,
  crew: Crew,
  open: OpenInPool,
): Promise<void> {
  const memory = crew.intakeOf(processor);
  if (memory === undefined) throw new Error(`no processor ${processor}`);
  const opened = await open({ memory, offset, length, opening });
  await crew.ask(from, { kind: 'opened', token, opened }, opened.bytes === null ? [] : [opened.bytes]);
}
