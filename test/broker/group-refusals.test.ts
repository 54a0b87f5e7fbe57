/**
 * Every request of a group, rightly and wrongly asked, against groups in every state, in its lowest and highest versions and
 * where its meaning changes: the codes must be those of Apache Kafka 4.3, whose answers lie in golden/. docs/testing.md says how
 * to ask all of it, and how to have a Kafka write its answers down again.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { errorName } from '../../src/wire/errors.ts';
import { ConsumerGroupDescribe } from '../../src/wire/messages/consumer-group-describe.ts';
import { DeleteGroups } from '../../src/wire/messages/delete-groups.ts';
import { DescribeGroups } from '../../src/wire/messages/describe-groups.ts';
import { FindCoordinator } from '../../src/wire/messages/find-coordinator.ts';
import { ListGroups } from '../../src/wire/messages/list-groups.ts';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { GroupAsking, type NamedTopic } from '../kit/group-asking.ts';
import { coordinated } from '../kit/group-calls.ts';
import { type Beat, GONE, GroupScenes, type Identity, INSTANCE, SCENE_SETTINGS } from '../kit/group-scenes.ts';
import { createTopic } from '../kit/requests.ts';

const OTHER_PORT = process.env.ODRADEK_REFUSALS_PORT;
const FULL = OTHER_PORT !== undefined || process.env.ODRADEK_REFUSALS === 'full';
const TIMEOUT_MS = OTHER_PORT === undefined ? 120_000 : 1_800_000;
const METADATA_MAX = 4096;
const NEVER = Number.POSITIVE_INFINITY;

type Change = (it: Identity) => Identity;
/** What was asked, and what was said to it. */
type Told = readonly [what: string, answer: string];

/** The last one is right, and may change the group. */
const IDENTITIES: readonly (readonly [string, Change])[] = [
  ['stranger', (it) => ({ ...it, id: 'stranger' })],
  ['nobody', (it) => ({ ...it, id: '' })],
  ['older', (it) => ({ ...it, generation: it.generation - 1 })],
  ['later', (it) => ({ ...it, generation: it.generation + 1 })],
  ['none', (it) => ({ ...it, generation: -1 })],
  ['outside', (it) => ({ ...it, id: '', generation: -1, instanceId: null })],
  ['right', (it) => it],
];
const INSTANCES: readonly (readonly [string, Change])[] = [
  ['unknown instance', (it) => ({ ...it, instanceId: 'unknown' })],
  ['its instance', (it) => ({ ...it, instanceId: INSTANCE })],
  ['stranger with its instance', (it) => ({ ...it, id: 'stranger', instanceId: INSTANCE })],
  ['nobody with its instance', (it) => ({ ...it, id: '', instanceId: INSTANCE })],
];

type Section = (to: Inquiry) => Promise<void>;

class Inquiry {
  readonly #scenes: GroupScenes;
  readonly #client: RawClient;
  readonly #topic: NamedTopic;
  readonly #asking: GroupAsking;
  readonly lines: string[] = [];

  constructor(scenes: GroupScenes, topic: NamedTopic) {
    this.#scenes = scenes;
    this.#client = scenes.client;
    this.#topic = topic;
    this.#asking = new GroupAsking(scenes, topic);
  }

  /** What leaves a group as it is, or is all that is asked of it. */
  static lasting(): Section[] {
    return [
      ...[0, 4].map(
        (version): Section =>
          (to) =>
            to.#each('Heartbeat', version, 3, (it) => to.#asking.heartbeat(it, version)),
      ),
      ...[0, 5].map(
        (version): Section =>
          (to) =>
            to.#each('SyncGroup', version, 3, (it) => to.#asking.sync(it, version)),
      ),
      ...[2, 8, 9, 10].map(
        (version): Section =>
          (to) =>
            to.#each('OffsetCommit', version, 7, (it) => to.#asking.commit(it, version)),
      ),
      ...[9, 10].map(
        (version): Section =>
          (to) =>
            to.#each('OffsetFetch', version, NEVER, (it) => to.#asking.fetch(it, version)),
      ),
      ...[0, 3, 4, 9].map(
        (version): Section =>
          (to) =>
            to.#joins(version),
      ),
      (to) => to.#contents(),
      ...[0, 1].map(
        (version): Section =>
          (to) =>
            to.#beats(version),
      ),
      (to) => to.#admin(),
    ];
  }

