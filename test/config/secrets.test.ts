/**
 * What is secret is never said: not in a refusal, a warning, a description or an image of the settings. No setting is a secret
 * yet, so the broker's table is given two of them here; the secrets of Kafka that have no effect are looked at, too.
 */
import { expect, test, vi } from 'vitest';
import type * as brokerTable from '../../src/config/broker-table.ts';
import { describeAllBrokers, describeBroker } from '../../src/config/describe.ts';
import { LiveSettings, overrideProblem } from '../../src/config/live-settings.ts';
import { parseSettings } from '../../src/config/settings.ts';

vi.mock('../../src/config/broker-table.ts', async (original) => {
  const real = (await original()) as typeof brokerTable;
  const secret = {
    name: 'test.secret',
    type: 'password',
    default: null,
    doc: 'A secret.',
    change: 'cluster-wide',
    ours: true,
    optional: true,
    min: 0,
    max: 0,
    words: [],
    aliases: ['test.older.secret'],
  };
  return { ...real, BROKER_SETTINGS: [...real.BROKER_SETTINGS, secret, { ...secret, name: 'test.list', aliases: [] }] };
});

const SECRET = 'hunter2';
const OTHER = 'swordfish';

const given = (values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => ({ name, value, origin: 'file' as const }));

function mustBeSilent(said: unknown): void {
  expect(JSON.stringify(said)).not.toMatch(new RegExp(`${SECRET}|${OTHER}`));
}

function problemOf(work: () => unknown): string {
  try {
    work();
  } catch (problem) {
    return (problem as Error).message;
  }
  throw new Error('nothing was wrong');
}

test('in descriptions of the broker, from whichever layer it comes', () => {
  const live = new LiveSettings(parseSettings(given({ 'test.secret': SECRET })));
  expect(live.update(new Map([['test.secret', OTHER]]), new Map([['test.list', OTHER]]))).toEqual([]);
  // It is in effect.
  expect(JSON.stringify(live.settings)).toContain(OTHER);
  const all = [...describeBroker(live, new Map()), ...describeAllBrokers(live)];
  const secrets = all.filter(({ name }) => name.startsWith('test.'));
  expect(secrets).toHaveLength(3);
  for (const { value, isSensitive, synonyms } of secrets) {
    expect([value, isSensitive]).toEqual([null, true]);
    for (const synonym of synonyms) expect(synonym.value).toBe(null);
  }
  mustBeSilent(all);
});

test('in what is wrong with settings', () => {
  const twice = problemOf(() => parseSettings(given({ 'test.secret': SECRET, 'test.older.secret': OTHER })));
  expect(twice).toContain('test.secret=(hidden) and test.older.secret=(hidden) say the same thing differently');
  mustBeSilent(twice);
});

test("of Kafka's own secrets that have no effect here", () => {
  const names = ['ssl.keystore.password', 'ssl.key.password', 'ssl.truststore.password', 'sasl.jaas.config'];
  const values = Object.fromEntries(names.map((name) => [name, SECRET]));
  const { warnings, settings } = parseSettings(given({ ...values, 'my.ssl.password': SECRET }));
  expect(warnings).toHaveLength(names.length + 1);
  mustBeSilent([warnings, settings]);
  for (const name of [...names, 'my.ssl.password']) {
    const problem = overrideProblem(new Map([[name, SECRET]]), true);
    expect(problem).toContain(name);
    mustBeSilent(problem);
  }
});
