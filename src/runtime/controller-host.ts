/**
 * Runs the controller on the main thread: one decision after the other goes to the store, and when the store has it, to
 * the floor (handlers, processors). Answers leave when all of that has happened.
 */
import type { Logger } from '../base/logger.ts';
import type { Change } from '../cluster/changes.ts';
import { claimController, imageFrom, layoutWrites, registrationWrite, type StoreContents } from '../cluster/contents.ts';
import { Controller, type ControllerOptions } from '../cluster/controller.ts';
import type { Endpoint, MetadataImage } from '../cluster/image.ts';
import type { MetadataStore, StoredNode, StoreWrite } from '../cluster/metadata-store.ts';
import type { CallName, RequestOf, ResponseOf } from '../cluster/requests.ts';

/** Who must know of a change before anybody is told that it has happened. */
export type Publish = (changes: readonly Change[], image: MetadataImage) => Promise<void>;

export interface ControllerHostParts {
  readonly store: MetadataStore;
  readonly contents: StoreContents;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly rack: string | null;
  readonly options: ControllerOptions;
  readonly logger: Logger;
  now(): number;
  publish: Publish;
}

/** Every node of the store: how a broker that starts learns everything. */
export async function readContents(store: MetadataStore): Promise<StoreContents> {
  const contents = new Map<string, StoredNode>();
  const visit = async (path: string): Promise<void> => {
    const names = (await store.children(path)) ?? [];
    await Promise.all(
      names.map(async (name) => {
        const child = path === '/' ? `/${name}` : `${path}/${name}`;
        const node = await store.read(child);
        if (node !== null) contents.set(child, node);
        await visit(child);
      }),
    );
  };
  await visit('/');
  return contents;
}

export class ControllerHost {
  readonly #parts: ControllerHostParts;
  readonly #controller: Controller;
  /** The transaction that registered this broker. */
  brokerEpoch = 0;
  #line: Promise<unknown> = Promise.resolve();
  #producerIds = { next: 0, end: 0 };

  /** Prepares the store, registers the broker's session and takes the office. */
  static async start(parts: ControllerHostParts): Promise<ControllerHost> {
    const { store, clusterId, nodeId } = parts;
    const layout = layoutWrites(parts.contents, clusterId);
    if (layout.length > 0) await mustWrite(store, layout);
    const contents = layout.length > 0 ? await readContents(store) : parts.contents;
    const { writes, controllership } = claimController(contents, nodeId, parts.now());
    await mustWrite(store, writes);
    const stored = imageFrom(contents, clusterId);
    return new ControllerHost(parts, new Controller(parts.options, stored, controllership));
  }

  private constructor(parts: ControllerHostParts, controller: Controller) {
    this.#parts = parts;
    this.#controller = controller;
  }

  get image(): MetadataImage {
    return this.#controller.image;
  }

  /** Puts this broker on the map: from here on it leads what it can lead. */
  async register(endpoints: readonly Endpoint[]): Promise<void> {
    const { store, nodeId, rack, now } = this.#parts;
    this.brokerEpoch = await mustWrite(store, [registrationWrite(nodeId, endpoints, rack, now())]);
    await this.ask('registerBroker', { id: nodeId, epoch: this.brokerEpoch, endpoints, rack });
  }

  /** One decision at a time: the next one is made when the floor has the one before. */
  ask<K extends CallName>(name: K, request: RequestOf<K>): Promise<ResponseOf<K>> {
    const answer = this.#line.then(async () => {
      const decision = this.#controller.handle(name, request);
      await mustWrite(this.#parts.store, decision.writes);
      this.#controller.confirm(decision);
      if (decision.changes.length > 0) await this.#parts.publish(decision.changes, decision.image);
      return decision.response;
    });
    this.#line = answer.catch(() => {});
    return answer;
  }

  /** Nothing is decided while the work is under way. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(work);
    this.#line = done.catch(() => {});
    return done;
  }

  async nextProducerId(): Promise<number> {
    if (this.#producerIds.next >= this.#producerIds.end) {
      const { nodeId } = this.#parts;
      const block = await this.ask('allocateProducerIds', { brokerId: nodeId, brokerEpoch: this.brokerEpoch });
      // Somebody else who waited may have brought a block already: a few ids are lost, none is given twice.
      this.#producerIds = { next: block.producerIdStart, end: block.producerIdStart + block.producerIdLen };
    }
    return this.#producerIds.next++;
  }
}

async function mustWrite(store: MetadataStore, writes: readonly StoreWrite[]): Promise<number> {
  const result = await store.multi(writes);
  if (result.done) return result.transaction;
  const write = writes[result.index];
  throw new Error(`the metadata store refused ${write?.kind} of ${write?.path}: ${result.conflict}`);
}
