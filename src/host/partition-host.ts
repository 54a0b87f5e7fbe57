/**
 * Puts partitions on handlers and tells processors where they are: on creation, deletion, and when pools change. Nobody is
 * told of a partition before its owner takes writes; nothing is asked of one while it moves.
 */
import { existsSync } from 'node:fs';
import type { RememberedProducers } from '../api/controller-desk.ts';
import type { Logger } from '../base/logger.ts';
import { formatUuid, type Uuid } from '../base/uuid.ts';
import type { Change } from '../cluster/changes.ts';
import type { MetadataImage, TopicImage } from '../cluster/image.ts';
import type { LogConfig } from '../log/config.ts';
import { relocated } from '../log/freeze.ts';
import type { PublishedPartitions } from '../replica/published.ts';
import type { FrozenPartition, PartitionMessage, Refused } from '../runtime/control.ts';
import type { Crew } from './crew.ts';
import type { Data, UnwrittenDirectory } from './data.ts';
import { KeptOffsets } from './kept-offsets.ts';
import { PartitionMap, type PlacedPartition } from './partition-map.ts';

export interface EffectiveConfig {
  readonly config: LogConfig;
  readonly minInsyncReplicas: number;
}

export interface PartitionHostParts {
  readonly crew: Crew;
  readonly data: Data;
  readonly published: PublishedPartitions;
  readonly nodeId: number;
  readonly logger: Logger;
  /** What the topic's settings come to. */
  config(topic: TopicImage): EffectiveConfig;
  /** No directory is left. */
  lost(why: string): void;
}

/** Partitions opened by one message: a handler answers between two. */
const OPEN_AT_ONCE = 64;
const PROGRESS_EVERY_MS = 1_000;
/** What the kernel says when it is the disk, or all of the directory, and not one file. */
const DISK_FAULTS: ReadonlySet<string> = new Set([
  'EIO',
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'ENODEV',
  'ENXIO',
  'ESTALE',
  'EUCLEAN',
]);
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);
const NO_BYTES = new Uint8Array(0);

export class PartitionHost {
  readonly map: PartitionMap;
  readonly kept: KeptOffsets;
  readonly #parts: PartitionHostParts;
  #processors: readonly string[] = [];
  #image: MetadataImage | null = null;

