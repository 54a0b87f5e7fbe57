import { describe, expect, test } from 'vitest';
import { BROKER_SETTINGS } from '../../src/config/broker-table.ts';
import { type DescribedSetting, describeAllBrokers, describeBroker, describeTopic } from '../../src/config/describe.ts';
import { LiveSettings } from '../../src/config/live-settings.ts';
import { parseSettings } from '../../src/config/settings.ts';
import { TOPIC_SETTINGS } from '../../src/config/topic-table.ts';

const map = (values: Record<string, string> = {}) => new Map(Object.entries(values));

function live(given: Record<string, string>, all: Record<string, string> = {}, own: Record<string, string> = {}) {
  const entries = Object.entries(given).map(([name, value]) => ({ name, value, origin: 'environment' as const }));
  const settings = new LiveSettings(parseSettings(entries));
  expect(settings.update(map(all), map(own))).toEqual([]);
  return settings;
}

function one(settings: readonly DescribedSetting[], name: string) {
  const { value, configSource, synonyms } = settings.find((setting) => setting.name === name) as DescribedSetting;
  return [value, configSource, ...synonyms.map((synonym) => `${synonym.name}=${synonym.value}@${synonym.source}`)];
}

describe('a topic', () => {
  test('has every setting, in effect from what is strongest', () => {
    const settings = describeTopic(map(), live({}));
    expect(settings.map(({ name }) => name)).toEqual(TOPIC_SETTINGS.map(({ name }) => name));
    expect(one(settings, 'segment.bytes')).toEqual(['1073741824', 5, 'log.segment.bytes=1073741824@5']);
  });

  test("shows times in its own unit, and what they come from in the broker's", () => {
    const minutes = live({ 'log.retention.minutes': '3', 'log.retention.hours': '5' });
    expect(one(describeTopic(map(), minutes), 'retention.ms')).toEqual([
      '180000',
      4,
      'log.retention.minutes=3@4',
      'log.retention.hours=5@4',
      'log.retention.hours=168@5',
    ]);
    const changed = live({ 'log.retention.minutes': '3' }, { 'log.retention.ms': '7' }, { 'log.retention.ms': '8' });
    expect(one(describeTopic(map({ 'retention.ms': '9' }), changed), 'retention.ms')).toEqual([
      '9',
      1,
      'retention.ms=9@1',
      'log.retention.ms=8@2',
      'log.retention.ms=7@3',
      'log.retention.minutes=3@4',
      'log.retention.hours=168@5',
    ]);
  });

  test("keeps and shows Kafka's settings that do nothing, only where they are set", () => {
    const settings = describeTopic(map({ 'min.cleanable.dirty.ratio': '0.1' }), live({}));
    expect(settings.at(-1)).toMatchObject({
      name: 'min.cleanable.dirty.ratio',
      value: '0.1',
      configSource: 1,
      configType: 6,
    });
    expect(settings).toHaveLength(TOPIC_SETTINGS.length + 1);
  });
});

describe('a broker', () => {
  test('has every setting; those that are read at the start are read-only', () => {
    const settings = describeBroker(live({}), map());
    expect(settings.map(({ name }) => name)).toEqual(BROKER_SETTINGS.map(({ name }) => name));
    const fixed = settings.filter(({ readOnly }) => readOnly).map(({ name }) => name);
    expect(fixed).toEqual(BROKER_SETTINGS.filter(({ change }) => change === 'read-only').map(({ name }) => name));
  });

  test('shows the number that stands behind auto', () => {
    const settings = describeBroker(live({}, {}, { 'num.network.threads': '2' }), map({ 'num.io.threads': '4' }));
    expect(one(settings, 'num.io.threads')).toEqual(['4', 5, 'num.io.threads=auto@5']);
    expect(one(settings, 'num.network.threads')).toEqual([
      '2',
      2,
      'num.network.threads=2@2',
      'num.network.threads=auto@5',
    ]);
  });

  test('a setting is not set by a stronger one in another unit', () => {
    const settings = describeBroker(live({ 'log.retention.minutes': '3' }, { 'log.retention.ms': '7' }), map());
    expect(one(settings, 'log.retention.ms')).toEqual([
      '7',
      3,
      'log.retention.ms=7@3',
      'log.retention.minutes=3@4',
      'log.retention.hours=168@5',
    ]);
    expect(one(settings, 'log.retention.minutes')).toEqual([
      '3',
      4,
      'log.retention.minutes=3@4',
      'log.retention.hours=168@5',
    ]);
    expect(one(settings, 'log.retention.hours')).toEqual(['168', 5, 'log.retention.hours=168@5']);
    expect(one(settings, 'log.roll.ms')).toEqual([null, 5]);
  });
});

test('all brokers have what was changed for all of them', () => {
  const settings = live({ 'max.connections': '1' }, { 'max.connections': '2' }, { 'max.connections': '3' });
  const described = describeAllBrokers(settings);
  expect(described).toHaveLength(1);
  expect(one(described, 'max.connections')).toEqual(['2', 3, 'max.connections=2@3']);
});
