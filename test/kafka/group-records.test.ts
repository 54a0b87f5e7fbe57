/** Records of `__consumer_offsets` that we write, read by Kafka's own formatters and its dump tool. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatUuid } from '../../src/base/uuid.ts';
import { encodeGroupRecord } from '../../src/coordinator/group/record-format.ts';
import type { GroupRecord } from '../../src/coordinator/group/records.ts';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, produce } from '../kit/requests.ts';
import { toolOk } from './tool.ts';

const ID = String.fromCharCode(...Array.from({ length: 16 }, (_, index) => index + 1));
const COMMIT = {
  offset: 42,
  leaderEpoch: 7,
  metadata: 'where we are',
  commitTimestamp: 1_700_000_000_000,
  expireTimestamp: -1,
  topicId: ID,
};
const OWNED = [{ topicId: ID, partitions: [0, 3], assignmentEpochs: [5, 6] }];

const RECORDS: readonly GroupRecord[] = [
  { kind: 'offset-commit', group: 'payments', topic: 'orders', partition: 3, value: COMMIT },
  {
    kind: 'offset-commit',
    group: 'payments',
    topic: 'orders',
    partition: 4,
    value: { ...COMMIT, offset: 43, expireTimestamp: 1_700_000_086_400 },
  },
  { kind: 'offset-commit', group: 'payments', topic: 'orders', partition: 5, value: null },
  {
    kind: 'group-metadata',
    group: 'payments',
    value: {
      protocolType: 'consumer',
      generation: 12,
      protocol: 'range',
      leader: 'member-1',
      currentStateTimestamp: 1_700_000_000_001,
      members: [
        {
          memberId: 'member-1',
          groupInstanceId: 'still-1',
          clientId: 'payer',
          clientHost: '/127.0.0.1',
          rebalanceTimeout: 300_000,
          sessionTimeout: 45_000,
          subscription: Uint8Array.of(0, 1, 2),
          assignment: Uint8Array.of(3, 4),
        },
      ],
    },
  },
  { kind: 'group-metadata', group: 'gone', value: null },
  { kind: 'consumer-group-metadata', group: 'modern', value: { epoch: 8, metadataHash: -77n } },
  { kind: 'consumer-group-partition-metadata', group: 'modern', value: null },
  {
    kind: 'consumer-group-member-metadata',
    group: 'modern',
    memberId: 'member-2',
    value: {
      instanceId: null,
      rackId: 'rack-a',
      clientId: 'reader',
      clientHost: '/127.0.0.1',
      subscribedTopicNames: ['orders'],
      subscribedTopicRegex: 'ord.*',
      rebalanceTimeoutMs: 300_000,
      serverAssignor: 'uniform',
      classicMemberMetadata: null,
    },
  },
  {
    kind: 'consumer-group-member-metadata',
    group: 'modern',
    memberId: 'member-3',
    value: {
      instanceId: 'still-3',
      rackId: null,
      clientId: 'classic',
      clientHost: '/127.0.0.1',
      subscribedTopicNames: ['orders'],
      subscribedTopicRegex: null,
      rebalanceTimeoutMs: 300_000,
      serverAssignor: null,
      classicMemberMetadata: {
        sessionTimeoutMs: 45_000,
        supportedProtocols: [{ name: 'range', metadata: Uint8Array.of(0, 1) }],
      },
    },
  },
  {
    kind: 'consumer-group-target-assignment-metadata',
    group: 'modern',
    value: { assignmentEpoch: 8, assignmentTimestamp: 1_700_000_000_002 },
  },
  {
    kind: 'consumer-group-target-assignment-member',
    group: 'modern',
    memberId: 'member-2',
    value: { topicPartitions: [{ topicId: ID, partitions: [0, 3] }] },
  },
  {
    kind: 'consumer-group-current-member-assignment',
    group: 'modern',
    memberId: 'member-2',
    value: {
      memberEpoch: 8,
      previousMemberEpoch: 7,
      state: 1,
      assignedPartitions: OWNED,
      partitionsPendingRevocation: [],
    },
  },
  {
    kind: 'consumer-group-regular-expression',
    group: 'modern',
    regularExpression: 'ord.*',
    value: { topics: ['orders'], version: 33, timestamp: 1_700_000_000_003 },
  },
];

const batch = batchOf(RECORDS.map((record) => ({ timestamp: 1_700_000_000_000, ...encodeGroupRecord(record) })));

const home = new BrokerHome(ONE_THREAD);
const directory = mkdtempSync(join(tmpdir(), 'group-records-'));
let topic: string;
beforeAll(async () => {
  await home.start();
  const client = await RawClient.connect(home.port);
  ({ name: topic } = await createTopic(client));
  await produce(client, topic, batch);
  await client.close();
});
afterAll(async () => {
  await home.end();
  rmSync(directory, { recursive: true });
});

/** A value in Kafka's JSON: ids and bytes are base64. */
function kafkaForm(value: unknown): unknown {
  if (value === ID) return formatUuid(ID);
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(kafkaForm);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, kafkaForm(inner)]));
}

/** What the version of the record does not carry, Kafka's JSON does not have. */
function dataOf({ kind, value }: GroupRecord): unknown {
  if (kind !== 'offset-commit' || value === null) return kafkaForm(value);
  const { expireTimestamp, leaderEpoch, topicId, ...others } = value;
  return kafkaForm(expireTimestamp === -1 ? { ...others, leaderEpoch, topicId } : { ...others, expireTimestamp });
}

function keyOf({ kind, value: _, group, ...others }: GroupRecord): unknown {
  return kind.startsWith('consumer-group') ? { groupId: group, ...others } : { group, ...others };
}

interface Printed {
  readonly key: { readonly data: unknown };
  readonly value: { readonly data: unknown } | null;
}

/** What a formatter of Kafka's prints of all that was written: JSON objects without anything in between. */
async function formatted(formatter: string): Promise<unknown[]> {
  const text = await toolOk('console-consumer', [
    ...['--bootstrap-server', home.address, '--topic', topic, '--partition', '0', '--offset', '0'],
    ...['--max-messages', String(RECORDS.length), '--formatter', `org.apache.kafka.tools.consumer.${formatter}`],
  ]);
  const printed = JSON.parse(`[${text.replaceAll('}{"key"', '},{"key"')}]`) as Printed[];
  return printed.map(({ key, value }) => [key.data, value?.data ?? null]);
}

const expected = (kind: GroupRecord['kind']) =>
  RECORDS.filter((record) => record.kind === kind).map((record) => [keyOf(record), dataOf(record)]);

test('OffsetsMessageFormatter prints the commits', async () => {
  expect(await formatted('OffsetsMessageFormatter')).toEqual(expected('offset-commit'));
});

test('GroupMetadataMessageFormatter prints the groups', async () => {
  expect(await formatted('GroupMetadataMessageFormatter')).toEqual(expected('group-metadata'));
});

test('the dump tool decodes every record', async () => {
  const file = join(directory, '00000000000000000000.log');
  writeFileSync(file, batch);
  const text = await toolOk('dump-log', ['--offsets-decoder', '--files', file]);
  const decoded = Array.from(text.matchAll(/ key: (\{.*\}) payload: (\{.*\}|<DELETE>)$/gm), ([, key, payload]) => [
    JSON.parse(key as string).data,
    payload === '<DELETE>' ? null : JSON.parse(payload as string).data,
  ]);
  expect(decoded).toEqual(RECORDS.map((record) => [keyOf(record), dataOf(record)]));
});
