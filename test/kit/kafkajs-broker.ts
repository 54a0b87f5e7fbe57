/** kafkajs without a group: its own connection and its own decoding of one broker's answers, which its consumer stands on. */
import { createRequire } from 'node:module';
import { logLevel } from 'kafkajs';

interface FetchedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

export interface KafkajsBroker {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  fetch(request: {
    readonly replicaId?: number;
    readonly maxWaitTime?: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { partition: number; fetchOffset: string; maxBytes: number }[];
    }[];
  }): Promise<{
    readonly responses: readonly {
      readonly topicName: string;
      readonly partitions: readonly { partition: number; highWatermark: string; messages: readonly FetchedMessage[] }[];
    }[];
  }>;
}

const load = createRequire(import.meta.url);

export function kafkajsBroker(port: number): KafkajsBroker {
  const Broker = load('kafkajs/src/broker');
  const ConnectionPool = load('kafkajs/src/network/connectionPool');
  const socketFactory = load('kafkajs/src/network/socketFactory')();
  const { createLogger } = load('kafkajs/src/loggers');
  const logger = createLogger({ level: logLevel.NOTHING, logCreator: () => () => {} });
  const connectionPool = new ConnectionPool({
    host: '127.0.0.1',
    port,
    logger,
    socketFactory,
    connectionTimeout: 5_000,
    requestTimeout: 10_000,
  });
  return new Broker({ connectionPool, logger });
}

/** Every message of a partition. */
export async function readPartition(broker: KafkajsBroker, topic: string, partition = 0): Promise<FetchedMessage[]> {
  const messages: FetchedMessage[] = [];
  for (;;) {
    const fetchOffset = messages.length === 0 ? '0' : String(BigInt((messages.at(-1) as FetchedMessage).offset) + 1n);
    const topics = [{ topic, partitions: [{ partition, fetchOffset, maxBytes: 1_048_576 }] }];
    const { responses } = await broker.fetch({ maxWaitTime: 10, topics });
    const got = responses.flatMap(({ partitions }) => partitions.flatMap((one) => one.messages));
    // A batch is given whole: what lies before the offset that was asked for is dropped, as the consumer does.
    const fresh = got.filter(({ offset }) => BigInt(offset) >= BigInt(fetchOffset));
    if (fresh.length === 0) return messages;
    messages.push(...fresh);
  }
}
