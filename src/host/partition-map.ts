/**
 * Which partition has which slot of shared memory, which handler owns it and in which directory it lies. Kept on the main
 * thread, the only one that gives slots and owners; processors get routes, handlers get partitions.
 */
import { assert } from '../base/assert.ts';
import type { Uuid } from '../base/uuid.ts';
import { PARTITIONS_MAX } from '../replica/published.ts';
import type { RouteMessage } from '../runtime/control.ts';

export interface PlacedPartition {
  readonly slot: number;
  readonly topic: string;
  readonly topicId: Uuid;
  readonly partition: number;
  /** Of the log.dirs. */
  directory: number;
  handler: string;
  /** Why it cannot be used, null when it can. */
  offline: string | null;
}

export class PartitionMap {
  readonly #slots: (PlacedPartition | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #routes = new Map<Uuid, { name: string; id: Uuid; slots: number[] }>();
  #handlers: readonly string[] = [];
  /** Partitions by handler, and by directory where new ones may go. */
  readonly #owned = new Map<string, number>();
  readonly #lying = new Map<number, number>();

  constructor(directories: number) {
    for (let index = 0; index < directories; index++) this.#lying.set(index, 0);
  }

  set handlers(names: readonly string[]) {
    this.#handlers = names;
  }

  get handlers(): readonly string[] {
    return this.#handlers;
  }

  get size(): number {
    return this.#slots.length - this.#free.length;
  }

  at(slot: number): PlacedPartition | undefined {
    return this.#slots[slot];
  }

  all(): PlacedPartition[] {
    return this.#slots.filter((placed) => placed !== undefined);
  }

  of(topicId: Uuid): PlacedPartition[] {
    return (this.#routes.get(topicId)?.slots ?? []).map((slot) => this.#slots[slot] as PlacedPartition);
  }

  route(topicId: Uuid): RouteMessage {
    const route = this.#routes.get(topicId);
    assert(route !== undefined, 'the topic has a route');
    return { name: route.name, id: route.id, slots: route.slots.slice() };
  }

  routes(): RouteMessage[] {
    return Array.from(this.#routes.keys(), (id) => this.route(id));
  }

  /** A slot for a partition, owned by the handler that owns fewest, in the directory that holds fewest unless one is known. */
  add(topic: string, topicId: Uuid, partition: number, directory: number | null): PlacedPartition {
    const slot = this.#free.pop() ?? this.#slots.length;
    assert(slot < PARTITIONS_MAX, 'a broker holds a bounded number of partitions', { max: PARTITIONS_MAX });
    const placed: PlacedPartition = {
      slot,
      topic,
      topicId,
      partition,
      directory: directory ?? least(this.#lying.keys(), this.#lying),
      handler: least(this.#handlers, this.#owned),
      offline: null,
    };
    this.#slots[slot] = placed;
    count(this.#owned, placed.handler, 1);
    if (this.#lying.has(placed.directory)) count(this.#lying, placed.directory, 1);
    let route = this.#routes.get(topicId);
    if (route === undefined) {
      route = { name: topic, id: topicId, slots: [] };
      this.#routes.set(topicId, route);
    }
    route.slots[partition] = slot;
    return placed;
  }

  remove(topicId: Uuid): PlacedPartition[] {
    const placed = this.of(topicId);
    for (const { slot, handler, directory } of placed) {
      count(this.#owned, handler, -1);
      if (this.#lying.has(directory)) count(this.#lying, directory, -1);
      this.#slots[slot] = undefined;
      this.#free.push(slot);
    }
    this.#routes.delete(topicId);
    return placed;
  }

  give(placed: PlacedPartition, handler: string): void {
    count(this.#owned, placed.handler, -1);
    count(this.#owned, handler, 1);
    placed.handler = handler;
  }

  lay(placed: PlacedPartition, directory: number): void {
    if (this.#lying.has(placed.directory)) count(this.#lying, placed.directory, -1);
    if (this.#lying.has(directory)) count(this.#lying, directory, 1);
    placed.directory = directory;
  }

  /** No new partition goes there. */
  closeDirectory(directory: number): void {
    this.#lying.delete(directory);
  }

  /** Moves that even out the owners among `handlers`: who leaves, and where to. */
  balance(handlers: readonly string[]): { placed: PlacedPartition; to: string }[] {
    const owned = new Map<string, PlacedPartition[]>(handlers.map((name) => [name, []]));
    const homeless: PlacedPartition[] = [];
    for (const placed of this.all()) (owned.get(placed.handler) ?? homeless).push(placed);
    const share = Math.ceil(this.size / handlers.length);
    for (const list of owned.values()) while (list.length > share) homeless.push(list.pop() as PlacedPartition);
    const moves: { placed: PlacedPartition; to: string }[] = [];
    for (const placed of homeless) {
      const [to, list] = Array.from(owned).reduce((least, entry) =>
        entry[1].length < least[1].length ? entry : least,
      );
      list.push(placed);
      moves.push({ placed, to });
    }
    return moves;
  }
}

function count<K>(counts: Map<K, number>, key: K, change: number): void {
  counts.set(key, (counts.get(key) ?? 0) + change);
}

function least<K>(candidates: Iterable<K>, counts: ReadonlyMap<K, number>): K {
  let best: K | undefined;
  for (const candidate of candidates)
    if (best === undefined || (counts.get(candidate) ?? 0) < (counts.get(best) ?? 0)) best = candidate;
  assert(best !== undefined, 'there is somewhere to put a partition');
  return best;
}
