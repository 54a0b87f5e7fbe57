/**
 * The controller: a synchronous machine that decides for the whole cluster. It asks nobody and writes nothing: a decision
 * says what to write, and takes effect when the store has confirmed it, in the order of decisions.
 *
 * Each decision is made upon all earlier ones, confirmed or not, so that many can be under way. So when the store refuses
 * one, everything after it is void as well: the machine is of no more use, and a new one is loaded from the store. Every
 * decision checks the controller epoch's version first: whoever is no longer controller can write nothing.
 */
import { assert } from '../base/assert.ts';
import { fenceBroker, registerBroker, unfenceBroker } from './broker-changes.ts';
import type { Change } from './changes.ts';
import { apply } from './changes.ts';
import { alterBrokerConfigs, alterGroupConfigs, alterTopicConfigs } from './config-changes.ts';
import type { Controllership } from './contents.ts';
import type { Draft, Surroundings } from './decision.ts';
import type { MetadataImage } from './image.ts';
import type { StoreWrite } from './metadata-store.ts';
import { createPartitions } from './partition-creation.ts';
import { CONTROLLER_EPOCH } from './paths.ts';
import { allocateProducerIds } from './producer-ids.ts';
import type { CallName, RequestOf, ResponseOf } from './requests.ts';
import { autoCreateTopics, createTopics } from './topic-creation.ts';
import { deleteTopics, eraseTopics } from './topic-deletion.ts';
import { CollidingNames } from './topic-names.ts';

export interface Decision<Response> {
  readonly sequence: number;
  /** One multi, all or nothing. Never empty: the check of the controller's right is always there. */
  readonly writes: readonly StoreWrite[];
  readonly changes: readonly Change[];
  /** To be given when the decision is confirmed, not before. */
  readonly response: Response;
  /** The image once it is confirmed. */
  readonly image: MetadataImage;
}

const HANDLERS: { readonly [K in CallName]: (around: Surroundings, request: RequestOf<K>) => Draft<ResponseOf<K>> } = {
  registerBroker,
  fenceBroker,
  unfenceBroker,
  createTopics,
  autoCreateTopics,
  createPartitions,
  deleteTopics,
  eraseTopics,
  alterTopicConfigs,
  alterBrokerConfigs,
  alterGroupConfigs,
  allocateProducerIds,
};

export type ControllerOptions = Omit<Surroundings, 'image' | 'collidingNames' | 'partitions'>;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #check: StoreWrite;
  readonly #collidingNames = new CollidingNames();
  /** Of all topics of the latest image. */
  #partitions = 0;
  /** With every decision. */
  #latest: MetadataImage;
  /** With every confirmed decision. */
  #confirmed: MetadataImage;
  #decided = 0;
  #confirmations = 0;

  /** `stored` is what the store says, `right` what `claimController` has won in it. */
  constructor(options: ControllerOptions, stored: MetadataImage, right: Controllership) {
    this.#options = options;
    this.#check = { kind: 'check', path: CONTROLLER_EPOCH, version: right.epochVersion };
    for (const topic of stored.topics.values()) {
      this.#collidingNames.add(topic.name);
      this.#partitions += topic.partitions.length;
    }
    this.#latest = apply(stored, [{ kind: 'controllerChanged', id: right.brokerId, epoch: right.epoch }]);
    this.#confirmed = this.#latest;
  }

  /** What holds for everybody: decisions that are under way do not show. */
  get image(): MetadataImage {
    return this.#confirmed;
  }

  handle<K extends CallName>(call: K, request: RequestOf<K>): Decision<ResponseOf<K>> {
    const around: Surroundings = {
      ...this.#options,
      image: this.#latest,
      collidingNames: this.#collidingNames,
      partitions: this.#partitions,
    };
    const handler = HANDLERS[call] as (around: Surroundings, request: RequestOf<K>) => Draft<ResponseOf<K>>;
    const { writes, changes, response } = handler(around, request);
    for (const change of changes) this.#count(change);
    this.#latest = apply(this.#latest, changes);
    this.#decided += 1;
    return { sequence: this.#decided, writes: [this.#check, ...writes], changes, response, image: this.#latest };
  }

  /** Keeps what is known of all topics together; the latest image is still the one before the change. */
  #count(change: Change): void {
    if (change.kind === 'topicCreated') {
      this.#collidingNames.add(change.topic.name);
      this.#partitions += change.topic.partitions.length;
    } else if (change.kind === 'partitionsAdded') this.#partitions += change.partitions.length;
    else if (change.kind === 'topicDeleted') {
      this.#collidingNames.remove(change.topic);
      this.#partitions -= this.#latest.topics.get(change.topic)?.partitions.length ?? 0;
    }
  }

  /** The store has made the decision's writes. */
  confirm(decision: Decision<unknown>): void {
    const { sequence, image } = decision;
    assert(sequence === this.#confirmations + 1, 'decisions are confirmed in order', {
      sequence,
      confirmations: this.#confirmations,
    });
    this.#confirmations = sequence;
    this.#confirmed = image;
  }
}
