/** Goals: what is asked, what came out, and what is said of it, from the bench through the file to the page. */
import { expect, test } from 'vitest';
import { goalTables, verdictsIn } from '../../bench/kit/goals.ts';
import { type NamedRow, placeOf, resultOf, type SuiteResult } from '../../bench/kit/result.ts';
import { CASES } from '../../bench/limit/cases.ts';
import { tablesOf } from '../../bench/limit/told.ts';
import { mainPlots } from '../../bench/report/main-plots.ts';
import { pageOf } from '../../bench/report/page.ts';
import { withPictures } from '../../bench/report/readme.ts';
import { reasonsIn, renewed, unexplained } from '../../bench/report/reasons.ts';
import { figure, peersResult } from './made-up.ts';

const PAGE = `# Measured

<!-- goals: made by the report -->
old
<!-- goals end -->

## Why

### more a second

It waits in \`epoll_wait\`.

Nothing helped.

### another

Text.
`;

const RESULT: SuiteResult = resultOf('peers', 'quick', [
  ...goalTables('Apache Kafka', [
    { name: 'CPU', ratio: figure(0.4), goal: { ratio: 0.45, stretch: 0.3 } },
    { name: 'less CPU', ratio: figure(0.2), goal: { ratio: 0.45, stretch: 0.3 } },
    { name: 'more a second', ratio: figure(1.2), goal: { ratio: 1.3, atLeast: true } },
  ]),
  ...goalTables('growth', [{ name: 'flat', ratio: figure(1.5), goal: { ratio: 1.5 } }]),
]);
const section = (result: SuiteResult) => ({ result, question: 'who is faster', command: 'npm run bench:peers' });

test('a file of results tells which goals are kept', () => {
  const verdicts = verdictsIn(JSON.parse(JSON.stringify(RESULT)));
  expect(verdicts.map(({ against, name, isKept, isStretchKept }) => [against, name, isKept, isStretchKept])).toEqual([
    ['Apache Kafka', 'CPU', true, false],
    ['Apache Kafka', 'less CPU', true, true],
    ['Apache Kafka', 'more a second', false, false],
    ['growth', 'flat', true, true],
  ]);
  expect(verdicts.map(({ goal }) => goal)).toEqual([
    { ratio: 0.45, stretch: 0.3, atLeast: false },
    { ratio: 0.45, stretch: 0.3, atLeast: false },
    { ratio: 1.3, atLeast: true },
    { ratio: 1.5, atLeast: false },
  ]);
});

test('the page has its table anew, and every goal that is not kept has its reason', () => {
  const verdicts = verdictsIn(RESULT);
  const page = renewed(PAGE, verdicts, 'From here.');
  expect(page).not.toContain('old');
  expect(page).toContain('| Apache Kafka: 2 of 3 kept, 1 of 2 stretch goals | measured, × | goal | |');
  expect(page).toContain('| more a second | 1.2 (1.09–1.42) | ≥ 1.3 | not kept |');
  expect(page).toContain('| less CPU | 0.2 (0.182–0.236) | ≤ 0.45 (≤ 0.3) | kept, stretch too |');
  expect(renewed(page, verdicts, 'From here.')).toBe(page);
  expect(() => renewed('# Measured', verdicts, '')).toThrow('no place between <!-- goals');
  expect(reasonsIn(page).get('more a second')).toBe('It waits in `epoll_wait`.\n\nNothing helped.');
  expect(unexplained(page, verdicts)).toEqual([]);
  expect(unexplained(PAGE.replace('### more a second', '### more'), verdicts)).toEqual(['more a second']);
});

