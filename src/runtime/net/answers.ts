/**
 * Turns answers into bytes. They are written behind each other into one private memory that is used again after each send;
 * ranges of files take their place between the bytes. An answer too large for the memory gets a larger one for a while.
 */

import { type Memory, memoryOver } from '../../base/memory.ts';
import { responseWriter } from '../../wire/compiler.ts';
import { beginFrame, endFrame, writeResponseHeader } from '../../wire/headers.ts';
import { apiByKey } from '../../wire/messages/all.ts';
import type { Api } from '../../wire/schema.ts';
import { growOnHeap, type PlacedHole, Writer } from '../../wire/writer.ts';
import type { Call } from './call.ts';
import type { FileRange, Outgoing } from './outgoing.ts';

const FIRST_BYTES = 65_536;

/** Makes memory known to whoever sends it. */
export interface Registry {
  register(bytes: Uint8Array): Memory;
  unregister(memory: Memory): void;
}

export class Answers {
  readonly #registry: Registry;
  readonly #base: Memory;
  readonly #writer: Writer;
  /** Larger memories of this round, the last one in use. */
  readonly #grown: Memory[] = [];
  #end = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#base = registry.register(new Uint8Array(FIRST_BYTES));
    this.#writer = new Writer(this.#base, (bytesNeeded, old) => {
      const heap = growOnHeap(bytesNeeded, old);
      const grown = registry.register(heap.bytes);
      this.#grown.push(grown);
      return grown;
    });
  }

  encode(call: Call, outgoing: Outgoing): void {
    const api = apiByKey(call.apiKey) as Api;
    const writer = this.#writer;
    writer.reset(writer.memory, this.#end);
    beginFrame(writer);
    writeResponseHeader(writer, api, call.version, call.correlationId);
    responseWriter(api, call.version)(writer, call.body as never);
    endFrame(writer);
    let from = writer.start;
    for (const { at, hole } of writer.holes as readonly PlacedHole[]) {
      outgoing.addBytes(writer.memory, from, at - from);
      outgoing.addRange(hole as FileRange);
      from = at;
    }
    outgoing.addBytes(writer.memory, from, writer.offset - from);
    this.#end = writer.offset;
  }

  /** What was encoded is sent or kept elsewhere. */
  reset(): void {
    this.#end = 0;
    if (this.#grown.length === 0) return;
    for (const memory of this.#grown) this.#registry.unregister(memory);
    this.#grown.length = 0;
    this.#writer.reset(this.#base);
  }
}

/** Where no addon sends, nobody needs to know. */
export const UNREGISTERED: Registry = {
  register: (bytes) => memoryOver(bytes),
  unregister() {},
};
