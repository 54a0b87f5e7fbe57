/**
 * Runs a script against a shard: lines that start with `>` are commands, `#` are remarks, and what comes out of the shard is
 * written below the command that brought it out. Members go by names; the ids they are given are shown as `a`, `a'`, `a''`.
 * Commands: join, sync, beat, leave, commit, fetch, forget, list, describe, delete, wait, log, reload, unload, expire, drop, set;
 * poll and consumers for members of the consumer protocol (consumer-commands.ts).
 */

import { ZERO_UUID } from '../../src/base/uuid.ts';
import { camelCase } from '../../src/config/setting.ts';
import { NO_BYTES } from '../../src/coordinator/group/classic-member.ts';
import { readAssignment, writeAssignment } from '../../src/coordinator/group/consumer-protocol.ts';
import type * as messages from '../../src/coordinator/group/messages.ts';
import type { GroupRecord } from '../../src/coordinator/group/records.ts';
import { ERROR, type ErrorName, errorName } from '../../src/wire/errors.ts';
import { DescribeGroups } from '../../src/wire/messages/describe-groups.ts';
import { JoinGroup } from '../../src/wire/messages/join-group.ts';
import { LeaveGroup } from '../../src/wire/messages/leave-group.ts';
import { OffsetCommit } from '../../src/wire/messages/offset-commit.ts';
import { OffsetDelete } from '../../src/wire/messages/offset-delete.ts';
import { OffsetFetch } from '../../src/wire/messages/offset-fetch.ts';
import { SyncGroup } from '../../src/wire/messages/sync-group.ts';
import { ConsumerCommands, placesOf, placesText } from './consumer-commands.ts';
import { Words } from './words.ts';
import { bytesOf, caller, expectWritable, subscription, textOf, World } from './world.ts';

interface Member {
  id: string;
  generation: number;
  /** Ids it has had. */
  ids: number;
}

export function runScript(text: string): string {
  const run = new Run();
  return text
    .split('\n')
    .filter((line) => line === '' || line.startsWith('>') || line.startsWith('#'))
    .flatMap((line) => (line.startsWith('>') ? [line, ...run.command(line.slice(1))] : [line]))
    .join('\n');
}

