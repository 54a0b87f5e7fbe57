/**
 * The controller at work on a metadata store: reads the store, takes the office, registers its own broker, and carries
 * each request through decision, write and confirmation. Requests are answered in the order they came. When the store
 * fails, refuses a decision or ends the session, the office is over: every open request is rejected, and nothing more is
 * decided.
 */
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Change } from '../cluster/changes.ts';
import type { StoreContents } from '../cluster/contents.ts';
import { claimController, clusterIdFrom, imageFrom, layoutWrites, registrationWrite } from '../cluster/contents.ts';
import type { ControllerOptions } from '../cluster/controller.ts';
import { Controller } from '../cluster/controller.ts';
import type { BrokerImage, Endpoint, MetadataImage } from '../cluster/image.ts';
import type { MetadataStore, StoredNode } from '../cluster/metadata-store.ts';
import { StoreError } from '../cluster/metadata-store.ts';
import type { CallName, RequestOf, ResponseOf } from '../cluster/requests.ts';
import { childPath } from './node-tree.ts';

export interface OfficeOptions extends ControllerOptions {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For a store that knows none yet. */
  readonly clusterId: string;
  readonly brokerId: number;
  readonly endpoints: readonly Endpoint[];
  readonly rack: string | null;
  /** What was confirmed, with the image that it led to; called before the request is answered. */
  onChanges(changes: readonly Change[], image: MetadataImage): void;
  /** The office is over, through no wish of its own. */
  onLost(reason: Error): void;
}

export class Office {
  readonly #store: MetadataStore;
  readonly #controller: Controller;
  readonly #options: OfficeOptions;
  #lost: Error | null = null;

  static async take(options: OfficeOptions): Promise<Office> {
    const { store, brokerId, endpoints, rack } = options;
    const contents = await readStore(store);
    const clusterId = clusterIdFrom(contents) ?? options.clusterId;
    const stored = imageFrom(contents, clusterId);
    const now = options.clock.now();
    const { writes: claim, controllership } = claimController(contents, brokerId, now);
    const registration = registrationWrite(brokerId, endpoints, rack, now);
    const result = await store.multi([...layoutWrites(contents, clusterId), ...claim, registration]);
    if (!result.done) throw new StoreError(`broker ${brokerId} cannot register: ${result.conflict} (write ${result.index})`);
    const office = new Office(options, new Controller(options, stored, controllership));
    await office.ask('registerBroker', { id: brokerId, epoch: result.transaction, endpoints, rack });
    return office;
  }

  private constructor(options: OfficeOptions, controller: Controller) {
    this.#options = options;
    this.#store = options.store;
    this.#controller = controller;
    this.#store.session.onExpired((reason) => this.#lose(reason));
  }

  get image(): MetadataImage {
    return this.#controller.image;
  }

  /** This broker as it is registered. */
  get broker(): BrokerImage {
    return this.image.brokers.get(this.#options.brokerId) as BrokerImage;
  }

  async ask<K extends CallName>(call: K, request: RequestOf<K>): Promise<ResponseOf<K>> {
    if (this.#lost !== null) throw this.#lost;
    const decision = this.#controller.handle(call, request);
    const result = await this.#store.multi(decision.writes).catch((error: Error) => {
      this.#lose(error);
      throw error;
    });
    if (this.#lost !== null) throw this.#lost;
    if (!result.done) {
      const { path } = decision.writes[result.index] as { path: string };
      const reason = new StoreError(`the store refused ${call}: ${result.conflict} at ${path}`);
      this.#lose(reason);
      throw reason;
    }
    this.#controller.confirm(decision);
    if (decision.changes.length > 0) this.#options.onChanges(decision.changes, decision.image);
    return decision.response;
  }

  #lose(reason: Error): void {
    if (this.#lost !== null) return;
    this.#lost = reason;
    this.#options.logger.error('controller lost its office', { reason: reason.message });
    this.#options.onLost(reason);
  }
}

/** Everything in the store, level by level. */
export async function readStore(store: MetadataStore): Promise<StoreContents> {
  const contents = new Map<string, StoredNode>();
  for (let level = ['/']; level.length > 0; ) {
    const lists = await Promise.all(level.map((path) => store.children(path)));
    const next = level.flatMap((path, index) => (lists[index] ?? []).map((name) => childPath(path, name)));
    const nodes = await Promise.all(next.map((path) => store.read(path)));
    for (const [index, path] of next.entries()) {
      const node = nodes[index];
      if (node !== null && node !== undefined) contents.set(path, node);
    }
    level = next;
  }
  return contents;
}
