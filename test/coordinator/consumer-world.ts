/**
 * A group of the consumer protocol with its log and clients that do what the protocol asks of them, step by step and without
 * clock or network. Every record goes to the log as bytes and comes from there.
 */
import { type Uuid, uuidOfBytes } from '../../src/base/uuid.ts';
import { RANGE } from '../../src/coordinator/group/assignors/range.ts';
import { UNIFORM } from '../../src/coordinator/group/assignors/uniform.ts';
import { ConsumerGroup } from '../../src/coordinator/group/consumer/consumer-group.ts';
import { consumerHeartbeat } from '../../src/coordinator/group/consumer/heartbeat.ts';
import { removal } from '../../src/coordinator/group/consumer/leaving.ts';
import type {
  ConsumerWorld,
  HeartbeatRequest,
  HeartbeatResponse,
  Refusal,
} from '../../src/coordinator/group/consumer/world.ts';
import type { ConsumerGroupRecord } from '../../src/coordinator/group/consumer-records.ts';
import { decodeGroupRecord, type EncodedRecord, encodeGroupRecord } from '../../src/coordinator/group/record-format.ts';
import type { TopicCatalogue, Topics } from '../../src/coordinator/group/topics.ts';

export const GROUP = 'g';

type NamedTopics = Pick<Topics, 'names' | 'idOf' | 'nameOf'>;

export class Catalogue implements TopicCatalogue {
  readonly #topics = new Map<string, { id: Uuid; partitions: number }>();
  version = 1;

