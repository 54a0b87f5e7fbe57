/** What a thread that knows nothing yet is told: all that is known, and before the doors open everybody is. */
import { changesOf } from '../cluster/changes.ts';
import type { MetadataImage } from '../cluster/image.ts';
import type { ImageMessage } from '../runtime/control.ts';
import type { Crew } from './crew.ts';
import type { PartitionHost } from './partition-host.ts';
import type { Pools } from './pools.ts';

/** `image` is not there before the controller is. */
export function imageMessage(clusterId: string, image: MetadataImage | undefined): ImageMessage {
  return { clusterId, changes: image === undefined ? [] : changesOf(image) };
}

export async function tellEverybody(
  image: ImageMessage,
  { crew, pools, host }: { readonly crew: Crew; readonly pools: Pools; readonly host: PartitionHost },
): Promise<void> {
  const message = { kind: 'image', image, add: host.map.routes() } as const;
  await Promise.all([...pools.processors, ...pools.handlers].map((name) => crew.ask(name, message)));
}
