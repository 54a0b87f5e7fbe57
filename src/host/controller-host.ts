/**
 * The controller with the floor behind it: a decision is durable first, then known to handlers and processors, and only
 * then answered. What is asked while others are under way is decided together, with one sync; decisions are told one after
 * the other, so that nobody on the floor sees a later one before an earlier one.
 */
import type { Change } from '../cluster/changes.ts';
import type { MetadataImage } from '../cluster/image.ts';
import type { CallName, RequestOf, ResponseOf } from '../cluster/requests.ts';
import { ActiveController, type ActiveControllerOptions } from '../stores/active-controller.ts';

export interface ControllerHostOptions extends Omit<ActiveControllerOptions, 'onChanges'> {
  /** Tells everybody on the floor; the answer waits for it. */
  publish(changes: readonly Change[], image: MetadataImage): Promise<void>;
}

/** What is decided together. */
const DECISIONS_MAX = 256;

/** One decision, or several that only create topics: those can be told at once. */
interface Confirmed {
  readonly changes: readonly Change[];
  readonly image: MetadataImage;
}

interface Asked {
  readonly decide: () => Promise<unknown>;
  readonly resolve: (response: never) => void;
  readonly reject: (problem: unknown) => void;
}

export class ControllerHost {
  readonly #options: ControllerHostOptions;
  #active: ActiveController | null = null;
  /** Confirmed, not yet published. */
  readonly #confirmed: Confirmed[] = [];
  readonly #asked: Asked[] = [];
  #awaitsTurn = false;
  #line: Promise<unknown> = Promise.resolve();
  #producerIds = { next: 0, end: 0 };

  static async start(options: ControllerHostOptions): Promise<ControllerHost> {
    const host = new ControllerHost(options);
    host.#active = await ActiveController.start({
      ...options,
      onChanges: (changes, image) => host.#confirmed.push({ changes, image }),
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
    return new Promise((resolve, reject) => {
      const decide = () => (this.#active as ActiveController).ask(name, request);
      this.#asked.push({ decide, resolve, reject });
      this.#awaitTurn();
    });
  }

  /** One turn stands in the line for all that ask until it comes: others in the line have theirs soon, however many ask. */
  #awaitTurn(): void {
    if (this.#awaitsTurn || this.#asked.length === 0) return;
    this.#awaitsTurn = true;
    void this.exclusive(() => this.#decide());
  }

  async #decide(): Promise<void> {
    const asked = this.#asked.splice(0, DECISIONS_MAX);
    this.#awaitsTurn = false;
    this.#awaitTurn();
    const outcomes = await Promise.allSettled(asked.map(({ decide }) => decide()));
    let problem: unknown = null;
    try {
      for (const { changes, image } of together(this.#confirmed.splice(0))) await this.#options.publish(changes, image);
    } catch (thrown) {
      problem = thrown;
    }
    for (const [index, { resolve, reject }] of asked.entries()) {
      const outcome = outcomes[index] as PromiseSettledResult<unknown>;
      if (outcome.status === 'rejected') reject(outcome.reason);
      else if (problem !== null) reject(problem);
      else resolve(outcome.value as never);
    }
  }

  /** Nothing is decided while the work is under way. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(work);
    this.#line = done.catch(() => {});
    return done;
  }

  /** Deleted topics whose files have been renamed need not be remembered. Those that are, after a crash, are erased by the next start. */
  erase(topicIds: readonly string[]): void {
    if (topicIds.length === 0) return;
    this.ask('eraseTopics', { topicIds }).catch((problem: Error) =>
      this.#options.logger.debug('topics.not.erased', { why: problem.message }),
    );
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

function together(confirmed: readonly Confirmed[]): Confirmed[] {
  const told: { changes: Change[]; image: MetadataImage; creates: boolean }[] = [];
  for (const { changes, image } of confirmed) {
    const creates = changes.every(({ kind }) => kind === 'topicCreated');
    const last = told.at(-1);
    if (creates && last?.creates) {
      last.changes.push(...changes);
      last.image = image;
    } else told.push({ changes: changes.slice(), image, creates });
  }
  return told;
}
