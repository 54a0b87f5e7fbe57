/** The topics of the metadata image as coordinators ask for them. */
import type { Uuid } from '../../base/uuid.ts';
import { type MetadataImage, topicById } from '../../cluster/image.ts';
import type { Topics } from '../../coordinator/group/topics.ts';

export class KnownTopics implements Topics {
  readonly #image: () => MetadataImage;
  #seen: MetadataImage['topics'] | null = null;
  #version = 0;

  constructor(image: () => MetadataImage) {
    this.#image = image;
  }

  /** Images share what did not change, so topics that are the same map are the same topics. */
  get version(): number {
    const { topics } = this.#image();
    if (topics !== this.#seen) {
      this.#seen = topics;
      this.#version += 1;
    }
    return this.#version;
  }

  names(): Iterable<string> {
    return this.#image().topics.keys();
  }

  idOf(name: string): Uuid | null {
    return this.#image().topics.get(name)?.id ?? null;
  }

  nameOf(id: Uuid): string | null {
    return this.#image().topicNames.get(id) ?? null;
  }

  partitionsOf(id: Uuid): number {
    return topicById(this.#image(), id)?.partitions.length ?? 0;
  }

  hasPartition(name: string, partition: number): boolean {
    return partition >= 0 && partition < (this.#image().topics.get(name)?.partitions.length ?? 0);
  }
}
