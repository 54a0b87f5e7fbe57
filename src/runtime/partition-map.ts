/**
 * Which partition has which slot of shared memory, which handler owns it and in which directory it lies. Kept on the main
 * thread, the only one that gives slots and owners; processors get routes, handlers get partitions.
 */
import { assert } from '../base/assert.ts';
import type { Uuid } from '../base/uuid.ts';
import { PARTITIONS_MAX } from '../replica/published.ts';
import type { RouteMessage } from './control.ts';

export interface PlacedPartition {
  readonly slot: number;
  readonly topic: string;
  readonly topicId: Uuid;
  readonly partition: number;
  /** Of the log.dirs. */
  readonly directory: number;
  handler: string;
  /** Why it cannot be used, null when it can. */
  offline: string | null;
}

export class PartitionMap {
  readonly #slots: (PlacedPartition | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #routes = new Map<Uuid, { name: string; id: Uuid; slots: number[] }>();
  #handlers: readonly string[] = [];
  readonly #directories: number;

  constructor(directories: number) {
    this.#directories = directories;
  }

  set handlers(names: readonly string[]) {
    this.#handlers = names;
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
      directory: directory ?? this.#emptiestDirectory(),
      handler: this.#idlestHandler(),
      offline: null,
    };
    this.#slots[slot] = placed;
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
    for (const { slot } of placed) {
      this.#slots[slot] = undefined;
      this.#free.push(slot);
    }
    this.#routes.delete(topicId);
    return placed;
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

  #idlestHandler(): string {
    return least(this.#handlers, (name) => this.all().filter((placed) => placed.handler === name).length);
  }

  #emptiestDirectory(): number {
    if (this.#directories === 1) return 0;
    const indices = Array.from({ length: this.#directories }, (_, index) => index);
    return least(indices, (index) => this.all().filter((placed) => placed.directory === index).length);
  }
}

function least<T>(candidates: readonly T[], weight: (candidate: T) => number): T {
  if (candidates.length === 1) return candidates[0] as T;
  let best = candidates[0] as T;
  for (const candidate of candidates) if (weight(candidate) < weight(best)) best = candidate;
  return best;
}