  /** What takes a member away, or gives it another epoch: each group is asked once. */
  static passing(): Section[] {
    return [
      ...[0, 5].map(
        (version): Section =>
          (to) =>
            to.#each('LeaveGroup', version, 3, (it) => to.#asking.leave(it, version), true),
      ),
      ...[0, 1].map(
        (version): Section =>
          (to) =>
            to.#each('ConsumerGroupHeartbeat', version, 0, (it) => to.#asking.beat(it, {}, version), true),
      ),
    ];
  }

  /** One line for each scene; anew for every question if the answer may be that it is done. */
  async #each(
    api: string,
    version: number,
    instancesSince: number,
    ask: (it: Identity) => Promise<string>,
    isAnew = false,
  ): Promise<void> {
    const hasInstances = version >= instancesSince;
    this.lines.push('', `${api} v${version}`);
    for (const [name, make] of Object.entries(this.#scenes.all)) {
      const told: Told[] = [];
      const isMadeOnce = !isAnew || GONE.has(name);
      let scene = await make();
      const withoutInstance: Change = (it) => (hasInstances ? it : { ...it, instanceId: null });
      for (const [change, changed] of [...(hasInstances ? INSTANCES : []), ...IDENTITIES]) {
        if (!isMadeOnce) scene = await make();
        told.push([change, await ask(withoutInstance(changed(scene)))]);
        if (!isMadeOnce) await this.#scenes.close();
      }
      await this.#scenes.close();
      this.#sayOf(name, told);
    }
  }

  #say(name: string, told: readonly string[]): void {
    this.lines.push(`  ${name}: ${told.join(', ')}`);
  }

  /** By what they are answered; without their names when it is the same for all. */
  #sayOf(name: string, told: readonly Told[]): void {
    const byAnswer = Map.groupBy(told, ([, answer]) => answer);
    const named = Array.from(byAnswer, ([answer, asked]) => `${answer} (${asked.map(([what]) => what).join(', ')})`);
    this.#say(name, byAnswer.size === 1 ? [...byAnswer.keys()] : named);
  }

  /** Only those that are answered at once: nobody else is waited for. */
  async #joins(version: number): Promise<void> {
    this.lines.push('', `JoinGroup v${version}`);
    for (const [name, make] of Object.entries(this.#scenes.all)) {
      const it = await make();
      const plain = { ...it, instanceId: null };
      const ask = (identity: Identity, more = {}) => this.#asking.join(identity, version, more);
      const told: Told[] = [
        ['stranger', await ask({ ...plain, id: 'stranger' })],
        ['no protocol', await ask(plain, { protocols: [] })],
        ['no type', await ask(plain, { protocolType: '' })],
        ['short session', await ask(plain, { sessionTimeoutMs: 99 })],
        ['long session', await ask(plain, { sessionTimeoutMs: 1_800_001 })],
      ];
      const isFull = name !== 'no group' && it.id !== '' && !name.includes('left') && !name.includes('expired');
      if (isFull) {
        told.push(['other type', await ask(plain, { protocolType: 'connect' })]);
        told.push([
          'nothing shared',
          await ask(plain, {
            protocols: this.#scenes.protocols.map(([, metadata]) => ({ name: 'other', metadata })),
          }),
        ]);
        told.push(['stranger of other type', await ask({ ...plain, id: '' }, { protocolType: 'connect' })]);
      }
      if (version >= 5) {
        told.push(['stranger with its instance', await ask({ ...it, id: 'stranger', instanceId: INSTANCE })]);
        told.push(['unknown instance', await ask({ ...it, instanceId: 'unknown' })]);
      }
      await this.#scenes.close();
      this.#sayOf(name, told);
    }
    this.#say('no name', [await this.#asking.join({ group: '', id: '', generation: -1, instanceId: null }, version)]);
  }

  async #contents(): Promise<void> {
    const outside = { group: `contents-${randomUUID()}`, id: '', generation: -1, instanceId: null };
    this.lines.push('', 'what is committed and fetched');
    for (const version of [2, 9, 10]) {
      const told: Told[] = [];
      const ask = async (what: string, more: object, it = outside) => {
        told.push([what, await this.#asking.commit(it, version, more)]);
      };
      await ask('long metadata', { metadata: 'm'.repeat(METADATA_MAX) });
      await ask('longer metadata', { metadata: 'm'.repeat(METADATA_MAX + 1) });
      await ask('no metadata', { metadata: null });
      await ask('no such partition', { partition: 77 });
      await ask('negative partition', { partition: -1 });
      await ask('no such topic', { name: 'unknown', id: 'unknown topic id' });
      await ask('no topic', { name: '', id: ZERO_UUID });
      await ask('illegal topic', { name: 'a/b:c', id: 'illegal topic id' });
      await ask('no group name', {}, { ...outside, group: '' });
      await ask('no such generation', {}, { ...outside, generation: -5 });
      await ask('no such group', {}, { ...outside, group: 'unknown', generation: 4, id: 'member' });
      this.#sayOf(`OffsetCommit v${version}`, told);
    }
    for (const version of [1, 2, 7, 8, 9, 10]) {
      const told: Told[] = [
        ['known', await this.#asking.fetch(outside, version)],
        ['no group name', await this.#asking.fetch({ ...outside, group: '' }, version)],
        ['no such group', await this.#asking.fetch({ ...outside, group: 'unknown' }, version)],
        ['no such topic', await this.#asking.fetch(outside, version, { name: 'unknown', topicId: 'unknown topic id' })],
        ['illegal topic', await this.#asking.fetch(outside, version, { name: 'a/b:c', topicId: ZERO_UUID })],
      ];
      this.#sayOf(`OffsetFetch v${version}`, told);
    }
  }

  async #beats(version: number): Promise<void> {
    this.lines.push('', `what is said in ConsumerGroupHeartbeat v${version}`);
    const joining = (instanceId: string | null = null): Identity => {
      const group = `beats-${randomUUID()}`;
      return { group, id: 'AAAAAAAAAAAAAAAAAAAAAA', generation: 0, instanceId };
    };
    const told: Told[] = [];
    const ask = async (what: string, more: Partial<Beat>, it = joining()) => {
      told.push([what, await this.#asking.beat(it, more, version)]);
    };
    await ask('no group', { groupId: '' });
    await ask('no member', { memberId: '' });
    await ask('no rebalance timeout', { rebalanceTimeoutMs: -1 });
    await ask('rebalance timeout 0', { rebalanceTimeoutMs: 0 });
    await ask('no subscription', { subscribedTopicNames: null });
    await ask('nothing told of what it owns', { topicPartitions: null });
    await ask('owns something', { topicPartitions: [{ topicId: this.#topic.id, partitions: [0] }] });
    await ask('unknown assignor', { serverAssignor: 'sticky' });
    await ask('empty assignor', { serverAssignor: '' });
    await ask('empty rack', { rackId: '' });
    await ask('empty instance', { instanceId: '' });
    await ask('epoch -3', { memberEpoch: -3 });
    await ask('epoch -2 without an instance', { memberEpoch: -2 });
    await ask('epoch -1 in no group', { memberEpoch: -1 });
    await ask('epoch 3 in no group', { memberEpoch: 3 });
    await ask('topic without a name', { subscribedTopicNames: [''] });
    if (version >= 1) {
      await ask('bad pattern', { subscribedTopicNames: null, subscribedTopicRegex: '(' });
      await ask('names and pattern', { subscribedTopicRegex: 'a.*' });
      await ask('empty pattern alone', { subscribedTopicNames: null, subscribedTopicRegex: '' });
    }
    const there = await this.#scenes.all['consumer protocol, static']?.();
    await ask('an instance that is taken', {}, { ...(there as Identity), id: 'BBBBBBBBBBBBBBBBBBBBBB', generation: 0 });
    await ask('owns what it has not', { topicPartitions: [{ topicId: ZERO_UUID, partitions: [9] }] }, there);
    this.#sayOf('joins', told);
  }

  async #admin(): Promise<void> {
    for (const [name, make] of Object.entries(this.#scenes.all)) {
      this.lines.push('', `asked about: ${name}`);
      const { group } = await make();
      for (const version of [0, 5, 6]) {
        const { groups } = await this.#client.call(DescribeGroups, version, {
          groups: [group],
          includeAuthorizedOperations: false,
        });
        this.#say(
          `DescribeGroups v${version}`,
          groups.map(
            (one) =>
              `${errorName(one.errorCode)} ${one.groupState} '${one.protocolType}' '${one.protocolData}' of ${one.members.length}`,
          ),
        );
      }
      for (const version of [0, 1]) {
        const { groups } = await this.#client.call(ConsumerGroupDescribe, version, {
          groupIds: [group],
          includeAuthorizedOperations: false,
        });
        this.#say(
          `ConsumerGroupDescribe v${version}`,
          groups.map((one) => `${errorName(one.errorCode)} ${one.groupState} of ${one.members.length}`),
        );
      }
      this.#say('OffsetDelete v0', [
        await this.#asking.forget(group, this.#topic.name),
        await this.#asking.forget(group, 'unknown'),
      ]);
      for (const version of [0, 2]) {
        const { results } = await this.#client.call(DeleteGroups, version, { groupsNames: [group, group] });
        this.#say(
          `DeleteGroups v${version}`,
          results.map(({ errorCode }) => errorName(errorCode)),
        );
      }
      await this.#scenes.close();
    }
    this.lines.push('', 'asked about what cannot be');
    const describe = { groups: [''], includeAuthorizedOperations: false };
    for (const version of [0, 5, 6]) {
      const { groups } = await this.#client.call(DescribeGroups, version, describe);
      this.#say(
        `DescribeGroups v${version}`,
        groups.map((one) => `${errorName(one.errorCode)} ${one.groupState}`),
      );
    }
    const consumer = await this.#client.call(ConsumerGroupDescribe, 1, {
      groupIds: [''],
      includeAuthorizedOperations: false,
    });
    this.#say(
      'ConsumerGroupDescribe v1',
      consumer.groups.map(({ errorCode }) => errorName(errorCode)),
    );
    const { results } = await this.#client.call(DeleteGroups, 2, { groupsNames: ['', 'unknown'] });
    this.#say(
      'DeleteGroups v2',
      results.map(({ errorCode }) => errorName(errorCode)),
    );
    this.#say('OffsetDelete v0', [await this.#asking.forget('', this.#topic.name)]);
    const filters: readonly (readonly [number, string[], string[]])[] = [
      [4, ['nonsense'], []],
      [5, ['nonsense'], []],
      [5, [], ['nonsense']],
      [5, [], ['share', 'nonsense']],
    ];
    for (const [version, statesFilter, typesFilter] of filters) {
      const { errorCode, groups } = await this.#client.call(ListGroups, version, { statesFilter, typesFilter });
      this.#say(`ListGroups v${version} ${statesFilter} ${typesFilter}`, [`${errorName(errorCode)} ${groups.length}`]);
    }
    for (const [version, keyType] of [
      [0, 0],
      [3, 0],
      [3, 9],
      [4, 9],
      [6, 9],
      [6, 0],
    ] as const) {
      const { errorCode, coordinators } = await this.#client.call(FindCoordinator, version, {
        key: '',
        keyType,
        coordinatorKeys: version < 4 ? [] : [''],
      });
      this.#say(
        `FindCoordinator v${version} of type ${keyType}`,
        version < 4 ? [errorName(errorCode)] : coordinators.map((one) => errorName(one.errorCode)),
      );
    }
  }
}

