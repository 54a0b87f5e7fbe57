/** What the members of a group subscribe to, by name and by pattern, held against the topics that there are. */
import type { Uuid } from '../../../base/uuid.ts';
import type { ConsumerGroupRecord } from '../consumer-records.ts';
import { TopicPattern } from '../topic-pattern.ts';
import type { TopicCatalogue } from '../topics.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './member.ts';

export class Subscriptions {
  readonly #topics: TopicCatalogue;
  readonly #patterns = new Map<string, readonly string[]>();
  /** Of patterns that are new, match other topics than before, or are not used any more. */
  readonly records: ConsumerGroupRecord[] = [];

  /** `members` are those that the group will have. */
  constructor(group: ConsumerGroup, members: Iterable<ConsumerMember>, topics: TopicCatalogue, now: number) {
    this.#topics = topics;
    for (const { subscribedTopicRegex: pattern } of members) {
      if (pattern === null || pattern === '' || this.#patterns.has(pattern)) continue;
      const known = group.patterns.get(pattern);
      // The version that the log has may be of another life of the broker.
      const isNew = known === undefined || group.comparedAt !== topics.version;
      const names = isNew ? resolved(pattern, topics) : known.topics;
      this.#patterns.set(pattern, names);
      if (known !== undefined && isSame(known.topics, names)) continue;
      const value = { topics: names, version: topics.version, timestamp: now };
      this.records.push({
        kind: 'consumer-group-regular-expression',
        group: group.id,
        regularExpression: pattern,
        value,
      });
    }
    for (const pattern of group.patterns.keys()) {
      if (this.#patterns.has(pattern)) continue;
      const kind = 'consumer-group-regular-expression';
      this.records.push({ kind, group: group.id, regularExpression: pattern, value: null });
    }
  }

  /** The topics that exist of those that the member subscribes to. */
  topicIdsOf({ subscribedTopicNames, subscribedTopicRegex }: ConsumerMember): Set<Uuid> {
    const ids = new Set<Uuid>();
    const byPattern = subscribedTopicRegex === null ? [] : (this.#patterns.get(subscribedTopicRegex) ?? []);
    for (const names of [subscribedTopicNames, byPattern]) {
      for (const name of names) {
        const id = this.#topics.idOf(name);
        if (id !== null) ids.add(id);
      }
    }
    return ids;
  }

  /** The same for the same topics with as many partitions; 64 bits. */
  hashOf(topicIds: ReadonlySet<Uuid>): bigint {
    const parts = Array.from(topicIds, (id) => `${id}${this.#topics.partitionsOf(id)};`).sort();
    return parts.length === 0 ? 0n : fingerprint(parts.join(''));
  }
}

function resolved(pattern: string, topics: TopicCatalogue): readonly string[] {
  const compiled = TopicPattern.compile(pattern);
  // Refused when it is said first; one that the log has all the same matches nothing.
  return compiled instanceof TopicPattern ? compiled.of(topics.names()) : [];
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name, at) => name === right[at]);
}

const FNV_PRIME = 0x01000193;

/** Two FNV-1a of 32 bits with different beginnings. */
function fingerprint(text: string): bigint {
  let low = 0x811c9dc5;
  let high = 0x2b992ddf;
  for (let at = 0; at < text.length; at++) {
    low = Math.imul(low ^ text.charCodeAt(at), FNV_PRIME);
    high = Math.imul(high ^ (text.charCodeAt(at) + at), FNV_PRIME);
  }
  return BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}
