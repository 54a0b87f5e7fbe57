/** A broker's end in order: what is being decided or moved comes to its end, doors close, logs are closed and said to be so, threads stop. */
import type { ControllerHost } from './controller-host.ts';
import type { Crew } from './crew.ts';
import type { PartitionHost } from './partition-host.ts';
import type { Pools } from './pools.ts';

export interface Ending {
  readonly controller: ControllerHost;
  readonly crew: Crew;
  readonly pools: Pools;
  readonly host: PartitionHost;
}

export async function endInOrder({ controller, crew, pools, host }: Ending): Promise<void> {
  await controller.exclusive(async () => {
    await Promise.all(pools.acceptors.map((name) => crew.ask(name, { kind: 'close' })));
    await Promise.all(pools.processors.map((name) => crew.ask(name, { kind: 'close' })));
  });
  await pools.rest();
  await host.kept.closeAll(pools.handlers, controller.brokerEpoch);
  await crew.stop();
}
