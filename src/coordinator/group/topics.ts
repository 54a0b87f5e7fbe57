/** What a group coordinator knows of topics: the little of the metadata image that commits and fetches ask for. */
import type { Uuid } from '../../base/uuid.ts';

export interface Topics {
  /** Null when there is no such topic. */
  idOf(name: string): Uuid | null;
  nameOf(id: Uuid): string | null;
  hasPartition(name: string, partition: number): boolean;
}
