/** Partitions as requests of the main thread name them: each of them counts once, however often it is named. */

/** By topic, in the order in which they were named first. */
export type NamedPartitions = ReadonlyMap<string, ReadonlySet<number>>;

export function namedPartitions(
  topics: Iterable<readonly [topic: string, partitions: readonly number[]]>,
): NamedPartitions {
  const named = new Map<string, Set<number>>();
  for (const [topic, partitions] of topics) {
    const known = named.get(topic) ?? new Set();
    named.set(topic, known);
    for (const partition of partitions) known.add(partition);
  }
  return named;
}
