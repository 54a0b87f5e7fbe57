/** The topics that brokers keep for themselves. Clients see and may delete them; only Kafka's own admin client writes to them. */

/** The log of the group coordinator. */
export const GROUP_LOG = '__consumer_offsets';

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([GROUP_LOG, '__transaction_state', '__share_group_state']);

/** Kafka keeps its metadata under this name; no client may create it. */
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata';

export function isInternal(topic: string): boolean {
  return INTERNAL_TOPICS.has(topic);
}