  set(name: string, partitions: number): void {
    const bytes = new Uint8Array(16).fill(this.#topics.size + 1);
    this.#topics.set(name, { id: this.#topics.get(name)?.id ?? uuidOfBytes(bytes), partitions });
    this.version += 1;
  }

  names(): Iterable<string> {
    return this.#topics.keys();
  }

  idOf(name: string): Uuid | null {
    return this.#topics.get(name)?.id ?? null;
  }

  partitionsOf(id: Uuid): number {
    for (const topic of this.#topics.values()) if (topic.id === id) return topic.partitions;
    return 0;
  }

  nameOf(id: Uuid): string {
    for (const [name, topic] of this.#topics) if (topic.id === id) return name;
    throw new Error('no topic has this id');
  }

  /** `orders-0`, of all topics. */
  partitions(): string[] {
    return Array.from(this.#topics, ([name, topic]) =>
      Array.from({ length: topic.partitions }, (_, partition) => `${name}-${partition}`),
    ).flat();
  }
}

export const NOTHING_SAID: HeartbeatRequest = {
  groupId: GROUP,
  memberId: '',
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: null,
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: null,
};

export class World {
  readonly topics = new Catalogue();
  readonly log: EncodedRecord[] = [];
  group = new ConsumerGroup(GROUP);
  membersMax = 1_000;
  /** The next write is refused. */
  logFails = false;
  #ids = 0;

  get #parts(): ConsumerWorld {
    const migration = { upgrades: false, downgrades: false, classicMembersMax: 0 };
    const settings = { membersMax: this.membersMax, heartbeatIntervalMs: 5_000, ...migration };
    return { topics: this.topics, settings, assignors: [UNIFORM, RANGE], now: 1_700_000_000_000 };
  }

  /** Null when the log refused what it came to. */
  heartbeat(request: HeartbeatRequest, version = 1): HeartbeatResponse | Refusal | null {
    const newMemberId = () => `made-${++this.#ids}`;
    const caller = { version, clientId: 'client', clientHost: '/127.0.0.1', newMemberId };
    const outcome = consumerHeartbeat(this.group, request, caller, this.#parts);
    if ('errorCode' in outcome) return outcome;
    return this.#write(outcome.records) ? outcome.response : null;
  }

  /** What happens when a member's session or its time to revoke is over. */
  expire(memberId: string): boolean {
    const member = this.group.members.get(memberId);
    return member === undefined || this.#write(removal(this.group, [member], this.#parts));
  }

  #write(records: readonly ConsumerGroupRecord[]): boolean {
    if (records.length > 0 && this.logFails) {
      this.logFails = false;
      return false;
    }
    for (const record of records) {
      const encoded = encodeGroupRecord(record);
      this.log.push(encoded);
      this.group.apply(record);
    }
    return true;
  }

  /** The group as another coordinator reads it from the log. */
  replayed(): ConsumerGroup {
    const group = new ConsumerGroup(GROUP);
    for (const { key, value } of this.log) group.apply(decodeGroupRecord(key, value) as ConsumerGroupRecord);
    return group;
  }
}

/** What of the group's state is in its log. */
export function stateOf(group: ConsumerGroup): unknown {
  const { members, targets, patterns, epoch, targetEpoch, metadataHash, state } = group;
  return { members, targets, patterns, epoch, targetEpoch, metadataHash, state };
}

/**
 * A consumer as clients are: what it is not assigned any more it goes on to read until it has come to an end with it, and says
 * so only then; what is new it takes after that.
 */
export class SimulatedConsumer {
  readonly instanceId: string | null;
  memberId: string;
  names: readonly string[];
  pattern: string | null;
  epoch = 0;
  rebalanceTimeoutMs = 60_000;
  /** `orders-0`: it reads these. */
  readonly owned = new Set<string>();
  #saysAll = true;
  /** What it is to own, while it still reads what it is not. */
  #wanted: ReadonlySet<string> | null = null;

  constructor(memberId: string, instanceId: string | null, names: readonly string[], pattern: string | null) {
    this.memberId = memberId;
    this.instanceId = instanceId;
    this.names = names;
    this.pattern = pattern;
  }

  subscribe(names: readonly string[], pattern: string | null): void {
    this.names = names;
    this.pattern = pattern;
    this.#saysAll = true;
  }

  request(topics: NamedTopics): HeartbeatRequest {
    const identity = { ...NOTHING_SAID, memberId: this.memberId, memberEpoch: this.epoch, instanceId: this.instanceId };
    if (!this.#saysAll) return identity;
    const topicPartitions = [...topics.names()].flatMap((name) => {
      const partitions = Array.from(this.owned)
        .filter((owned) => owned.startsWith(`${name}-`))
        .map((owned) => Number(owned.slice(name.length + 1)));
      return partitions.length === 0 ? [] : [{ topicId: topics.idOf(name) as Uuid, partitions }];
    });
    return {
      ...identity,
      rebalanceTimeoutMs: this.rebalanceTimeoutMs,
      subscribedTopicNames: [...this.names],
      subscribedTopicRegex: this.pattern ?? '',
      topicPartitions,
    };
  }

  /** No answer came: everything is said again. */
  unanswered(): void {
    this.#saysAll = true;
  }

  answered(response: HeartbeatResponse | Refusal, topics: NamedTopics): void {
    if (!('memberEpoch' in response)) return this.fenced();
    this.#saysAll = false;
    this.epoch = response.memberEpoch;
    if (response.assignment === null) return;
    const assigned = response.assignment?.topicPartitions.flatMap(({ topicId, partitions }) => {
      const name = topics.nameOf(topicId);
      // Nothing can be read of a topic that is gone.
      return name === null ? [] : partitions.map((partition) => `${name}-${partition}`);
    });
    this.#wanted = new Set(assigned);
    for (const partition of this.owned) if (!this.#wanted.has(partition)) return;
    this.revoked();
  }

  /** It has come to an end with what it is to give up. */
  revoked(): void {
    if (this.#wanted === null) return;
    const owned = [...this.owned];
    if (owned.length === this.#wanted.size && owned.every((partition) => this.#wanted?.has(partition))) return;
    this.owned.clear();
    for (const partition of this.#wanted) this.owned.add(partition);
    this.#wanted = null;
    this.#saysAll = true;
  }

  /** It reads nothing more: what it was told before to own is not for it to take up again. */
  gaveUp(): void {
    this.owned.clear();
    this.#wanted = null;
    this.#saysAll = true;
  }

  fenced(): void {
    this.gaveUp();
    this.epoch = 0;
  }
}
