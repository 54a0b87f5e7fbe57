/**
 * What is kept on disk of where running logs begin, are durable and end: Kafka's checkpoint files, written on the main thread
 * at intervals, before a moved start is promised, and when all logs are closed.
 */
import type { Logger } from '../base/logger.ts';
import { newPartitionView, type PublishedPartitions } from '../replica/published.ts';
import type { Crew } from './crew.ts';
import type { ClosedPartition, Data, RunningOffset, UnwrittenDirectory } from './data.ts';
import type { PartitionMap, PlacedPartition } from './partition-map.ts';

export interface KeptOffsetsParts {
  readonly crew: Crew;
  readonly data: Data;
  readonly map: PartitionMap;
  readonly published: PublishedPartitions;
  readonly logger: Logger;
  /** Directories that did not take their files. */
  unwritten(failed: readonly UnwrittenDirectory[]): void;
}

function isOf(one: { topic: string; partition: number }, placed: PlacedPartition): boolean {
  return one.topic === placed.topic && one.partition === placed.partition;
}

export class KeptOffsets {
  readonly #parts: KeptOffsetsParts;
  /** Starts of logs that are not on disk yet. */
  readonly #moved: { readonly from: string; readonly token: number; readonly slot: number }[] = [];

  constructor(parts: KeptOffsetsParts) {
    this.#parts = parts;
  }

  /** Recovery points of what runs; `also` lies in another directory by then. */
  checkpoint(also: { readonly placed: PlacedPartition; readonly directory: number } | null = null): void {
    const { data, unwritten } = this.#parts;
    const offsets = this.#offsets();
    const twin = also === null ? undefined : offsets.find((one) => isOf(one, also.placed));
    if (also !== null && twin !== undefined) offsets.push({ ...twin, directory: also.directory });
    unwritten(data.checkpoint(offsets));
  }

  /**
   * The start of a log was moved by request: it is on disk before that is said, one write for all that come together. The
   * handler hears of it.
   */
  keepStart(from: string, token: number, slot: number): void {
    this.#moved.push({ from, token, slot });
    if (this.#moved.length === 1) setImmediate(() => this.#keepStarts());
  }

  /** Closes every log and says so on disk, directory by directory. */
  async closeAll(handlers: readonly string[], brokerEpoch: number): Promise<void> {
    const { crew, data, map, logger } = this.#parts;
    const closed = (await Promise.all(
      handlers.map((name) => crew.ask(name, { kind: 'close' })),
    )) as ClosedPartition[][];
    const failed = new Set<number>();
    const offsets = closed.flat().map(({ slot, recoveryPoint, logStartOffset, highWatermark, error }) => {
      const { topic, partition, directory } = map.at(slot) as PlacedPartition;
      if (error !== null) {
        failed.add(directory);
        data.distrust(directory);
        logger.error('partition.close', { topic, partition, why: error });
      }
      return { topic, partition, directory, offset: recoveryPoint, logStartOffset, highWatermark };
    });
    for (const placed of map.all()) if (placed.offline !== null) failed.add(placed.directory);
    for (let directory = 0; directory < data.count; directory++)
      if (data.offline(directory) !== null) failed.add(directory);
    const here = new Set(closed.flat().map(({ slot }) => slot));
    const others = this.#offsets((slot) => !here.has(slot));
    for (const { directory } of data.checkpoint([...offsets, ...others])) failed.add(directory);
    for (let directory = 0; directory < data.count; directory++) {
      if (failed.has(directory)) continue;
      const mine = offsets.filter((entry) => entry.directory === directory);
      data.markClean(
        directory,
        mine.map((entry) => ({ ...entry, offset: entry.highWatermark })),
        brokerEpoch,
      );
    }
  }

  /**
   * Of a partition that is not open is known what its last life left behind, and where it started when it went out of
   * service: whoever deleted records before that was told so.
   */
  #offsets(isMeant: (slot: number) => boolean = () => true): RunningOffset[] {
    const view = newPartitionView();
    const { data, map, published } = this.#parts;
    return map.all().flatMap(({ topic, topicId, partition, slot, directory }) => {
      if (!isMeant(slot)) return [];
      const open = published.online(slot);
      const left = open ? null : data.leftBehind(topicId, partition);
      published.read(slot, view);
      if (!open && left === null && view.logStartOffset === 0) return [];
      const offset = open ? view.durableEndOffset : (left?.recoveryPoint ?? 0);
      const logStartOffset = Math.max(left?.logStartOffset ?? 0, view.logStartOffset);
      return [{ topic, partition, directory, offset, logStartOffset }];
    });
  }

  #keepStarts(): void {
    const starts = this.#offsets().map((entry) => ({ ...entry, offset: entry.logStartOffset }));
    const { crew, data, map, unwritten } = this.#parts;
    const failed = data.keepStarts(starts);
    for (const { from, token, slot } of this.#moved.splice(0)) {
      const placed = map.at(slot);
      const kept =
        placed?.offline === null &&
        data.offline(placed.directory) === null &&
        !failed.some(({ directory }) => directory === placed.directory);
      // Only a broker that ends has no such handler any more.
      void crew.ask(from, { kind: 'startKept', token, kept }).catch(() => {});
    }
    unwritten(failed);
  }
}
