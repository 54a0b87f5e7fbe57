/** What the compiled codec costs per message of the hot APIs, beside a Produce request read by hand and one read by walking the table. */
import { ZERO_UUID } from '../src/base/uuid.ts';
import { requestReader, requestWriter, responseReader, responseWriter } from '../src/wire/compiler.ts';
import { Fetch } from '../src/wire/messages/fetch.ts';
import { Metadata, OPERATIONS_NOT_ASKED } from '../src/wire/messages/metadata.ts';
import { Produce } from '../src/wire/messages/produce.ts';
import { Reader } from '../src/wire/reader.ts';
import type { RequestInput, ResponseInput } from '../src/wire/schema.ts';
import { Writer } from '../src/wire/writer.ts';
import { interpret } from './kit/interpreted.ts';
import { type Suite, type Timed, timedSync } from './kit/suite.ts';

const LOOP = 1000;
const PRODUCE_VERSION = 9;
const FLEXIBLE_9 = { version: PRODUCE_VERSION, flexible: true };
const FETCH_VERSION = 12;
const METADATA_VERSION = 12;
const TOPICS = 100;

const produceRequest: RequestInput<typeof Produce> = {
  transactionalId: null,
  acks: 1,
  timeoutMs: 30_000,
  topicData: [{ name: 'orders', topicId: ZERO_UUID, partitionData: [{ index: 0, records: new Uint8Array(1024) }] }],
};

const partitionResponse = {
  index: 0,
  errorCode: 0,
  baseOffset: 123_456_789,
  logAppendTimeMs: -1,
  logStartOffset: 0,
  recordErrors: [],
  errorMessage: null,
};
const produceResponse: ResponseInput<typeof Produce> = {
  responses: [{ name: 'orders', topicId: ZERO_UUID, partitionResponses: [partitionResponse] }],
  throttleTimeMs: 0,
};

const fetchPartition = {
  partition: 0,
  currentLeaderEpoch: 0,
  fetchOffset: 123_456_789,
  lastFetchedEpoch: -1,
  logStartOffset: -1,
  partitionMaxBytes: 1 << 20,
};
const fetchRequest: RequestInput<typeof Fetch> = {
  replicaId: -1,
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 50 << 20,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  topics: [{ topic: 'orders', topicId: ZERO_UUID, partitions: [fetchPartition] }],
  forgottenTopicsData: [],
  rackId: '',
};

const fetchedPartition = {
  partitionIndex: 0,
  errorCode: 0,
  highWatermark: 123_556_789,
  lastStableOffset: 123_556_789,
  logStartOffset: 0,
  abortedTransactions: null,
  preferredReadReplica: -1,
  records: { length: 1 << 20 },
};
const fetchResponse: ResponseInput<typeof Fetch> = {
  throttleTimeMs: 0,
  errorCode: 0,
  sessionId: 0,
  responses: [{ topic: 'orders', topicId: ZERO_UUID, partitions: [fetchedPartition] }],
};

const metadataResponse: ResponseInput<typeof Metadata> = {
  throttleTimeMs: 0,
  brokers: [{ nodeId: 1, host: 'localhost', port: 9092, rack: null }],
  clusterId: 'a-cluster',
  controllerId: 1,
  topics: Array.from({ length: TOPICS }, (_, number) => ({
    errorCode: 0,
    name: `topic-${number}`,
    topicId: String.fromCharCode(number).repeat(16),
    isInternal: false,
    partitions: [
      {
        errorCode: 0,
        partitionIndex: 0,
        leaderId: 1,
        leaderEpoch: 0,
        replicaNodes: [1],
        isrNodes: [1],
        offlineReplicas: [],
      },
    ],
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
  })),
  clusterAuthorizedOperations: OPERATIONS_NOT_ASKED,
  errorCode: 0,
};

/** Produce v9 with one topic and one partition, as somebody would write it who knows only this version. */
function produceByHand(r: Reader): unknown {
  const transactionalId = r.compactNullableString('transactionalId');
  const acks = r.int16('acks');
  const timeoutMs = r.int32('timeoutMs');
  const topicData = [];
  for (let topics = r.compactCount(3, 'topics'); topics > 0; topics--) {
    const name = r.compactString('name');
    const partitionData = [];
    for (let partitions = r.compactCount(6, 'partitions'); partitions > 0; partitions--) {
      const index = r.int32('index');
      const size = r.compactByteLength('records');
      partitionData.push({ index, records: size < 0 ? null : r.place(size, 'records') });
      r.skipTags('partition');
    }
    r.skipTags('topic');
    topicData.push({ name, topicId: ZERO_UUID, partitionData });
  }
  r.skipTags('request');
  r.expectEnd('request');
  return { transactionalId, acks, timeoutMs, topicData };
}

/** Reads again and again what `write` has written. */
function reading(name: string, write: (writer: Writer) => void, read: (reader: Reader) => unknown): Timed {
  const writer = new Writer();
  writer.reset();
  write(writer);
  const { memory, offset: end } = writer;
  const reader = new Reader();
  return {
    name,
    operations: LOOP,
    run() {
      let last: unknown;
      for (let i = 0; i < LOOP; i++) {
        reader.reset(memory, 0, end);
        last = read(reader);
      }
      return last;
    },
  };
}

function writing(name: string, write: (writer: Writer) => void): Timed {
  const writer = new Writer();
  return {
    name,
    operations: LOOP,
    run() {
      for (let i = 0; i < LOOP; i++) {
        writer.reset();
        write(writer);
      }
      return writer.totalBytes;
    },
  };
}

export const suite: Suite = {
  question: 'one message through the compiled codec, beside one read by hand and one interpreted',
  async run(options) {
    const writeProduce = requestWriter(Produce, PRODUCE_VERSION);
    const writeFetch = requestWriter(Fetch, FETCH_VERSION);
    const answerProduce = responseWriter(Produce, PRODUCE_VERSION);
    const answerFetch = responseWriter(Fetch, FETCH_VERSION);
    const answerMetadata = responseWriter(Metadata, METADATA_VERSION);
    const produce = (writer: Writer): void => writeProduce(writer, produceRequest);
    return timedSync(
      [
        reading('Produce request, read', produce, requestReader(Produce, PRODUCE_VERSION)),
        reading('Produce request, read by hand', produce, produceByHand),
        reading('Produce request, interpreted', produce, (reader) => interpret(Produce.request, FLEXIBLE_9, reader)),
        writing('Produce answer, written', (writer) => answerProduce(writer, produceResponse)),
        reading(
          'Fetch request, read',
          (writer) => writeFetch(writer, fetchRequest),
          requestReader(Fetch, FETCH_VERSION),
        ),
        writing('Fetch answer, written', (writer) => answerFetch(writer, fetchResponse)),
        writing(`Metadata answer of ${TOPICS} topics, written`, (writer) => answerMetadata(writer, metadataResponse)),
        reading(
          `Metadata answer of ${TOPICS} topics, read`,
          (writer) => answerMetadata(writer, metadataResponse),
          responseReader(Metadata, METADATA_VERSION),
        ),
      ],
      options,
    );
  },
};
