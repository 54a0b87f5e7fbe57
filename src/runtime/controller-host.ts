/**
 * The controller with the floor behind it: a decision is durable first, then known to handlers and processors, and only
 * then answered. One after the other, so that nobody on the floor sees a later one before an earlier one.
 */
import type { Change } from '../cluster/changes.ts';
import type { MetadataImage } from '../cluster/image.ts';
import type { CallName, RequestOf, ResponseOf } from '../cluster/requests.ts';
import { ActiveController, type ActiveControllerOptions } from '../stores/active-controller.ts';

export interface ControllerHostOptions extends Omit<ActiveControllerOptions, 'onChanges'> {
  /** Tells everybody on the floor; the answer waits for it. */
  publish(changes: readonly Change[], image: MetadataImage): Promise<void>;
}

export class ControllerHost {
  readonly #options: ControllerHostOptions;
  #active: ActiveController | null = null;
  /** Confirmed, not yet published. */
  #confirmed: Change[] = [];
  #line: Promise<unknown> = Promise.resolve();
  #producerIds = { next: 0, end: 0 };

  static async start(options: ControllerHostOptions): Promise<ControllerHost> {
    const host = new ControllerHost(options);
    host.#active = await ActiveController.start({
      ...options,
      onChanges: (changes) => host.#confirmed.push(...changes),
    });
    return host;
  }

  private constructor(options: ControllerHostOptions) {
    this.#options = options;
  }

  get image(): MetadataImage {
    return (this.#active as ActiveController).image;
  }

  get brokerEpoch(): number {
    return (this.#active as ActiveController).broker.epoch;
  }

  ask<K extends CallName>(name: K, request: RequestOf<K>): Promise<ResponseOf<K>> {
    return this.exclusive(async () => {
      const active = this.#active as ActiveController;
      const response = await active.ask(name, request);
      const changes = this.#confirmed;
      this.#confirmed = [];
      if (changes.length > 0) await this.#options.publish(changes, active.image);
      return response;
    });
  }

  /** Nothing is decided while the work is under way. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(work);
    this.#line = done.catch(() => {});
    return done;
  }

  async nextProducerId(): Promise<number> {
    while (this.#producerIds.next >= this.#producerIds.end) {
      const { id: brokerId, epoch: brokerEpoch } = (this.#active as ActiveController).broker;
      const block = await this.ask('allocateProducerIds', { brokerId, brokerEpoch });
      // Somebody else who waited may have brought a block already: a few ids are lost, none is given twice.
      this.#producerIds = { next: block.producerIdStart, end: block.producerIdStart + block.producerIdLen };
    }
    return this.#producerIds.next++;
  }
}