/** All at once, each on a connection and with groups of its own. */
async function inquire(port: number, sections: readonly Section[]): Promise<string> {
  const client = await RawClient.connect(port);
  const topic = await createTopic(client, { name: `refusals-${randomUUID()}` });
  await coordinated(client, 'the first');
  await client.close();
  const answers = sections.map(async (section) => {
    const asking = await RawClient.connect(port);
    const inquiry = new Inquiry(new GroupScenes(asking, port, topic.name), topic);
    await section(inquiry);
    await asking.close();
    return inquiry.lines;
  });
  return `${(await Promise.all(answers)).flat().join('\n').trim()}\n`;
}

const PAGES: readonly (readonly [string, readonly Section[]])[] = [
  ['group-refusals.txt', Inquiry.lasting()],
  ...(FULL ? [['group-refusals-passing.txt', Inquiry.passing()] as const] : []),
];

test.each(PAGES)(
  'what a group refuses, and how, is what Kafka says: %s',
  { timeout: TIMEOUT_MS },
  async (page, asked) => {
    if (OTHER_PORT !== undefined) {
      await expect(await inquire(Number(OTHER_PORT), asked)).toMatchFileSnapshot(`golden/${page}`);
      return;
    }
    const home = new BrokerHome(ONE_THREAD, { settings: SCENE_SETTINGS });
    await home.start();
    await expect(await inquire(home.port, asked)).toMatchFileSnapshot(`golden/${page}`);
    await home.end();
  },
);
