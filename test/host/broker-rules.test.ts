import { describe, expect, test } from 'vitest';
import { LiveSettings } from '../../src/config/live-settings.ts';
import { parseSettings } from '../../src/config/settings.ts';
import { brokerRules } from '../../src/host/broker-rules.ts';

const map = (values: Record<string, string> = {}) => new Map(Object.entries(values));
const NODE = 3;

function rules(given: Record<string, string>, all: Record<string, string> = {}, sizes = { network: 3, io: 8 }) {
  const entries = Object.entries(given).map(([name, value]) => ({ name, value, origin: 'file' as const }));
  const live = new LiveSettings(parseSettings(entries));
  live.update(map(all), map());
  return brokerRules({ nodeId: NODE, live, sizes: () => sizes });
}

const GIVEN = { 'num.network.threads': '3', 'num.io.threads': '8' };

describe('one step of a pool', () => {
  test.each<[name: string, count: string, allowed: string | null]>([
    ['num.io.threads', '4', null],
    ['num.io.threads', '16', null],
    ['num.io.threads', '3', 'from 4 to 16'],
    ['num.io.threads', '17', 'from 4 to 16'],
    // Half of three, rounded down as Kafka does.
    ['num.network.threads', '1', null],
    ['num.network.threads', '6', null],
    ['num.network.threads', '7', 'from 1 to 6'],
    ['num.io.threads', 'auto', null],
  ])('%s=%s', (name, count, allowed) => {
    for (const resource of ['', String(NODE)]) {
      const problem = rules(GIVEN).problem(map({ [name]: count }), resource);
      if (allowed === null) expect(problem).toBeNull();
      else expect(problem).toContain(`must be ${allowed}.`);
    }
  });

  test('no more threads than there can be', () => {
    const problem = rules(GIVEN, {}, { network: 20, io: 8 }).problem(map({ 'num.network.threads': '9' }), '');
    expect(problem).toContain('from 10 to 31');
  });

  test('counts for going back, too', () => {
    const changed = rules(GIVEN, { 'num.io.threads': '32' }, { network: 3, io: 32 });
    expect(changed.problem(map(), '')).toContain('num.io.threads=8 is too far from the 32 of now');
    expect(changed.problem(map({ 'num.io.threads': '16' }), '')).toBeNull();
  });

  test('counts only for what a broker would really do', () => {
    expect(rules(GIVEN).problem(map({ 'num.io.threads': '2' }), '9')).toBeNull();
    // Sized by hand, and left alone by changes of other settings.
    const sized = rules(GIVEN, {}, { network: 30, io: 30 });
    expect(sized.problem(map({ 'max.connections': '10' }), '')).toBeNull();
  });
});

test('only what is changed is judged', () => {
  const changed = rules({}, { 'max.connections': '5' });
  expect(changed.problem(map({ 'max.connections': '5', 'node.id': '1' }), '')).toContain('[node.id]');
  expect(changed.problem(map({ 'max.connections': '6' }), '')).toBeNull();
});

test('a list is appended to what holds below', () => {
  const changed = rules({ 'log.cleanup.policy': 'compact' }, { 'log.cleanup.policy': 'delete,compact' });
  expect(changed.isList('log.cleanup.policy')).toBe(true);
  expect(changed.isList('max.connections')).toBe(false);
  expect(changed.defaultValue('log.cleanup.policy', '')).toBe('compact');
  expect(changed.defaultValue('log.cleanup.policy', String(NODE))).toBe('delete,compact');
});
