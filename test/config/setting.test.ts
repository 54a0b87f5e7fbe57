import { describe, expect, test } from 'vitest';
import { BROKER_SETTINGS } from '../../src/config/broker-table.ts';
import { GROUP_SETTINGS } from '../../src/config/group-table.ts';
import {
  camelCase,
  double,
  formatValue,
  int,
  intOrAuto,
  LONG_MAX,
  list,
  long,
  oneOf,
  parseValue,
  type Setting,
  SettingError,
} from '../../src/config/setting.ts';
import { TOPIC_SETTINGS } from '../../src/config/topic-table.ts';

const ALL: readonly Setting[] = [...BROKER_SETTINGS, ...TOPIC_SETTINGS];

describe('values', () => {
  test.each(['', 'x', '1.5', '1e3', '0x10', '1 2', '99999999999999999999', '2147483648'])(
    'an int is not %j',
    (text) => {
      expect(() => parseValue(int('a.b', 1, ''), text)).toThrow(SettingError);
    },
  );

  test('numbers at their bounds', () => {
    const setting = int('a.b', 1, '', { min: 1, max: 10 });
    expect(parseValue(setting, ' 10 ')).toBe(10);
    expect(parseValue(setting, '+1')).toBe(1);
    expect(() => parseValue(setting, '0')).toThrow('a.b=0 is not valid: it must be a whole number from 1 to 10.');
    expect(() => parseValue(setting, '11')).toThrow(SettingError);
  });

  test("a long reads and writes Kafka's largest", () => {
    const setting = long('a', 0, '');
    expect(parseValue(setting, '9223372036854775807')).toBe(LONG_MAX);
    expect(formatValue(setting, LONG_MAX)).toBe('9223372036854775807');
    expect(() => parseValue(setting, '9223372036854775808')).toThrow(SettingError);
    expect(() => parseValue(setting, '-9223372036854775807')).toThrow(SettingError);
    expect(parseValue(setting, '-1')).toBe(-1);
  });

  test('auto, words, lists, doubles', () => {
    expect(parseValue(intOrAuto('a', '', { min: 1 }), 'Auto')).toBe('auto');
    expect(() => parseValue(intOrAuto('a', '', { min: 1 }), 'many')).toThrow('at least 1, or auto');
    expect(() => parseValue(oneOf('a', ['x', 'y'], 'x', ''), 'X')).toThrow('one of x, y');
    expect(parseValue(list('a', [], ''), 'x, y ,z')).toEqual(['x', 'y', 'z']);
    expect(() => parseValue(list('a', [], ''), 'x,,y')).toThrow(SettingError);
    expect(parseValue(double('a', 1, '', { min: 0, max: 1 }), '0.25')).toBe(0.25);
    expect(() => parseValue(double('a', 1, '', { min: 0, max: 1 }), '')).toThrow('a number from 0 to 1');
  });

  test('an optional setting that is empty is not set', () => {
    expect(parseValue(long('a', null, ''), '')).toBeNull();
  });

  test('names in code', () => {
    expect(camelCase('num.network.threads')).toBe('numNetworkThreads');
  });
});

describe('the tables', () => {
  test.each(ALL.map((setting) => [setting.name, setting] as const))(
    '%s: its default is a valid value',
    (_, setting) => {
      const text = formatValue(setting, setting.default);
      expect(parseValue(setting, text ?? '')).toEqual(setting.default);
      expect(setting.doc).toMatch(/^[A-Z].*\.$/);
    },
  );

  test('what a request may change takes numbers and known words: no class, no file, no address of another system', () => {
    const ofBrokers = BROKER_SETTINGS.filter(({ change }) => change !== 'read-only');
    const changeable: readonly Setting[] = [...ofBrokers, ...TOPIC_SETTINGS, ...GROUP_SETTINGS];
    expect(changeable.length).toBeGreaterThan(30);
    const free = changeable.filter(({ type, words }) => (type === 'string' || type === 'list') && words.length === 0);
    expect(free.map(({ name }) => name)).toEqual([]);
  });

  test('no name is there twice', () => {
    for (const table of [BROKER_SETTINGS, TOPIC_SETTINGS] as readonly (readonly Setting[])[]) {
      const names = table.flatMap(({ name, aliases }) => [name, ...aliases]);
      expect(new Set(names).size).toBe(names.length);
      expect(new Set(names.map(camelCase)).size).toBe(names.length);
    }
  });
});
