/**
 * Puts partitions on handlers and tells processors where they are: on creation, deletion, and when pools change. Nobody is
 * told of a partition before its owner takes writes; nothing is asked of one while it moves.
 */
import type { Logger } from '../base/logger.ts';
import { formatUuid, type Uuid } from '../base/uuid.ts';
import type { Change } from '../cluster/changes.ts';
import type { MetadataImage, TopicImage } from '../cluster/image.ts';
import type { LogConfig } from '../log/config.ts';
import { newPartitionView, type PublishedPartitions } from '../replica/published.ts';
import type { FrozenPartition, PartitionMessage } from './control.ts';
import type { Crew } from './crew.ts';
import type { ClosedPartition, Data } from './data.ts';
import { PartitionMap, type PlacedPartition } from './partition-map.ts';

export interface PartitionHostParts {
  readonly crew: Crew;
  readonly data: Data;
  readonly published: PublishedPartitions;
  readonly nodeId: number;
  readonly logger: Logger;
  /** What the topic's settings come to. */
  config(topic: TopicImage): { readonly config: LogConfig; readonly minInsyncReplicas: number };
}

/** Partitions opened by one message: a handler answers between two. */
const OPEN_AT_ONCE = 64;

export class PartitionHost {
  readonly map: PartitionMap;
  readonly #parts: PartitionHostParts;
  #processors: readonly string[] = [];
  #image: MetadataImage | null = null;

  constructor(parts: PartitionHostParts) {
    this.#parts = parts;
    this.map = new PartitionMap(parts.data.count);
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
    await this.#open(Array.from(image.topics.values(), (topic) => this.#place(topic, 0)).flat(), image);
  }

  /** What changed, in the order that keeps promises: owners first, then everybody. */
  async publish(changes: readonly Change[], image: MetadataImage): Promise<void> {
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
    await this.#tell({ kind: 'changes', changes, add, remove: removed });
    for (const id of removed) await this.#remove(id);
    await this.#configure(changes, image);
  }

  /** Spreads the partitions over these handlers, by value: their owners change while requests for them wait. */
  async spread(handlers: readonly string[]): Promise<void> {
    this.handlers = handlers;
    const moves = this.map.balance(handlers);
    const pairs = new Map<string, { placed: PlacedPartition; to: string }[]>();
    for (const move of moves) {
      const pair = `${move.placed.handler} ${move.to}`;
      pairs.set(pair, [...(pairs.get(pair) ?? []), move]);
    }
    for (const list of pairs.values())
      await this.#move(
        list.map(({ placed }) => placed),
        (list[0] as { to: string }).to,
      );
  }

  offline(slot: number, why: string): void {
    const placed = this.map.at(slot);
    if (placed === undefined) return;
    placed.offline = why;
    this.#parts.logger.error('partition.offline', { topic: placed.topic, partition: placed.partition, why });
  }

  /** Recovery points of what runs. */
  checkpoint(): void {
    const view = newPartitionView();
    const offsets = this.map
      .all()
      .filter(({ offline }) => offline === null)
      .map(({ topic, partition, slot, directory }) => {
        this.#parts.published.read(slot, view);
        return { topic, partition, directory, offset: view.durableEndOffset, logStartOffset: view.logStartOffset };
      });
    this.#parts.data.checkpoint(offsets);
  }

  /** Closes every log and says so on disk, directory by directory. */
  async closeAll(handlers: readonly string[], brokerEpoch: number): Promise<void> {
    const { crew, data, logger } = this.#parts;
    const closed = (await Promise.all(
      handlers.map((name) => crew.ask(name, { kind: 'close' })),
    )) as ClosedPartition[][];
    const failed = new Set<number>();
    const offsets = closed.flat().map(({ slot, endOffset, logStartOffset, highWatermark, error }) => {
      const { topic, partition, directory } = this.map.at(slot) as PlacedPartition;
      if (error !== null) {
        failed.add(directory);
        logger.error('partition.close', { topic, partition, why: error });
      }
      return { topic, partition, directory, offset: endOffset, logStartOffset, highWatermark };
    });
    for (const placed of this.map.all()) if (placed.offline !== null) failed.add(placed.directory);
    data.checkpoint(offsets);
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

  #place(topic: TopicImage, from: number): PlacedPartition[] {
    const placed: PlacedPartition[] = [];
    for (let partition = from; partition < topic.partitions.length; partition++) {
      if (!topic.partitions[partition]?.replicas.includes(this.#parts.nodeId)) continue;
      const directory = this.#parts.data.leftBehind(topic.id, partition)?.directory ?? null;
      placed.push(this.map.add(topic.name, topic.id, partition, directory));
    }
    return placed;
  }

  async #open(placed: readonly PlacedPartition[], image: MetadataImage): Promise<void> {
    const byHandler = new Map<string, PartitionMessage[]>();
    for (const one of placed) {
      const list = byHandler.get(one.handler) ?? [];
      byHandler.set(one.handler, list);
      list.push(this.#message(one, image));
    }
    await Promise.all(
      Array.from(byHandler, async ([handler, partitions]) => {
        for (let at = 0; at < partitions.length; at += OPEN_AT_ONCE) {
          const message = { kind: 'open', partitions: partitions.slice(at, at + OPEN_AT_ONCE) } as const;
          const offline = (await this.#parts.crew.ask(handler, message)) as { slot: number; why: string }[];
          for (const { slot, why } of offline) this.offline(slot, why);
        }
      }),
    );
  }

  #message(placed: PlacedPartition, image: MetadataImage): PartitionMessage {
    const { data } = this.#parts;
    const topic = image.topics.get(placed.topic) as TopicImage;
    const left = data.leftBehind(placed.topicId, placed.partition);
    return {
      slot: placed.slot,
      topic: placed.topic,
      topicId: placed.topicId,
      partition: placed.partition,
      leaderEpoch: topic.partitions[placed.partition]?.leaderEpoch ?? 0,
      directory: data.partitionPath(placed.directory, placed.topic, placed.partition),
      ...this.#parts.config(topic),
      cleanShutdown: left !== null && data.cleanShutdown(placed.directory),
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
      one.handler = to;
      return { ...this.#message(one, image), bytes };
    });
    await crew.ask(to, { kind: 'thaw', partitions });
    await this.#tell({ kind: 'resume', slots });
  }

  async #remove(id: Uuid): Promise<void> {
    const byHandler = new Map<string, number[]>();
    for (const { handler, slot } of this.map.remove(id))
      byHandler.set(handler, [...(byHandler.get(handler) ?? []), slot]);
    for (const [handler, slots] of byHandler) await this.#parts.crew.ask(handler, { kind: 'remove', slots });
    this.#parts.logger.info('topic.files.removed', { topicId: formatUuid(id) });
  }

  async #configure(changes: readonly Change[], image: MetadataImage): Promise<void> {
    for (const change of changes) {
      const topics =
        change.kind === 'topicConfigsChanged'
          ? [image.topics.get(change.topic)]
          : change.kind === 'brokerConfigsChanged'
            ? Array.from(image.topics.values())
            : [];
      for (const topic of topics) {
        if (topic === undefined) continue;
        const effective = this.#parts.config(topic);
        for (const { handler, slot } of this.map.of(topic.id)) {
          await this.#parts.crew.ask(handler, { kind: 'configure', slots: [slot], ...effective });
        }
      }
    }
  }

  async #tell(message: Parameters<Crew['ask']>[1]): Promise<void> {
    await Promise.all(this.#processors.map((name) => this.#parts.crew.ask(name, message)));
  }
}
