/** The topics of the metadata image as coordinators ask for them. */
import type { Uuid } from '../base/uuid.ts';
import type { MetadataImage } from '../cluster/image.ts';
import type { Topics } from '../coordinator/group/topics.ts';

export class KnownTopics implements Topics {
  readonly #image: () => MetadataImage;

  constructor(image: () => MetadataImage) {
    this.#image = image;
  }

  idOf(name: string): Uuid | null {
    return this.#image().topics.get(name)?.id ?? null;
  }

  nameOf(id: Uuid): string | null {
    return this.#image().topicNames.get(id) ?? null;
  }

  hasPartition(name: string, partition: number): boolean {
    return partition >= 0 && partition < (this.#image().topics.get(name)?.partitions.length ?? 0);
  }
}
