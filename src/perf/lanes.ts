/**
 * Lanes: connections to leaders, each with the partitions it serves. With more connections than partitions several lanes
 * serve the same partition; with fewer a lane serves several. Every leader has at least one lane.
 */
import { addressText, Connection } from './connection.ts';
import type { LedPartition } from './topic.ts';

export interface Lane {
  readonly connection: Connection;
  readonly partitions: readonly number[];
}

export interface LanePlan {
  readonly leader: LedPartition['leader'];
  readonly partitions: readonly number[];
}

/** Which partitions each of the connections serves. `shared` lets several serve one partition. */
export function lanePlans(led: readonly LedPartition[], connections: number, shared: boolean): LanePlan[] {
  const byLeader = new Map<string, LedPartition[]>();
  for (const one of led) {
    const list = byLeader.get(addressText(one.leader));
    if (list === undefined) byLeader.set(addressText(one.leader), [one]);
    else list.push(one);
  }
  const leaders = [...byLeader.values()];
  return leaders.flatMap((partitions, rank) => {
    const fair = Math.ceil((connections - rank) / leaders.length);
    const lanes = Math.max(1, shared ? fair : Math.min(fair, partitions.length));
    return Array.from({ length: lanes }, (_, lane) => {
      const mine = partitions.filter((_, at) => at % lanes === lane);
      const served = mine.length > 0 ? mine : [partitions[lane % partitions.length] as LedPartition];
      return { leader: (partitions[0] as LedPartition).leader, partitions: served.map(({ partition }) => partition) };
    });
  });
}

/** Opens them all, or none. */
export async function openLanes(plans: readonly LanePlan[]): Promise<Lane[]> {
  const opened = await Promise.allSettled(plans.map(({ leader }) => Connection.open(leader)));
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    for (const result of opened) if (result.status === 'fulfilled') result.value.close();
    throw failed.reason;
  }
  return opened.flatMap((result, at) =>
    result.status === 'fulfilled' ? [{ connection: result.value, partitions: (plans[at] as LanePlan).partitions }] : [],
  );
}
