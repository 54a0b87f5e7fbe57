/**
 * Writes `clients.jsonl`: for each client, API and version the smallest request that the client itself sent. Runs real clients
 * against a broker behind a wire tap. Needs kcat, a JDK (see scripts/kafka-jars.mjs) and librdkafka's module
 * (scripts/librdkafka.mjs):
 *
 *   node test/wire/golden/capture.ts
 */
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import {
  Admin as PlatformaticAdmin,
  Consumer as PlatformaticConsumer,
  Producer as PlatformaticProducer,
  stringSerializers,
} from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { memoryOver } from '../../../src/base/memory.ts';
import { startBroker } from '../../../src/broker.ts';
import { requestReader } from '../../../src/wire/compiler.ts';
import { RequestHeader, readRequestHeader } from '../../../src/wire/headers.ts';
import { apiByKey } from '../../../src/wire/messages/all.ts';
import { Reader } from '../../../src/wire/reader.ts';
import { type Api, isServed } from '../../../src/wire/schema.ts';
import { type ToolName, tool } from '../../kafka/tool.ts';
import { kcat } from '../../kit/kcat.ts';
import { Admin as RdAdmin, Consumer as RdConsumer, Producer as RdProducer, VERSION } from '../../librdkafka/client.ts';

const BYTES_MAX = 4096;
const found = new Map<string, { client: string; api: string; version: number; behind: number; hex: string }>();
let client = '';

function tapped(frame: Buffer): void {
  const api = apiByKey(frame.readInt16BE(0));
  const version = frame.readInt16BE(2);
  if (api === null || frame.length > BYTES_MAX || !isServed(api, version)) return;
  const behind = bytesBehind(api, version, frame);
  const key = `${api.key.toString().padStart(3)} ${client} ${version} ${behind}`;
  const hex = frame.toString('hex');
  const known = found.get(key);
  if (known === undefined || hex.length < known.hex.length)
    found.set(key, { client, api: api.name, version, behind, hex });
}

/** What a client sends behind what the version has. */
function bytesBehind(api: Api, version: number, frame: Buffer): number {
  const reader = new Reader();
  reader.reset(memoryOver(new Uint8Array(frame)), 0, frame.length);
  readRequestHeader(reader, new RequestHeader());
  requestReader(api, version)(reader);
  return frame.length - reader.offset;
}

/** Cuts what passes from clients to the broker into frames. */
function tap(port: () => number): Server {
  return createServer((from) => {
    const to = connect(port(), '127.0.0.1');
    let left = Buffer.alloc(0);
    from.on('data', (chunk) => {
      left = Buffer.concat([left, chunk]);
      while (left.length >= 4 && left.length >= 4 + left.readInt32BE(0)) {
        const end = 4 + left.readInt32BE(0);
        tapped(left.subarray(4, end));
        left = left.subarray(end);
      }
    });
    from.pipe(to).pipe(from);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => other.destroy());
    }
  });
}

let port = 0;
const server = tap(() => port);
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
const broker = await startBroker({ settings: { 'advertised.listeners': `PLAINTEXT://${address}` } });
port = broker.port;

/** One step of one client: what it refuses is said and does not stop the others. */
async function step(what: string, work: () => Promise<unknown>): Promise<void> {
  await Promise.race([work(), pause(20_000).then(() => Promise.reject(new Error('took too long')))]).catch(
    (problem: Error) => process.stderr.write(`${client}: ${what}: ${problem.message.split('\n')[0]}\n`),
  );
}

client = 'kcat';
await step('produce', () => kcat(['-P', '-b', address, '-t', 'kcat', '-K', ':'], 'a:1\nb:2\n'));
await step('consume', () => kcat(['-C', '-b', address, '-t', 'kcat', '-p', '0', '-o', 'beginning', '-e']));
await step('query', () => kcat(['-Q', '-b', address, '-t', 'kcat:0:1']));
await step('list', () => kcat(['-L', '-b', address]));
await step('idempotent', () => kcat(['-P', '-b', address, '-t', 'kcat', '-X', 'enable.idempotence=true'], 'c\n'));

const group = ['-b', address, '-G', 'kcats', '-X', 'auto.offset.reset=earliest', '-X', 'group.instance.id=kcat-1'];
await step('group', () => kcat([...group, '-e', 'kcat']));

