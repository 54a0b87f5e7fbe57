/**
 * The memory that one role has made known on its thread. What is known to the addon stays in memory whoever else forgets it, so
 * it is forgotten with the role: threads and their other roles live on.
 */
import type { Memory } from '../base/memory.ts';
import type { Registry } from './net/answers.ts';

export class RoleMemory implements Registry {
  readonly #registry: Registry;
  readonly #known = new Set<Memory>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  register(bytes: Uint8Array): Memory {
    const memory = this.#registry.register(bytes);
    this.#known.add(memory);
    return memory;
  }

  unregister(memory: Memory): void {
    this.#known.delete(memory);
    this.#registry.unregister(memory);
  }

  /** Nobody works for the role any more. */
  close(): void {
    for (const memory of this.#known) this.#registry.unregister(memory);
    this.#known.clear();
  }
}
