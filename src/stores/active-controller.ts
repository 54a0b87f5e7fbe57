/**
 * The controller at work on a metadata store: reads the store, becomes controller in it, registers its own broker, and
 * carries each request through decision, write and confirmation. Requests are answered in the order they came. When the
 * store fails, refuses a decision or ends the session, it resigns: every open request is rejected, nothing more is decided.
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

export interface ActiveControllerOptions extends ControllerOptions {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For a store that knows none yet. */
  readonly clusterId: string;
  readonly brokerId: number;
  readonly endpoints: readonly Endpoint[];
  readonly rack: string | null;
  /** What was confirmed after the start, and the image that it led to; called before the request is answered. */
  onChanges(changes: readonly Change[], image: MetadataImage): void;
  /** It had to resign; called once. */
  onResigned(reason: Error): void;
}

export class ActiveController {
  readonly #store: MetadataStore;
  readonly #controller: Controller;
  readonly #options: ActiveControllerOptions;
  #started = false;
  #resigned: Error | null = null;

  static async start(options: ActiveControllerOptions): Promise<ActiveController> {
    const { store, brokerId, endpoints, rack } = options;
    const contents = await readStore(store);
    const clusterId = clusterIdFrom(contents) ?? options.clusterId;
    const stored = imageFrom(contents, clusterId);
    const now = options.clock.now();
    const { writes: claim, controllership } = claimController(contents, brokerId, now);
    const registration = registrationWrite(brokerId, endpoints, rack, now);
    const result = await store.multi([...layoutWrites(contents, clusterId), ...claim, registration]);
    if (!result.done) {
      throw new StoreError(`broker ${brokerId} cannot register: ${result.conflict} (write ${result.index})`);
    }
    const controller = new ActiveController(options, new Controller(options, stored, controllership));
    await controller.ask('registerBroker', { id: brokerId, epoch: result.transaction, endpoints, rack });
    controller.#started = true;
    return controller;
  }

  private constructor(options: ActiveControllerOptions, controller: Controller) {
    this.#options = options;
    this.#store = options.store;
    this.#controller = controller;
    this.#store.session.onExpired((reason) => this.#resign(reason));
  }

  get image(): MetadataImage {
    return this.#controller.image;
  }

  /** This broker as it is registered. */
  get broker(): BrokerImage {
    return this.image.brokers.get(this.#options.brokerId) as BrokerImage;
  }

  async ask<K extends CallName>(call: K, request: RequestOf<K>): Promise<ResponseOf<K>> {
    if (this.#resigned !== null) throw this.#resigned;
    const decision = this.#controller.handle(call, request);
    const result = await this.#store.multi(decision.writes).catch((error: Error) => {
      this.#resign(error);
      throw error;
    });
    if (this.#resigned !== null) throw this.#resigned;
    if (!result.done) {
      const { path } = decision.writes[result.index] as { path: string };
      const reason = new StoreError(`the store refused ${call}: ${result.conflict} at ${path}`);
      this.#resign(reason);
      throw reason;
    }
    // In one step: the image is never ahead of the changes that were told.
    this.#controller.confirm(decision);
    if (this.#started && decision.changes.length > 0) this.#options.onChanges(decision.changes, decision.image);
    return decision.response;
  }

  #resign(reason: Error): void {
    if (this.#resigned !== null) return;
    this.#resigned = reason;
    this.#options.logger.error('controller resigned', { reason: reason.message });
    this.#options.onResigned(reason);
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