client = `librdkafka ${VERSION}`;
await step('all', async () => {
  const admin = new RdAdmin(address);
  await admin.createTopic('rd', 1);
  const producer = await RdProducer.connect(address, { 'enable.idempotence': true });
  producer.send('rd', 'one', { partition: 0 });
  await producer.flush();
  await producer.close();
  const consumer = await RdConsumer.connect(address);
  await consumer.read('rd', 0, 0, 1);
  await consumer.watermarks('rd', 0);
  await consumer.offsetForTime('rd', 0, 1);
  await consumer.close();
  await admin.createPartitions('rd', 2);
  await admin.deleteRecords('rd', 0, 1);
  await admin.deleteTopic('rd');
  admin.close();
});

client = 'kafkajs 2.2.4';
const kafka = new Kafka({ clientId: 'kafkajs', brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
const admin = kafka.admin();
await admin.connect();
await step('create', () => admin.createTopics({ topics: [{ topic: 'js' }] }));
await step('grow', () => admin.createPartitions({ topicPartitions: [{ topic: 'js', count: 2 }] }));
await step('produce', async () => {
  const producer = kafka.producer({ idempotent: true, retry: { retries: 1 } });
  await producer.connect();
  await producer.send({ topic: 'js', messages: [{ value: 'one' }] });
  await producer.disconnect();
});
await step('offsets', () => admin.fetchTopicOffsets('js'));
await step('describe', () =>
  admin.describeConfigs({ includeSynonyms: true, resources: [{ type: 2, name: 'js', configNames: [] }] }),
);
await step('alter', () =>
  admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: 'js', configEntries: [{ name: 'retention.ms', value: '1000' }] }],
  }),
);
await step('cluster', () => admin.describeCluster());
await step('records', () => admin.deleteTopicRecords({ topic: 'js', partitions: [{ partition: 0, offset: '0' }] }));
await step('group', async () => {
  const consumer = kafka.consumer({ groupId: 'js' });
  await consumer.connect();
  await consumer.subscribe({ topics: ['js'], fromBeginning: true });
  await consumer.run({ eachMessage: async () => {} });
  await pause(1_000);
  await admin.describeGroups(['js']);
  await consumer.commitOffsets([{ topic: 'js', partition: 0, offset: '1' }]);
  await consumer.disconnect();
});
await step('groups', () => admin.listGroups());
await step('group offsets', () => admin.fetchOffsets({ groupId: 'js', topics: ['js'] }));
await step('delete group', () => admin.deleteGroups(['js']));
await step('delete', () => admin.deleteTopics({ topics: ['js'] }));
await admin.disconnect();

