/**
 * A processor's way to the owners of partitions: which slot belongs to which topic, which handler owns it, and the rings
 * to the handlers. While a partition moves, what is asked of it waits here and goes to the new owner, in order.
 */

import type { Route } from '../../api/floor.ts';
import { assert } from '../../base/assert.ts';
import type { Uuid } from '../../base/uuid.ts';
import type { PublishedPartitions } from '../../replica/published.ts';
import type { RouteMessage } from '../control.ts';
import type { Outbox } from '../rings/ring.ts';

/** A message that waits for its partition to have an owner again. */
type Held = readonly [number, number, number, number, number, number, number, number, number, number, number];

export class Owners {
  /** When the processor's present turn began: questions say so, handlers see how long they lay. */
  turnAt = 0;
  readonly #published: PublishedPartitions;
  readonly #outboxes: (Outbox | undefined)[] = [];
  readonly #byName = new Map<string, Route>();
  readonly #byId = new Map<Uuid, Route>();
  readonly #held = new Map<number, Held[]>();
  /** How often topics were deleted. */
  deletions = 0;

  constructor(published: PublishedPartitions) {
    this.#published = published;
  }

  route(topic: string): Route | null {
    return this.#byName.get(topic) ?? null;
  }

  routeById(id: Uuid): Route | null {
    return this.#byId.get(id) ?? null;
  }

  update(add: readonly RouteMessage[], removeIds: readonly Uuid[]): void {
    if (removeIds.length > 0) this.deletions += 1;
    for (const id of removeIds) {
      const route = this.#byId.get(id);
      if (route === undefined) continue;
      this.#byId.delete(id);
      if (this.#byName.get(route.name)?.id === id) this.#byName.delete(route.name);
    }
    for (const route of add) {
      this.#byName.set(route.name, route);
      this.#byId.set(route.id, route);
    }
  }

  link(handler: number, outbox: Outbox): void {
    this.#outboxes[handler] = outbox;
  }

  unlink(handler: number): void {
    this.#outboxes[handler] = undefined;
  }

  /** True when some handler takes nothing more for now. */
  get congested(): boolean {
    for (const outbox of this.#outboxes) if (outbox?.congested) return true;
    return false;
  }

  ringBells(): void {
    for (const outbox of this.#outboxes) outbox?.ringBell();
  }

  /** The slot is field c of each of these messages. */
  send(
    type: number,
    a: number,
    b: number,
    slot: number,
    d: number,
    e: number,
    f: number,
    g: number,
    w: number,
    x = 0,
    y = 0,
  ): void {
    const held = this.#held.size === 0 ? undefined : this.#held.get(slot);
    if (held !== undefined) {
      held.push([type, a, b, slot, d, e, f, g, w, x, y]);
      return;
    }
    const outbox = this.#outboxes[this.#published.owner(slot)];
    assert(outbox !== undefined, 'a partition that is not held has an owner', { slot });
    outbox.send(type, a, b, slot, d, e, f, g, w, x, y, this.turnAt);
  }

  hold(slots: readonly number[]): void {
    for (const slot of slots) if (!this.#held.has(slot)) this.#held.set(slot, []);
  }

  resume(slots: readonly number[]): void {
    for (const slot of slots) {
      const held = this.#held.get(slot) ?? [];
      this.#held.delete(slot);
      for (const message of held) this.send(...message);
    }
  }
}