  constructor(parts: PartitionHostParts) {
    this.#parts = parts;
    this.map = new PartitionMap(parts.data.count);
    this.kept = new KeptOffsets({ ...parts, map: this.map, unwritten: (failed) => this.#unwritten(failed) });
    for (let index = 0; index < parts.data.count; index++)
      if (parts.data.offline(index) !== null) this.map.closeDirectory(index);
  }

  set processors(names: readonly string[]) {
    this.#processors = names;
  }

  set handlers(names: readonly string[]) {
    this.map.handlers = names;
  }

  /** Everything that the image says is here: at the start. */
  async openAll(image: MetadataImage): Promise<void> {
    this.#image = image;
    const { data } = this.#parts;
    for (let index = 0; index < data.count; index++) if (data.offline(index) !== null) this.map.closeDirectory(index);
    const placed = Array.from(image.topics.values(), (topic) => this.#place(topic, 0, this.#missingFrom)).flat();
    const began = Date.now();
    await this.#open(placed, image);
    const unclean = placed.filter(({ directory }) => !data.cleanShutdown(directory)).length;
    if (unclean > 0) this.#parts.logger.info('partitions.recovered', { partitions: unclean, ms: Date.now() - began });
    const unopened = new Set(this.map.all().flatMap(({ offline, directory }) => (offline === null ? [] : [directory])));
    for (let index = 0; index < data.count; index++)
      if (data.offline(index) === null && !unopened.has(index)) data.allOpen(index);
  }

  /** What changed, in the order that keeps promises: owners first, then everybody. Gives deleted topics whose files are out of the way. */
  async publish(changes: readonly Change[], image: MetadataImage): Promise<Uuid[]> {
    this.#image = image;
    const added: PlacedPartition[] = [];
    const touched = new Set<Uuid>();
    const removed: Uuid[] = [];
    for (const change of changes) {
      if (change.kind === 'topicCreated') {
        added.push(...this.#place(change.topic, 0));
        touched.add(change.topic.id);
      } else if (change.kind === 'partitionsAdded') {
        const topic = image.topics.get(change.topic) as TopicImage;
        added.push(...this.#place(topic, topic.partitions.length - change.partitions.length));
        touched.add(topic.id);
      } else if (change.kind === 'topicDeleted') removed.push(change.id);
    }
    await this.#open(added, image);
    const add = Array.from(touched, (id) => this.map.route(id));
    const message = { kind: 'changes', changes, add, remove: removed } as const;
    // Coordinators know a topic before clients do.
    await Promise.all(this.map.handlers.map((name) => this.#parts.crew.ask(name, message)));
    await this.#tell(message);
    const gone = await this.#remove(removed);
    // Or a topic of the same name would begin where the deleted one was cut.
    if (removed.length > 0) this.kept.checkpoint();
    await this.#configure(changes, image);
    return gone;
  }

  /** Spreads the partitions over these handlers, by value: their owners change while requests for them wait. */
  async spread(handlers: readonly string[]): Promise<void> {
    this.handlers = handlers;
    const pairs = Map.groupBy(this.map.balance(handlers), ({ placed, to }) => `${placed.handler} ${to}`);
    for (const list of pairs.values())
      await this.#move(
        list.map(({ placed }) => placed),
        (list[0] as { to: string }).to,
      );
  }

  /** A partition is out of service; so is its directory, when the disk is the reason. */
  offline({ slot, why, code, stack }: Refused): void {
    const placed = this.map.at(slot);
    if (placed === undefined || placed.offline !== null) return;
    placed.offline = why;
    const { topic, partition, directory } = placed;
    this.#parts.logger.error('partition.offline', { topic, partition, why, ...(stack === null ? {} : { stack }) });
    const gone = GONE.has(code) && !existsSync(this.#parts.data.path(directory));
    // A failed sync has no name of its own, and is never the file's alone.
    if (gone || DISK_FAULTS.has(code) || code.startsWith('errno')) this.directoryFailed(directory, why);
  }

  /** Takes a directory with all its partitions out of service; the others serve on. */
  directoryFailed(directory: number, why: string): void {
    const { data, crew, lost } = this.#parts;
    if (!data.fail(directory, why)) return;
    this.map.closeDirectory(directory);
    if (data.online === 0) return lost(why);
    const failed = this.map.all().filter((placed) => placed.directory === directory);
    for (const placed of failed) placed.offline ??= why;
    for (const [handler, placed] of Map.groupBy(failed, (one) => one.handler)) {
      // A handler that is gone has handed its partitions on, and they have failed there.
      void crew.ask(handler, { kind: 'fail', slots: placed.map(({ slot }) => slot), why }).catch(() => {});
    }
  }

  /** What each running log holds, by slot: bytes and end offset. */
  async sizes(): Promise<Map<number, { readonly bytes: number; readonly endOffset: number }>> {
    const { crew } = this.#parts;
    const sizes = new Map<number, { bytes: number; endOffset: number }>();
    for (const list of (await Promise.all(
      this.map.handlers.map((name) => crew.ask(name, { kind: 'sizes' })),
    )) as Float64Array[]) {
      for (let at = 0; at < list.length; at += 3)
        sizes.set(list[at] as number, { bytes: list[at + 1] as number, endOffset: list[at + 2] as number });
    }
    return sizes;
  }

  /**
   * Stops a partition, lets `work` put its files into another directory, and goes on there; in the old one when the work
   * says false or fails. Requests for it wait meanwhile.
   */
  async relocate(placed: PlacedPartition, directory: number, work: () => Promise<boolean>): Promise<void> {
    const { crew } = this.#parts;
    const slots = [placed.slot];
    await this.#tell({ kind: 'hold', slots });
    const [frozen] = (await crew.ask(placed.handler, { kind: 'freeze', slots })) as [FrozenPartition];
    let bytes = frozen.bytes;
    try {
      if (bytes.length > 0 && (await work())) {
        this.map.lay(placed, directory);
        bytes = relocated(bytes);
      }
    } finally {
      const message = { ...this.#message(placed, this.#image as MetadataImage), slot: placed.slot, bytes };
      await crew.ask(placed.handler, { kind: 'thaw', partitions: [message] });
      await this.#tell({ kind: 'resume', slots });
    }
  }

  /** What the owners of a topic's partitions remember of producers; null for a partition that is not there. */
  producersOf(topic: string, partitions: readonly number[]): Promise<(RememberedProducers | null)[]> {
    const id = this.#image?.topics.get(topic)?.id;
    const placed = id === undefined ? [] : this.map.of(id);
    return Promise.all(
      partitions.map(async (partition) => {
        const found = placed[partition];
        if (found === undefined) return null;
        const answer = await this.#parts.crew.ask(found.handler, { kind: 'producers', slots: [found.slot] });
        return (answer as RememberedProducers[])[0] ?? null;
      }),
    );
  }

  /** A checkpoint that is not written loses nothing; a disk that does not write is out of service. */
  #unwritten(failed: readonly UnwrittenDirectory[]): void {
    for (const { directory, why, code } of failed) if (DISK_FAULTS.has(code)) this.directoryFailed(directory, why);
  }

  /** Where a partition lies that lies in no directory in service; null when it has never been made. */
  get #missingFrom(): number | null {
    const { data } = this.#parts;
    for (let index = 0; index < data.count; index++) if (data.offline(index) !== null) return index;
    return null;
  }

  #place(topic: TopicImage, from: number, missing: number | null = null): PlacedPartition[] {
    const placed: PlacedPartition[] = [];
    for (let partition = from; partition < topic.partitions.length; partition++) {
      if (!topic.partitions[partition]?.replicas.includes(this.#parts.nodeId)) continue;
      const directory = this.#parts.data.leftBehind(topic.id, partition)?.directory ?? missing;
      placed.push(this.map.add(topic.name, topic.id, partition, directory));
    }
    return placed;
  }

  async #open(placed: readonly PlacedPartition[], image: MetadataImage): Promise<void> {
    const { logger } = this.#parts;
    const progress = { opened: 0, saidAt: Date.now() };
    await Promise.all(
      Array.from(
        Map.groupBy(placed, ({ handler }) => handler),
        async ([handler, mine]) => {
          for (let at = 0; at < mine.length; at += OPEN_AT_ONCE) {
            const some = mine.slice(at, at + OPEN_AT_ONCE);
            for (const refused of await this.#openSome(handler, some, image)) this.offline(refused);
            progress.opened += some.length;
            if (Date.now() - progress.saidAt < PROGRESS_EVERY_MS) continue;
            progress.saidAt = Date.now();
            logger.info('partitions.opening', { opened: progress.opened, of: placed.length });
          }
        },
      ),
    );
  }

  async #openSome(handler: string, placed: readonly PlacedPartition[], image: MetadataImage): Promise<Refused[]> {
    const { crew, data } = this.#parts;
    const lost = placed.filter(({ directory }) => data.offline(directory) !== null);
    const configs = new Map<string, EffectiveConfig>();
    const partitions = placed
      .filter(({ directory }) => data.offline(directory) === null)
      .map((one) => this.#message(one, image, configs));
    if (lost.length > 0) {
      for (const one of lost) one.offline ??= data.offline(one.directory);
      const thawed = lost.map((one) => ({ ...this.#message(one, image), bytes: NO_BYTES }));
      await crew.ask(handler, { kind: 'thaw', partitions: thawed });
    }
    return (await crew.ask(handler, { kind: 'open', partitions })) as Refused[];
  }

  /** `configs` has what was found out for other partitions at the same moment. */
  #message(
    placed: PlacedPartition,
    image: MetadataImage,
    configs: Map<string, EffectiveConfig> = new Map(),
  ): PartitionMessage {
    const { data } = this.#parts;
    const topic = image.topics.get(placed.topic) as TopicImage;
    const config = configs.get(topic.name) ?? this.#parts.config(topic);
    configs.set(topic.name, config);
    const left = data.leftBehind(placed.topicId, placed.partition);
    return {
      slot: placed.slot,
      topic: placed.topic,
      topicId: placed.topicId,
      partition: placed.partition,
      leaderEpoch: topic.partitions[placed.partition]?.leaderEpoch ?? 0,
      directory: data.partitionPath(placed.directory, placed.topic, placed.partition),
      ...config,
      cleanShutdown: left !== null && data.cleanShutdown(placed.directory),
      pageCacheKept: left !== null && data.pageCacheKept(placed.directory),
      recoveryPoint: left?.recoveryPoint ?? 0,
      logStartOffset: left?.logStartOffset ?? 0,
    };
  }

  async #move(placed: readonly PlacedPartition[], to: string): Promise<void> {
    const { crew } = this.#parts;
    const slots = placed.map(({ slot }) => slot);
    const from = (placed[0] as PlacedPartition).handler;
    await this.#tell({ kind: 'hold', slots });
    const frozen = (await crew.ask(from, { kind: 'freeze', slots })) as FrozenPartition[];
    const image = this.#image as MetadataImage;
    const partitions = frozen.map(({ slot, bytes }) => {
      const one = this.map.at(slot) as PlacedPartition;
      this.map.give(one, to);
      return { ...this.#message(one, image), bytes };
    });
    await crew.ask(to, { kind: 'thaw', partitions });
    await this.#tell({ kind: 'resume', slots });
  }

  /** Nobody is told of these topics any more: their owners let go of them, then their slots are free. Gives those without leftovers. */
  async #remove(ids: readonly Uuid[]): Promise<Uuid[]> {
    const { crew, logger } = this.#parts;
    const placed = ids.flatMap((id) => this.map.of(id));
    const byHandler = new Map<string, PlacedPartition[]>();
    for (const one of placed) {
      const list = byHandler.get(one.handler) ?? [];
      byHandler.set(one.handler, list);
      list.push(one);
    }
    const stuck = new Set<Uuid>();
    await Promise.all(
      Array.from(byHandler, async ([handler, list]) => {
        const slots = list.map(({ slot }) => slot);
        const left = (await crew.ask(handler, { kind: 'remove', slots })) as Refused[];
        for (const { slot, why, code } of left) {
          const { topic, topicId, partition, directory } = this.map.at(slot) as PlacedPartition;
          stuck.add(topicId);
          logger.error('partition.not.removed', { topic, partition, why });
          this.#unwritten([{ directory, why, code }]);
        }
      }),
    );
    for (const id of ids) {
      this.map.remove(id);
      logger.info('topic.deleted', { topicId: formatUuid(id) });
    }
    return ids.filter((id) => !stuck.has(id));
  }

  async #configure(changes: readonly Change[], image: MetadataImage): Promise<void> {
    const told: Promise<unknown>[] = [];
    for (const change of changes) {
      if (change.kind === 'topicConfigsChanged') {
        const topic = image.topics.get(change.topic);
        if (topic !== undefined) this.#configureTopic(topic, told);
      } else if (change.kind === 'brokerConfigsChanged') {
        for (const topic of image.topics.values()) this.#configureTopic(topic, told);
      }
    }
    await Promise.all(told);
  }

  #configureTopic(topic: TopicImage, told: Promise<unknown>[]): void {
    const effective = this.#parts.config(topic);
    const byHandler = new Map<string, number[]>();
    for (const { handler, slot, offline } of this.map.of(topic.id)) {
      // A partition that could not be opened is nobody's.
      if (offline === null) byHandler.set(handler, [...(byHandler.get(handler) ?? []), slot]);
    }
    for (const [handler, slots] of byHandler)
      told.push(this.#parts.crew.ask(handler, { kind: 'configure', slots, ...effective }));
  }

  async #tell(message: Parameters<Crew['ask']>[1]): Promise<void> {
    await Promise.all(this.#processors.map((name) => this.#parts.crew.ask(name, message)));
  }
}