client = '@platformatic/kafka 2.12.1';
const base = { clientId: 'platformatic', bootstrapBrokers: [address], retries: 0 };
const platformatic = new PlatformaticAdmin(base);
let topicId = '';
await step('create', async () => {
  const [created] = await platformatic.createTopics({ topics: ['pl'], partitions: 1, replicas: 1 });
  topicId = created?.id ?? '';
});
await step('grow', () => platformatic.createPartitions({ topics: [{ name: 'pl', count: 2, assignments: null }] }));
await step('produce', async () => {
  const producer = new PlatformaticProducer({ ...base, serializers: stringSerializers, idempotent: true });
  await producer.send({ messages: [{ topic: 'pl', key: 'k', value: 'v' }] });
  await producer.close();
});
await step('fetch', async () => {
  const consumer = new PlatformaticConsumer({ ...base, groupId: 'none', maxWaitTime: 10 });
  consumer.topics.track('pl');
  const partition = { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, lastFetchedEpoch: -1 };
  await consumer.fetch({
    node: 0,
    topics: [{ topicId, partitions: [{ ...partition, partitionMaxBytes: 1000 }] }],
  });
  await consumer.close();
});
await step('offsets', () =>
  platformatic.listOffsets({ topics: [{ name: 'pl', partitions: [{ partitionIndex: 0, timestamp: -1n }] }] }),
);
const resource = { resourceType: 2, resourceName: 'pl' } as const;
await step('describe', () => platformatic.describeConfigs({ resources: [{ ...resource, configurationKeys: null }] }));
await step('alter', () =>
  platformatic.alterConfigs({ resources: [{ ...resource, configs: [{ name: 'retention.ms', value: '1000' }] }] }),
);
await step('alter one', () =>
  platformatic.incrementalAlterConfigs({
    resources: [{ ...resource, configs: [{ name: 'retention.ms', configOperation: 0, value: '1000' }] }],
  }),
);
await step('directories', () => platformatic.describeLogDirs({ topics: [{ name: 'pl', partitions: [0] }] }));
await step('records', () =>
  platformatic.deleteRecords({ topics: [{ name: 'pl', partitions: [{ partition: 0, offset: 0n }] }] }),
);
await step('group', async () => {
  const consumer = new PlatformaticConsumer({ ...base, groupId: 'pl', maxWaitTime: 10 });
  const stream = await consumer.consume({ topics: ['pl'], mode: 'earliest' });
  await consumer.commit({ offsets: [{ topic: 'pl', partition: 0, offset: 1n, leaderEpoch: 0 }] });
  await platformatic.describeGroups({ groups: ['pl'] });
  await stream.close();
  await consumer.close();
});
await step('consumer protocol', async () => {
  const consumer = new PlatformaticConsumer({ ...base, groupId: 'plc', groupProtocol: 'consumer', maxWaitTime: 10 });
  const stream = await consumer.consume({ topics: ['pl'], mode: 'earliest' });
  await stream.close();
  await consumer.close();
});
await step('groups', () => platformatic.listGroups());
await step('delete group', () => platformatic.deleteGroups({ groups: ['pl'] }));
await step('delete', () => platformatic.deleteTopics({ topics: ['pl'] }));
await platformatic.close();

client = 'Java 4.3.0';
const run = (name: ToolName, ...words: string[]) =>
  step(`${name} ${words[0] ?? ''}`, () => tool(name, ['--bootstrap-server', address, ...words]));
await run('topics', '--create', '--topic', 'ja', '--partitions', '1');
await run('topics', '--describe', '--topic', 'ja');
await run('topics', '--alter', '--topic', 'ja', '--partitions', '2');
await run('verifiable-producer', '--topic', 'ja', '--max-messages', '3');
await run('console-consumer', '--topic', 'ja', '--partition', '0', '--offset', '0', '--timeout-ms', '1000');
await run('get-offsets', '--topic', 'ja', '--time', '-3');
await run('configs', '--describe', '--entity-type', 'topics', '--entity-name', 'ja', '--all');
await run('configs', '--alter', '--entity-type', 'topics', '--entity-name', 'ja', '--add-config', 'retention.ms=1000');
await run('log-dirs', '--describe', '--topic-list', 'ja');
await run('cluster', 'cluster-id');
await run('transactions', 'describe-producers', '--topic', 'ja', '--partition', '0');
const classic = ['--consumer-property', 'group.protocol=classic', '--consumer-property', 'heartbeat.interval.ms=300'];
await run('console-consumer', '--topic', 'ja', '--group', 'ja', '--from-beginning', '--timeout-ms', '3000', ...classic);
const consumer = ['--command-property', 'group.protocol=consumer'];
await run('console-consumer', '--topic', 'ja', '--group', 'jac', '--timeout-ms', '3000', ...consumer);
await run('consumer-groups', '--describe', '--group', 'jac', '--members');
await run('groups', '--list');
await run('consumer-groups', '--describe', '--group', 'ja');
await run('consumer-groups', '--describe', '--group', 'ja', '--members', '--verbose');
await run('consumer-groups', '--reset-offsets', '--group', 'ja', '--topic', 'ja', '--to-earliest', '--execute');
await run('consumer-groups', '--delete-offsets', '--group', 'ja', '--topic', 'ja');
await run('consumer-groups', '--delete', '--group', 'ja');
await run('topics', '--delete', '--topic', 'ja');

await broker.close();
server.close();
const lines = Array.from(found.entries()).toSorted(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(new URL('clients.jsonl', import.meta.url), lines.map(([, line]) => `${JSON.stringify(line)}\n`).join(''));
process.stdout.write(`${lines.length} requests\n`);
process.exit(0);
