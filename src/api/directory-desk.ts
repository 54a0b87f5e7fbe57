/** What the APIs of the data directories ask of the main thread. */

export interface LyingPartition {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: number;
  /** Records that a copy which is being made lacks. */
  readonly offsetLag: number;
  /** It is being copied there. */
  readonly isFuture: boolean;
}

export interface DescribedDirectory {
  readonly path: string;
  /** Out of service: nothing more is known of it. */
  readonly offline: boolean;
  /** Of its volume. */
  readonly totalBytes: number;
  readonly usableBytes: number;
  readonly partitions: readonly LyingPartition[];
}

export interface DirectoryDesk {
  describe(): Promise<readonly DescribedDirectory[]>;
  /** Begins to move a partition into the directory. Kafka's error code; what is refused is not remembered. */
  move(topic: string, partition: number, path: string): number;
}
