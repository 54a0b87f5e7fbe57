/** What a group coordinator knows of topics: the little of the metadata image that groups and their offsets ask for. */
import type { Uuid } from '../../base/uuid.ts';

/** The topics as they are now. */
export interface TopicCatalogue {
  /** Another one after every change; not the same when the broker starts again. */
  readonly version: number;
  names(): Iterable<string>;
  /** Null when there is no such topic. */
  idOf(name: string): Uuid | null;
  /** 0 when there is no such topic. */
  partitionsOf(id: Uuid): number;
}

export interface Topics extends TopicCatalogue {
  nameOf(id: Uuid): string | null;
  hasPartition(name: string, partition: number): boolean;
}
