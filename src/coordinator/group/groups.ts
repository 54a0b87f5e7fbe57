/** The groups of one shard by id, whatever their kind. A classic group comes into being when it is first needed. */

import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { type Alarms, ClassicGroup } from './classic-group.ts';
import type { LiveConsumerGroup } from './consumer/live-group.ts';

export type AnyGroup = ClassicGroup | LiveConsumerGroup;

export class Groups {
  readonly #byId = new Map<string, AnyGroup>();
  readonly #alarms: Alarms;
  readonly #clock: Clock;

  constructor(alarms: Alarms, clock: Clock) {
    this.#alarms = alarms;
    this.#clock = clock;
  }

  get count(): number {
    return this.#byId.size;
  }

  get(id: string): AnyGroup | undefined {
    return this.#byId.get(id);
  }

  /** Undefined as well when the id is of another kind. */
  classic(id: string): ClassicGroup | undefined {
    const group = this.#byId.get(id);
    return group?.kind === 'classic' ? group : undefined;
  }

  classicOrNew(id: string): ClassicGroup {
    const there = this.#byId.get(id);
    if (there === undefined) return this.newClassic(id);
    assert(there.kind === 'classic', 'the id is of a classic group', { group: id, kind: there.kind });
    return there;
  }

  /** Takes the place of what was there. */
  newClassic(id: string): ClassicGroup {
    const group = this.unplacedClassic(id);
    this.#byId.set(id, group);
    return group;
  }

  /** One that nobody can find yet. */
  unplacedClassic(id: string): ClassicGroup {
    return new ClassicGroup(id, this.#alarms, this.#clock.now());
  }

  consumer(id: string): LiveConsumerGroup | undefined {
    const group = this.#byId.get(id);
    return group?.kind === 'consumer' ? group : undefined;
  }

  /** Takes the place of what was there. */
  put(group: AnyGroup): void {
    this.#byId.set(group.id, group);
  }

  values(): IterableIterator<AnyGroup> {
    return this.#byId.values();
  }

  /** Whoever still waits there is answered with the error. */
  remove(id: string, error: number): void {
    this.#byId.get(id)?.dispose(error);
    this.#byId.delete(id);
  }
}
