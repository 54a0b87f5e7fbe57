/** Settings by the admins of kafkajs and @platformatic/kafka: described and changed, of topics and of the broker. */
import { Admin } from '@platformatic/kafka';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { type BrokerHome, inEveryLayout, ONE_THREAD, TWO_BY_ONE } from '../kit/broker.ts';
import { freshTopic } from '../kit/requests.ts';

const TOPIC = 2;
const BROKER = 4;
const SET = 0;
const DELETE = 1;
const APPEND = 2;

type Changes = Parameters<Admin['incrementalAlterConfigs']>[0]['resources'][number]['configs'];

function tests(home: BrokerHome): void {
  describe('kafkajs', () => {
    test('describes and alters a topic and the broker', async () => {
      const kafka = new Kafka({ clientId: 'kafkajs', brokers: [home.address], logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      const name = freshTopic('kafkajs-configs');
      const configEntries = [{ name: 'retention.ms', value: '1000' }];
      await admin.createTopics({ topics: [{ topic: name, configEntries }] });
      const resource = { type: ConfigResourceTypes.TOPIC, name };
      const retention = async () => {
        const resources = [{ ...resource, configNames: ['retention.ms'] }];
        const described = await admin.describeConfigs({ resources, includeSynonyms: true });
        return described.resources[0]?.configEntries.map((entry) => [entry.configValue, entry.configSource]);
      };
      expect(await retention()).toEqual([['1000', 1]]);
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ ...resource, configEntries: [{ name: 'segment.ms', value: '5000' }] }],
      });
      expect(await retention()).toEqual([['604800000', 5]]);
      const wrong = { ...resource, configEntries: [{ name: 'segment.ms', value: 'soon' }] };
      await expect(admin.alterConfigs({ validateOnly: true, resources: [wrong] })).rejects.toMatchObject({
        type: 'INVALID_CONFIG',
      });

      const all = await admin.describeConfigs({
        resources: [{ type: ConfigResourceTypes.BROKER, name: '0' }],
        includeSynonyms: false,
      });
      const entries = new Map(all.resources[0]?.configEntries.map((entry) => [entry.configName, entry]));
      expect(entries.get('message.max.bytes')).toMatchObject({ configValue: '1048588', readOnly: false });
      expect(entries.get('node.id')).toMatchObject({ configValue: '0', readOnly: true });
      await admin.disconnect();
    });
  });

  describe('@platformatic/kafka', () => {
    test('describes and alters a topic and the broker', async () => {
      const admin = new Admin({ clientId: 'platformatic', bootstrapBrokers: [home.address], retries: 0 });
      const resourceName = freshTopic('platformatic-configs');
      await admin.createTopics({ topics: [resourceName], partitions: 1, replicas: 1 });
      const policy = async () => {
        const [described] = await admin.describeConfigs({
          resources: [{ resourceType: TOPIC, resourceName, configurationKeys: ['cleanup.policy'] }],
          includeSynonyms: true,
          includeDocumentation: true,
        });
        return described?.configs.map(({ value, configSource, configType }) => [value, configSource, configType]);
      };
      expect(await policy()).toEqual([['delete', 5, 7]]);
      const alter = (configs: Changes) =>
        admin.incrementalAlterConfigs({
          resources: [{ resourceType: TOPIC, resourceName, configs }],
          validateOnly: false,
        });
      await alter([{ name: 'cleanup.policy', configOperation: APPEND, value: 'compact' }]);
      expect(await policy()).toEqual([['delete,compact', 1, 7]]);
      await alter([{ name: 'cleanup.policy', configOperation: DELETE }]);
      expect(await policy()).toEqual([['delete', 5, 7]]);
      await expect(alter([{ name: 'retention.ms', configOperation: SET, value: 'x' }])).rejects.toThrow();
      await admin.alterConfigs({
        resources: [{ resourceType: TOPIC, resourceName, configs: [{ name: 'cleanup.policy', value: 'compact' }] }],
        validateOnly: false,
      });
      expect(await policy()).toEqual([['compact', 1, 7]]);

      const broker = async (name: string) => {
        const [described] = await admin.describeConfigs({
          resources: [{ resourceType: BROKER, resourceName: '0', configurationKeys: [name] }],
          includeSynonyms: true,
          includeDocumentation: false,
        });
        return described?.configs[0]?.value;
      };
      const forAll = (configs: Changes) =>
        admin.incrementalAlterConfigs({
          resources: [{ resourceType: BROKER, resourceName: '', configs }],
          validateOnly: false,
        });
      await forAll([{ name: 'log.retention.ms', configOperation: SET, value: '86400000' }]);
      expect(await broker('log.retention.ms')).toBe('86400000');
      await forAll([{ name: 'log.retention.ms', configOperation: DELETE }]);
      expect(await broker('log.retention.ms')).toBeNull();
      await admin.close();
    });
  });
}

inEveryLayout('admins', tests, {}, [ONE_THREAD, TWO_BY_ONE]);
