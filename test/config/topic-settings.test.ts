import { describe, expect, test } from 'vitest';
import type { Settings } from '../../src/config/broker-table.ts';
import { parseSettings } from '../../src/config/settings.ts';
import { topicConfig } from '../../src/config/topic-settings.ts';
import { FALLBACKS, TOPIC_SETTINGS } from '../../src/config/topic-table.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';

function broker(values: Record<string, string> = {}): Settings {
  return parseSettings(Object.entries(values).map(([name, value]) => ({ name, value, origin: 'file' }))).settings;
}

function topic(overrides: Record<string, string | null>, settings = broker()) {
  return topicConfig(Object.entries(overrides), settings);
}

describe('topic settings', () => {
  test("with nothing said they are Kafka's defaults", () => {
    const { settings, log, errors } = topic({});
    expect(errors).toEqual([]);
    expect(log).toEqual(DEFAULT_LOG_CONFIG);
    for (const setting of TOPIC_SETTINGS) {
      expect(settings, setting.name).toHaveProperty(
        [setting.name.replace(/\.(.)/g, (_, c) => c.toUpperCase())],
        setting.default,
      );
    }
  });

  test('the broker says what the topic does not', () => {
    const settings = broker({
      'log.segment.bytes': '2097152',
      'log.message.timestamp.type': 'LogAppendTime',
      'log.cleanup.policy': 'compact,delete',
    });
    expect(topic({}, settings).log).toMatchObject({
      segmentBytes: 2_097_152,
      timestampType: 'LogAppendTime',
      cleanupPolicy: 'compact,delete',
    });
    expect(topic({ 'segment.bytes': '1048576', 'cleanup.policy': null }, settings).log).toMatchObject({
      segmentBytes: 1_048_576,
      cleanupPolicy: 'compact,delete',
    });
  });

  test('milliseconds before minutes before hours', () => {
    expect(topic({}, broker({ 'log.retention.hours': '2' })).log.retentionMs).toBe(7_200_000);
    expect(topic({}, broker({ 'log.retention.hours': '2', 'log.retention.minutes': '3' })).log.retentionMs).toBe(
      180_000,
    );
    expect(topic({}, broker({ 'log.retention.minutes': '3', 'log.retention.ms': '5' })).log.retentionMs).toBe(5);
    expect(topic({}, broker({ 'log.retention.hours': '-1' })).log.retentionMs).toBe(-1);
    expect(topic({}, broker({ 'log.roll.hours': '1', 'log.roll.jitter.hours': '1' })).log).toMatchObject({
      segmentMs: 3_600_000,
      segmentJitterMs: 3_600_000,
    });
  });

  test('every fallback is a setting of the broker', () => {
    const names = new Set(parseSettings([]).origins.keys());
    for (const { name } of TOPIC_SETTINGS) {
      expect(FALLBACKS[name].length).toBeGreaterThan(0);
      for (const fallback of FALLBACKS[name]) expect(names).toContain(fallback.name);
    }
  });

  test('what is wrong is said, and nothing is thrown', () => {
    const { errors, warnings } = topic({
      'segment.bytes': '14',
      'retention.msec': '1',
      'min.cleanable.dirty.ratio': '0.1',
      'remote.storage.enable': 'true',
    });
    expect(errors).toEqual([
      'segment.bytes=14 is not valid: it must be a whole number, at least 1048576.',
      'retention.msec is not a topic setting; did you mean retention.ms?',
      'remote.storage.enable=true is not valid: there is no tiered storage, so it must be false.',
    ]);
    expect(warnings).toEqual(['min.cleanable.dirty.ratio is a topic setting of Kafka that has no effect here.']);
  });

  test('jitter is never more than the age it is taken from', () => {
    expect(topic({ 'segment.ms': '100', 'segment.jitter.ms': '500' }).log.segmentJitterMs).toBe(100);
  });
});
