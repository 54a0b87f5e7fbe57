/**
 * A map that never changes; its successors share what stayed the same. Keys are spread over shards by a hash, and only the
 * shards that an edit touches are copied, so that one more key among thousands costs little.
 */

const SHARDS = 256;

function shardOf(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (SHARDS - 1);
}

export class ShardedMap<V> implements ReadonlyMap<string, V> {
  readonly size: number;
  readonly #shards: readonly ReadonlyMap<string, V>[];

  static empty<V>(): ShardedMap<V> {
    const none: ReadonlyMap<string, V> = new Map();
    return new ShardedMap(
      Array.from({ length: SHARDS }, () => none),
      0,
    );
  }

  constructor(shards: readonly ReadonlyMap<string, V>[], size: number) {
    this.#shards = shards;
    this.size = size;
  }

  get(key: string): V | undefined {
    return (this.#shards[shardOf(key)] as ReadonlyMap<string, V>).get(key);
  }

  has(key: string): boolean {
    return (this.#shards[shardOf(key)] as ReadonlyMap<string, V>).has(key);
  }

  edit(): ShardedMapEdit<V> {
    return new ShardedMapEdit(this.#shards, this.size);
  }

  *entries(): MapIterator<[string, V]> {
    for (const shard of this.#shards) if (shard.size > 0) yield* shard.entries();
  }

  *keys(): MapIterator<string> {
    for (const shard of this.#shards) if (shard.size > 0) yield* shard.keys();
  }

  *values(): MapIterator<V> {
    for (const shard of this.#shards) if (shard.size > 0) yield* shard.values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }
}

/** The next map under construction: shards are copied when first written to. */
export class ShardedMapEdit<V> {
  readonly #shards: ReadonlyMap<string, V>[];
  readonly #own = new Map<number, Map<string, V>>();
  #size: number;

  constructor(shards: readonly ReadonlyMap<string, V>[], size: number) {
    this.#shards = shards.slice();
    this.#size = size;
  }

  get(key: string): V | undefined {
    return (this.#shards[shardOf(key)] as ReadonlyMap<string, V>).get(key);
  }

  set(key: string, value: V): void {
    const shard = this.#writable(key);
    const before = shard.size;
    shard.set(key, value);
    this.#size += shard.size - before;
  }

  delete(key: string): void {
    if (this.#writable(key).delete(key)) this.#size -= 1;
  }

  /** The edit is over: what it made is shared from here on. */
  done(): ShardedMap<V> {
    return new ShardedMap(this.#shards, this.#size);
  }

  #writable(key: string): Map<string, V> {
    const index = shardOf(key);
    let shard = this.#own.get(index);
    if (shard === undefined) {
      shard = new Map(this.#shards[index]);
      this.#own.set(index, shard);
      this.#shards[index] = shard;
    }
    return shard;
  }
}
