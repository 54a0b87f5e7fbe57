/** Which partition of a coordinator's log a name belongs to: Kafka's rule, Java's hash of the name without its sign. */

/** The sum of the UTF-16 units, each times a power of 31, in 32 bits. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

export function coordinatorPartition(name: string, partitions: number): number {
  const hash = javaHash(name);
  // The smallest int has no positive counterpart: it stands for 0.
  return hash === -0x80000000 ? 0 : Math.abs(hash) % partitions;
}
