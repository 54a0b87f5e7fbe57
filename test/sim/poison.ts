/**
 * Memory of an intake that nobody holds any more is overwritten at once: whoever still reads it finds poison in place of a
 * request, and not the same bytes by luck.
 */
import type { Block, Intake } from '../../src/runtime/net/intake.ts';

const POISON = 0xdb;
/** Simulated requests are smaller; of a chunk no more is used at a time. */
const BYTES_MAX = 16_384;

export function poisonWhatIsFree(intake: Intake): void {
  const { bytes: memory } = intake.memory;
  const { release, chunk } = { release: intake.release.bind(intake), chunk: intake.chunk.bind(intake) };
  const poison = ({ offset, bytes }: Block): void => {
    memory.fill(POISON, offset, offset + Math.min(bytes, BYTES_MAX));
  };
  intake.release = (block) => {
    release(block);
    if (block.holders === 0) poison(block);
  };
  intake.chunk = () => {
    const block = chunk();
    // It begins at its start again.
    if (block !== null && block.tail === block.offset) poison(block);
    return block;
  };
}
