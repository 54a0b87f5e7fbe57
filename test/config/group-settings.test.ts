/** Settings of groups: a group's own within the broker's bounds, else the broker's; what is wrong is said in one sentence. */
import { expect, test } from 'vitest';
import { type DescribedSetting, describeGroupSettings } from '../../src/config/describe.ts';
import { groupProblem, groupTimes } from '../../src/config/group-settings.ts';
import { LiveSettings, SOURCE } from '../../src/config/live-settings.ts';
import { parseSettings } from '../../src/config/settings.ts';

const NAME = 'consumer.session.timeout.ms';
const live = new LiveSettings(
  parseSettings([{ name: 'group.consumer.session.timeout.ms', value: '50000', origin: 'environment' }]),
);
const broker = live.settings;
const of = (value: string, name = NAME) => new Map([[name, value]]);

test("a group's own counts, as far as the bounds of now let it", () => {
  expect(groupTimes(new Map(), broker).consumerSessionTimeoutMs).toBe(50_000);
  expect(groupTimes(of('46000'), broker)).toEqual({
    consumerSessionTimeoutMs: 46_000,
    consumerHeartbeatIntervalMs: 5000,
  });
  expect(groupTimes(of('46000'), { ...broker, groupConsumerMaxSessionTimeoutMs: 45_500 })).toMatchObject({
    consumerSessionTimeoutMs: 45_500,
  });
  expect(groupTimes(of('46000'), { ...broker, groupConsumerMinSessionTimeoutMs: 47_000 })).toMatchObject({
    consumerSessionTimeoutMs: 47_000,
  });
});

test.each([
  [of('45000'), null],
  [of('60000'), null],
  [of('44999'), /must be from group\.consumer\.min\.session\.timeout\.ms=45000 to .*=60000/],
  [of('60001'), /must be from/],
  [of('soon'), /consumer\.session\.timeout\.ms/],
  [of('1000', 'share.isolation.level'), "There is no group setting 'share.isolation.level'."],
])('%s', (overrides, problem) => {
  const found = groupProblem(overrides, broker);
  if (problem === null) expect(found).toBeNull();
  else expect(found).toMatch(problem);
});

test('where a value comes from is shown with all that stands behind it', () => {
  const [session, interval] = describeGroupSettings(of('46000'), live) as [DescribedSetting, DescribedSetting];
  const fallback = 'group.consumer.session.timeout.ms';
  expect(session).toMatchObject({ name: NAME, value: '46000', configSource: SOURCE.group, readOnly: false });
  expect(session.synonyms).toEqual([
    { name: NAME, value: '46000', source: SOURCE.group },
    { name: fallback, value: '50000', source: SOURCE.start },
    { name: fallback, value: '45000', source: SOURCE.default },
  ]);
  expect(interval).toMatchObject({ value: '5000', configSource: SOURCE.default });
});
