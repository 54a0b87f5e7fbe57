/**
 * The log of a coordinator's shard, as the shard sees it: it takes records and says when they are committed. Whoever serves
 * the shard implements it over the partition that the shard lives with.
 */

/** Told once: with NONE (0) when what was written is committed, with an error code when it is lost. */
export type Committed = (error: number) => void;

export interface Journal<Record> {
  /**
   * Puts records behind all that was written before, all of them or none. Gives an error code when they are refused
   * (too large for a batch): then nothing has happened and `done` is never called.
   */
  write(records: readonly Record[], done: Committed): number;
}