class Run {
  readonly #world = new World();
  readonly #members = new Map<string, Member>();
  /** By group and shown name. */
  readonly #ids = new Map<string, string>();
  readonly #names = new Map<string, string>();
  /** Written when the command is over: a member may be named by an answer that comes after it was spoken of. */
  readonly #out: (() => string)[] = [];
  readonly #consumers = new ConsumerCommands(
    this.#world,
    (line) => this.#out.push(line),
    (id) => this.#shown(id),
  );
  #logHolds = false;

  command(line: string): string[] {
    const words = new Words(line);
    const name = words.next();
    const commands: Record<string, (words: Words) => void> = {
      join: (rest) => this.#join(rest),
      sync: (rest) => this.#sync(rest),
      beat: (rest) => this.#beat(rest),
      leave: (rest) => this.#leave(rest),
      commit: (rest) => this.#commit(rest),
      fetch: (rest) => this.#fetch(rest),
      forget: (rest) => this.#forget(rest),
      list: (rest) => this.#list(rest),
      describe: (rest) => this.#describe(rest),
      poll: (rest) => this.#poll(rest),
      consumers: (rest) => this.#consumers.describe(rest.next()),
      delete: (rest) => this.#delete(rest),
      log: (rest) => this.#log(rest),
      wait: (rest) => this.#world.pass(Number(rest.next())),
      reload: (rest) => this.#world.reload(rest.number('kept', 0)),
      unload: () => this.#world.unload(),
      expire: () => this.#world.shard.expire(this.#world.clock.now()),
      drop: (rest) => this.#drop(rest.next()),
      set: (rest) => this.#set(rest.next(), rest.next()),
    };
    const command = commands[name];
    if (command === undefined) throw new Error(`no command ${name}`);
    command(words);
    words.expectEnd();
    // What is committed may bring forth more.
    for (let round = 0; !this.#logHolds && round < 100 && this.#world.journal.openCount > 0; round++) {
      this.#world.journal.commit(1, (record) => this.#out.push(() => `log: ${this.#recordText(record)}`));
    }
    return this.#out.splice(0).map((shown) => `  ${shown()}`);
  }

  #log(words: Words): void {
    const what = words.next();
    const { journal } = this.#world;
    const error = () => ERROR[words.next() as ErrorName];
    this.#logHolds = what === 'holds';
    if (what === 'loses') journal.lose(error());
    else if (what === 'refuses') journal.refusal = error();
    else if (what === 'commits') journal.refusal = ERROR.NONE;
    else if (what !== 'holds') throw new Error(`the log does not ${what}`);
  }

  #member(group: string, name: string): Member {
    const there = this.#members.get(`${group} ${name}`);
    if (there !== undefined) return there;
    const member = { id: '', generation: -1, ids: 0 };
    this.#members.set(`${group} ${name}`, member);
    return member;
  }

  /** `member=` and `generation=` say it otherwise than the member knows it. */
  #claims(words: Words, group: string, name: string) {
    const member = this.#member(group, name);
    const claimed = words.option('member');
    return {
      memberId: claimed === null ? member.id : (this.#ids.get(`${group} ${claimed}`) ?? claimed),
      generation: words.number('generation', member.generation),
      groupInstanceId: words.option('as'),
    };
  }

  /** The id a member has now, one that it had, or just what is said. */
  #idOf(group: string, name: string): string {
    if (name === '-') return '';
    return this.#members.get(`${group} ${name}`)?.id ?? this.#ids.get(`${group} ${name}`) ?? name;
  }

  #shown(id: string): string {
    if (id === '') return '-';
    return this.#names.get(id) ?? id.replace(/-[0-9a-f]{8}-[0-9a-f-]{27}$/, '-?');
  }

  #isGiven(group: string, name: string, id: string, generation: number): void {
    const member = this.#member(group, name);
    member.id = id;
    member.generation = generation;
    if (this.#names.has(id)) return;
    const shown = `${name}${"'".repeat(member.ids)}`;
    this.#names.set(id, shown);
    this.#ids.set(`${group} ${shown}`, id);
    member.ids += 1;
  }

  #join(words: Words): void {
    const groupId = words.next();
    const name = words.next();
    const { memberId, groupInstanceId } = this.#claims(words, groupId, name);
    const protocols = words.option('protocols') ?? 'range:t';
    const request: messages.JoinRequest = {
      groupId: groupId === '-' ? '' : groupId,
      sessionTimeoutMs: words.number('session', 10_000),
      rebalanceTimeoutMs: words.number('rebalance', 60_000),
      memberId,
      groupInstanceId,
      protocolType: words.option('type') ?? 'consumer',
      protocols: protocols === '-' ? [] : protocols.split(',').map(protocolOf),
      reason: null,
    };
    const version = words.number('v', 3);
    this.#world.shard.joinGroup(request, caller(version, name), (body) => {
      expectWritable(JoinGroup, version, body);
      if (body.errorCode === ERROR.NONE || body.errorCode === ERROR.MEMBER_ID_REQUIRED) {
        this.#isGiven(groupId, name, body.memberId, body.generationId);
      }
      this.#out.push(() => this.#joinText(body));
    });
  }

  #joinText(body: messages.JoinResponse): string {
    const who = this.#shown(body.memberId);
    if (body.errorCode !== ERROR.NONE) return `${who} joined: ${errorName(body.errorCode)}`;
    const members = body.members.map(
      (one) => this.#shown(one.memberId) + (one.groupInstanceId === null ? '' : `(${one.groupInstanceId})`),
    );
    const joined = [
      `generation ${body.generationId}`,
      `${body.protocolType}/${body.protocolName}`,
      `leader ${this.#shown(body.leader)}`,
      ...(members.length > 0 ? [`members ${members.join(' ')}`] : []),
      ...(body.skipAssignment ? ['skip assignment'] : []),
    ];
    return `${who} joined: ${joined.join(', ')}`;
  }

  #sync(words: Words): void {
    const groupId = words.next();
    const name = words.next();
    const { generation, ...identity } = this.#claims(words, groupId, name);
    const version = words.number('v', 4);
    const protocolType = words.option('type');
    const protocolName = words.option('protocol');
    const assignments = words.pairs().map(([member, plan]) => ({
      memberId: this.#idOf(groupId, member),
      assignment: plan.startsWith('@') ? writeAssignment(placesOf(plan.slice(1)), NO_BYTES) : bytesOf(plan),
    }));
    const shown = this.#shown(identity.memberId);
    const request = { groupId, ...identity, generationId: generation, protocolType, protocolName, assignments };
    this.#world.shard.syncGroup(request, caller(version), (body) => {
      expectWritable(SyncGroup, version, body);
      const { errorCode, assignment, protocolName: protocol } = body;
      const text = errorCode === ERROR.NONE ? `'${planText(assignment)}' by ${protocol}` : errorName(errorCode);
      this.#out.push(() => `${shown} synced: ${text}`);
    });
  }

  #beat(words: Words): void {
    const groupId = words.next();
    const { generation, ...identity } = this.#claims(words, groupId, words.next());
    const shown = this.#shown(identity.memberId);
    this.#world.shard.heartbeat({ groupId, ...identity, generationId: generation }, caller(4), ({ errorCode }) => {
      this.#out.push(() => `${shown} beat: ${errorName(errorCode)}`);
    });
  }

  #leave(words: Words): void {
    const groupId = words.next();
    const version = words.number('v', 5);
    const members = words.rest().map((word) => {
      const [name = '', instance] = word.split('/');
      return { memberId: this.#idOf(groupId, name), groupInstanceId: instance ?? null, reason: null };
    });
    const request = { groupId, memberId: members[0]?.memberId ?? '', members };
    this.#world.shard.leaveGroup(request, caller(version), (body) => {
      expectWritable(LeaveGroup, version, body);
      const told = body.members.map(
        ({ memberId, groupInstanceId, errorCode }) =>
          `${this.#shown(memberId)}${groupInstanceId === null ? '' : `/${groupInstanceId}`} ${errorName(errorCode)}`,
      );
      this.#out.push(() => [`left: ${errorName(body.errorCode)}`, ...told].join(', '));
    });
  }

  #commit(words: Words): void {
    const groupId = words.next();
    const name = words.next();
    const { generation, ...identity } = this.#claims(words, groupId, name);
    const version = words.number('v', 9);
    const metadata = words.option('metadata') ?? '';
    const retentionTimeMs = words.number('retention', -1);
    const shown = this.#shown(identity.memberId);
    const topics = words.pairs().map(([place, offset]) => {
      const [topic = '', partition] = place.split('/');
      const partitionIndex = Number(partition);
      const committed = { partitionIndex, committedOffset: Number(offset), committedLeaderEpoch: 7 };
      return { ...this.#topicOf(topic, version), partitions: [{ ...committed, committedMetadata: metadata }] };
    });
    const request = { groupId, ...identity, generationIdOrMemberEpoch: generation, retentionTimeMs, topics };
    this.#world.shard.offsetCommit(request, caller(version), (body) => {
      expectWritable(OffsetCommit, version, body);
      const told = body.topics.flatMap(({ partitions }, at) =>
        partitions.map((one) => `${this.#nameOf(topics[at])}/${one.partitionIndex} ${errorName(one.errorCode)}`),
      );
      this.#out.push(() => `${shown} committed: ${told.join(', ')}`);
    });
  }

  #topicOf(topic: string, version: number): { name: string; topicId: string } {
    if (version < 10) return { name: topic, topicId: ZERO_UUID };
    return { name: '', topicId: this.#world.topics.idOf(topic) ?? '?'.repeat(16) };
  }

  #nameOf(topic: { name: string; topicId: string } | undefined): string {
    if (topic === undefined) return '?';
    return topic.name === '' ? (this.#world.topics.nameOf(topic.topicId) ?? '?') : topic.name;
  }

  #fetch(words: Words): void {
    const groupId = words.next();
    const version = words.number('v', 9);
    const stable = words.option('stable') === 'yes';
    const places = words.rest();
    const topics = places.map((place) => {
      const [topic = '', partition] = place.split('/');
      return { ...this.#topicOf(topic, version), partitionIndexes: [Number(partition)] };
    });
    const asked = { groupId, memberId: null, memberEpoch: -1, topics: places.includes('all') ? null : topics };
    this.#world.shard.offsetFetch(asked, stable, caller(version), (body) => {
      expectWritable(OffsetFetch, version, { throttleTimeMs: 0, topics: [], errorCode: ERROR.NONE, groups: [body] });
      const told = body.topics.flatMap((topic) =>
        topic.partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode }) => {
          const found = `${committedOffset}${committedLeaderEpoch < 0 ? '' : ` epoch ${committedLeaderEpoch}`}`;
          const text = errorCode === ERROR.NONE ? found : errorName(errorCode);
          return `${this.#nameOf(topic)}/${partitionIndex} ${text}${metadata === '' ? '' : ` "${metadata}"`}`;
        }),
      );
      this.#out.push(() => `fetched: ${[...told, ...(told.length === 0 ? ['nothing'] : [])].join(', ')}`);
    });
  }

  #forget(words: Words): void {
    const groupId = words.next();
    const topics = words.rest().map((place) => {
      const [name = '', partition] = place.split('/');
      return { name, partitions: [{ partitionIndex: Number(partition) }] };
    });
    this.#world.shard.offsetDelete({ groupId, topics }, caller(0), (body) => {
      expectWritable(OffsetDelete, 0, body);
      const told = body.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => `${name}/${partitionIndex} ${errorName(errorCode)}`),
      );
      this.#out.push(() => [`forgot: ${errorName(body.errorCode)}`, ...told].join(', '));
    });
  }

  #list(words: Words): void {
    const states = words.option('states')?.split(',') ?? [];
    const types = words.option('types')?.split(',') ?? [];
    for (const { groupId, protocolType, groupState, groupType } of this.#world.shard.listGroups({ states, types })) {
      this.#out.push(() => `${groupId}: ${groupState} ${groupType} ${protocolType === '' ? '-' : protocolType}`);
    }
    if (this.#out.length === 0) this.#out.push(() => 'no groups');
  }

  #describe(words: Words): void {
    const version = words.number('v', 5);
    const group = this.#world.shard.describeGroup(words.next(), caller(version));
    expectWritable(DescribeGroups, version, { throttleTimeMs: 0, groups: [group] });
    const error = group.errorCode === ERROR.NONE ? '' : ` ${errorName(group.errorCode)} "${group.errorMessage}"`;
    this.#out.push(
      () => `${group.groupId}: ${group.groupState} '${group.protocolType}' '${group.protocolData}'${error}`,
    );
    for (const one of group.members) {
      const instance = one.groupInstanceId === null ? '' : ` as ${one.groupInstanceId}`;
      const said = `${one.memberMetadata.length} bytes, assigned '${textOf(one.memberAssignment)}'`;
      this.#out.push(() => `  ${this.#shown(one.memberId)}${instance} ${one.clientId} ${one.clientHost}: ${said}`);
    }
  }

  #delete(words: Words): void {
    const groupId = words.next();
    this.#world.shard.deleteGroup(groupId, (error) => this.#out.push(() => `deleted: ${errorName(error)}`));
  }

  #drop(topic: string): void {
    this.#world.topics.drop(topic);
    this.#world.shard.topicDeleted(topic);
  }

  #poll(words: Words): void {
    const groupId = words.next();
    const name = words.next();
    const id = this.#idOf(groupId, name);
    if (!this.#names.has(id)) this.#isGiven(groupId, name, id, -1);
    this.#consumers.poll(words, groupId, id);
  }

  #set(name: string, value: string): void {
    const settings: Record<string, unknown> = this.#world.settings;
    const key = camelCase(name);
    if (!(key in settings)) throw new Error(`no setting ${name}`);
    settings[key] = /^\d+$/.test(value) ? Number(value) : value;
  }

  #recordText(record: GroupRecord): string {
    if (record.kind === 'offset-commit') {
      const { group, topic, partition, value } = record;
      const place = `offset ${group} ${topic}/${partition}`;
      return value === null ? `${place} gone` : `${place} = ${value.offset}`;
    }
    if (record.kind !== 'group-metadata') return this.#consumers.recordText(record);
    const { group, value } = record;
    if (value === null) return `group ${group} gone`;
    const members = value.members.map((one) => `${this.#shown(one.memberId)}='${planText(one.assignment)}'`);
    const agreed = `${value.protocolType}/${value.protocol} leader ${this.#shown(value.leader ?? '')}`;
    return [`group ${group} generation ${value.generation} ${agreed}`, ...members].join(' ');
  }
}

/** A plan of real assignments by its partitions, any other by its letters. */
function planText(assignment: Uint8Array): string {
  const read = readAssignment(assignment);
  return read === null ? textOf(assignment) : placesText(read.assignedPartitions);
}

/** `range:t+u` joins with a subscription to t and u, `range:t<t/0+t/1` still owns these, `range=xyz` joins with these bytes. */
function protocolOf(word: string): { name: string; metadata: Uint8Array } {
  const [, name = '', kind, rest = ''] = /^([^:=]*)([:=]?)(.*)$/.exec(word) ?? [];
  return { name, metadata: kind === ':' ? subscribed(rest) : bytesOf(rest) };
}

function subscribed(rest: string): Uint8Array {
  const [topics = '', owned] = rest.split('<');
  return subscription(topics.split('+'), owned === undefined ? null : placesOf(owned));
}
