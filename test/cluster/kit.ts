/** A controller with some brokers, and a store without a disk that holds what it writes. */

import { expect } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import type { StoreContents } from '../../src/cluster/contents.ts';
import { claimController, imageFrom, layoutWrites, registrationWrite } from '../../src/cluster/contents.ts';
import type { ControllerOptions, Decision } from '../../src/cluster/controller.ts';
import { Controller } from '../../src/cluster/controller.ts';
import type { ConfigRules, ControllerDefaults } from '../../src/cluster/decision.ts';
import type { Endpoint, MetadataImage } from '../../src/cluster/image.ts';
import { GROUP_LOG } from '../../src/cluster/internal-topics.ts';
import type { StoredNode, StoreWrite } from '../../src/cluster/metadata-store.ts';
import type { CallName, NewTopic, RequestOf, ResponseOf } from '../../src/cluster/requests.ts';
import { NodeTree } from '../../src/stores/node-tree.ts';

export const RULES: ConfigRules = {
  problem(configs) {
    for (const [name, value] of configs) {
      if (!['retention.ms', 'cleanup.policy'].includes(name)) return `Unknown setting '${name}'.`;
      if (name === 'retention.ms' && !/^-?\d+$/.test(value)) return `'${value}' is no number.`;
    }
    return null;
  },
  isList: (name) => name === 'cleanup.policy',
  defaultValue: (name) => (name === 'cleanup.policy' ? 'delete' : null),
};

export const DEFAULTS: ControllerDefaults = {
  numPartitions: 3,
  replicationFactor: 1,
  internalTopics: new Map([
    [GROUP_LOG, { numPartitions: 5, replicationFactorMax: 3, configs: new Map([['cleanup.policy', 'compact']]) }],
  ]),
  partitionsPerRequestMax: 10_000,
  partitionsMax: 65_536,
};

export const ENDPOINTS: readonly Endpoint[] = [
  { listener: 'PLAINTEXT', protocol: 'PLAINTEXT', host: 'localhost', port: 9092 },
];

export function topic(name: string, more: Partial<NewTopic> = {}): NewTopic {
  return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [], ...more };
}

/** One process's life with a store: what it writes stays when a new one begins. */
export class Cluster {
  readonly tree = new NodeTree();
  readonly options: ControllerOptions;
  #transaction = 0;
  controller: Controller;

  constructor(brokers: readonly number[] = [1], options: Partial<ControllerOptions> = {}) {
    this.options = {
      random: new SeededRandom(7),
      defaults: DEFAULTS,
      topicRules: RULES,
      brokerRules: RULES,
      groupRules: RULES,
      ...options,
    };
    this.controller = this.restart(brokers);
  }

  get image(): MetadataImage {
    return this.controller.image;
  }

  /** All sessions end, a new controller is loaded, the brokers register again. */
  restart(brokers: readonly number[]): Controller {
    this.tree.endSessions();
    const contents = this.contents();
    const { writes, controllership } = claimController(contents, 1, 5);
    this.write([...layoutWrites(contents, 'test-cluster'), ...writes]);
    this.controller = new Controller(this.options, imageFrom(contents, 'test-cluster'), controllership);
    for (const id of brokers) this.register(id);
    return this.controller;
  }

  register(id: number): void {
    const epoch = this.write([registrationWrite(id, ENDPOINTS, null, 5)]);
    expect(this.ask('registerBroker', { id, epoch, endpoints: ENDPOINTS, rack: null })).toEqual({ errorCode: 0 });
  }

  /** The broker's session is over. */
  lose(id: number): void {
    const { epoch } = this.image.brokers.get(id) as { epoch: number };
    this.write([{ kind: 'delete', path: `/brokers/ids/${id}`, version: -1 }]);
    expect(this.ask('fenceBroker', { id, epoch })).toEqual({ errorCode: 0 });
  }

  ask<K extends CallName>(call: K, request: RequestOf<K>): ResponseOf<K> {
    const decision = this.controller.handle(call, request);
    this.carryOut(decision);
    return decision.response;
  }

  carryOut(decision: Decision<unknown>): void {
    this.write(decision.writes);
    this.controller.confirm(decision);
  }

  /** Errors by topic of a createTopics with one or more topics. */
  create(...topics: NewTopic[]): [name: string, error: number][] {
    return this.ask('createTopics', { topics, validateOnly: false }).topics.map((one) => [one.name, one.errorCode]);
  }

  write(writes: readonly StoreWrite[]): number {
    this.#transaction += 1;
    const result = this.tree.multi(writes, this.#transaction, 1);
    if (!result.done) throw new Error(`refused: ${result.conflict}, ${JSON.stringify(writes[result.index])}`);
    return this.#transaction;
  }

  contents(): StoreContents {
    const contents = new Map<string, StoredNode>();
    for (const [path, data, version, created, owner] of this.tree.save()) {
      contents.set(path, { data, version, created, owner });
    }
    return contents;
  }

  json(path: string): unknown {
    const node = this.tree.read(path);
    return node === null ? null : JSON.parse(node.data);
  }
}