test('the report begins with the goals, and says why one is not kept or that nobody has said so', () => {
  const page = pageOf([section(RESULT)], reasonsIn(PAGE));
  expect(page).toContain('What was asked of the broker, as ratios within one run: 3 of 4 kept');
  expect(page).toContain(
    '<h3>Not kept, Apache Kafka: more a second</h3><p>It waits in <code>epoll_wait</code>.</p><p>',
  );
  expect(pageOf([section(RESULT)])).toContain('No reason has been written down yet.');
  expect(page.indexOf('id="goals"')).toBeLessThan(page.indexOf('id="peers"'));
  expect(pageOf([section({ ...RESULT, rows: [] })])).not.toContain('id="goals"');
});

test('a run of all peers gives every goal, and every picture of README that comes from it', () => {
  const result = peersResult(0.25);
  const verdicts = verdictsIn(result);
  expect(verdicts).toHaveLength(21);
  const missed = verdicts.filter(({ isKept }) => !isKept).map(({ name }) => name);
  expect(missed).toHaveLength(7);
  expect(missed.filter((name) => /throughput|requests a second/.test(name))).toHaveLength(3);
  const { pictures, missing } = mainPlots([section(result)]);
  expect(missing.filter((name) => name.startsWith('peers'))).toEqual([]);
  const names = pictures.map(({ name }) => name);
  expect(names.filter((name) => name.startsWith('goals'))).toEqual([
    'goals-apache-kafka-peers.svg',
    'goals-growth-peers.svg',
  ]);
  expect(new Set(names).size).toBe(names.length);
  for (const { svg } of pictures) {
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="-12 -12 [\d.]+ [\d.]+" role="img"/);
    expect(svg).toContain(`commit ${result.commit}; a quick run, too short to trust`);
    expect(svg.match(/<svg|<\/svg>/g)).toHaveLength(2);
  }
});

test('README shows the pictures that are there, two in a row, and none that is not', () => {
  const all = ['peers-cpu.svg', 'zero-copy.svg', 'goals-apache-kafka-peers.svg', 'something-else.svg'];
  const page = withPictures('# Odradek\n<!-- pictures: made by the report -->\n<!-- pictures end -->\nmore\n', all);
  const pictures = [...page.matchAll(/!\[[^\]]+\]\(docs\/plots\/([^)]+)\)/g)].map(([, name]) => name);
  expect(pictures).toEqual(['goals-apache-kafka-peers.svg', 'peers-cpu.svg', 'zero-copy.svg']);
  expect(page.split('\n').filter((line) => line.includes('docs/plots'))).toHaveLength(2);
  expect(withPictures(page, all)).toBe(page);
  expect(withPictures(page, [])).not.toContain('docs/plots');
});

test('the C server’s goals come from its cases, one for each that has one', () => {
  const cases = CASES.map(({ name, question, goal, per }) => {
    const [cpu, cpuRatio] = [figure(2), figure(1.25)];
    const paces = {
      megabytesPerSecond: figure(500),
      requestsPerSecond: figure(9000),
      p50Us: figure(10),
      p99Us: figure(20),
    };
    const variants = [
      { name: 'c-sendfile', cpu, cpuRatio: figure(1), ...paces },
      { name: 'broker', cpu, cpuRatio, ...paces },
    ];
    const unit = per === 'GB' ? ('s/GB' as const) : ('µs' as const);
    return { name, question, unit, goal: goal ?? null, yardstick: 'c-sendfile', variants };
  });
  const result = resultOf('limit', 'normal', tablesOf(cases, []));
  const verdicts = verdictsIn(result);
  expect(verdicts.map(({ goal }) => goal.ratio)).toEqual([1.2, 1.3, 1.2, 1.2, 1.6]);
  expect(verdicts.map(({ isKept }) => isKept)).toEqual([false, true, false, false, true]);
  const rows: NamedRow[] = result.rows.map(placeOf);
  expect(new Set(rows.map(({ table }) => table))).toEqual(
    new Set(['goals, the C server: at most', 'the same bytes', 'the same requests']),
  );
  expect(rows.filter(({ column }) => column === 'CPU')).toHaveLength(2 * CASES.length);
  expect(mainPlots([section(result)]).missing).not.toContain('limit');
});
