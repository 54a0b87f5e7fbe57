import { describe, expect, test } from 'vitest';
import { LiveSettings, overrideProblem } from '../../src/config/live-settings.ts';
import { parseSettings } from '../../src/config/settings.ts';

function live(given: Record<string, string> = {}): LiveSettings {
  return new LiveSettings(
    parseSettings(Object.entries(given).map(([name, value]) => ({ name, value, origin: 'file' as const }))),
  );
}

const map = (values: Record<string, string>) => new Map(Object.entries(values));

describe('live settings', () => {
  test('are what the broker was started with until somebody changes them', () => {
    const settings = live({ 'message.max.bytes': '100' });
    expect(settings.settings).toMatchObject({ messageMaxBytes: 100, maxConnections: 2_147_483_647 });
  });

  test('one for this broker is stronger than one for all, and both than what it was started with', () => {
    const settings = live({ 'message.max.bytes': '100' });
    expect(settings.update(map({ 'message.max.bytes': '200' }), map({}))).toEqual([]);
    expect(settings.settings.messageMaxBytes).toBe(200);
    settings.update(map({ 'message.max.bytes': '200' }), map({ 'message.max.bytes': '300' }));
    expect(settings.settings.messageMaxBytes).toBe(300);
    expect(settings.layers.map(({ source, values }) => [source, values.get('message.max.bytes')])).toEqual([
      [2, '300'],
      [3, '200'],
      [4, '100'],
      [5, '1048588'],
    ]);
    settings.update(map({}), map({}));
    expect(settings.settings.messageMaxBytes).toBe(100);
  });

  test('what an older or newer broker has left is said and left out, the rest counts', () => {
    const settings = live();
    const problems = settings.update(map({ 'no.such': '1', 'max.connections': '5', 'log.retention.ms': 'x' }), map({}));
    expect(problems).toEqual([
      'no.such is not a broker setting.',
      'log.retention.ms=x is not valid: it must be a whole number, at least -1.',
    ]);
    expect(settings.settings).toMatchObject({ maxConnections: 5, logRetentionMs: null });
    expect(settings.allBrokers).toEqual(map({ 'max.connections': '5' }));
  });

  test('can be tried out without being changed', () => {
    const settings = live();
    expect(settings.with(map({}), map({ 'num.io.threads': '4' })).numIoThreads).toBe(4);
    expect(settings.settings.numIoThreads).toBe('auto');
  });
});

describe('an override', () => {
  test.each<[Record<string, string>, string | null]>([
    [{ 'log.retention.ms': '1', 'max.connections': '0' }, null],
    [{ 'num.io.threads': 'auto' }, null],
    [{ 'log.retention.ms': '-2' }, 'log.retention.ms=-2 is not valid'],
    [{ 'log.retention.ms': '1', listeners: 'x', 'broker.id': '1' }, 'dynamically: [listeners, broker.id].'],
    [{ 'sasl.jaas.config': 'x' }, 'sasl.jaas.config is a setting of Kafka that has no effect here'],
    [{ 'max.connection': '1' }, 'did you mean max.connections?'],
  ])('%j', (values, problem) => {
    const got = overrideProblem(map(values), true);
    if (problem === null) expect(got).toBeNull();
    else expect(got).toContain(problem);
  });
});
