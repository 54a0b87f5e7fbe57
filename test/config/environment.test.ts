import { expect, test } from 'vitest';
import { settingsFromEnvironment } from '../../src/config/environment.ts';

test("variables are read as Kafka's container images read them", () => {
  const found = settingsFromEnvironment({
    PATH: '/bin',
    KAFKA_NUM_PARTITIONS: '3',
    KAFKA_A__B___C_D: 'x',
    KAFKA_HEAP_OPTS: '-Xmx1G',
    KAFKA_LOG4J_ROOT_LOGLEVEL: 'INFO',
    KAFKA_OPTS: '-D',
    KAFKAESQUE: 'no',
    KAFKA_UNSET: undefined,
  });
  expect(found).toEqual([
    { variable: 'KAFKA_A__B___C_D', name: 'a_b-c.d', value: 'x' },
    { variable: 'KAFKA_NUM_PARTITIONS', name: 'num.partitions', value: '3' },
  ]);
});
