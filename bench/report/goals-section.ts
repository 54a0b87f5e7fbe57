/** The first section of the report: every goal with what was measured, and for those that are not kept why. */
import { goalText, type Verdict } from '../kit/goals.ts';
import { digits } from '../kit/statistics.ts';
import { countText, goalChart, verdictText } from './goal-chart.ts';
import { element, escaped } from './svg.ts';

const NO_REASON = 'No reason has been written down yet.';

export interface GoalPicture {
  readonly against: string;
  readonly svg: string;
}

export function goalPictures(verdicts: readonly Verdict[]): GoalPicture[] {
  return Array.from(
    Map.groupBy(verdicts, ({ against }) => against),
    ([against, mine]) => ({ against, svg: goalChart(against, mine) }),
  );
}

/** Text with `code` in it, a paragraph where a line is empty. */
function paragraphs(text: string): string {
  return text
    .split(/\n\s*\n/)
    .map((each) => element('p', {}, escaped(each).replace(/`([^`]*)`/g, '<code>$1</code>')))
    .join('');
}

function rowOf(verdict: Verdict): string {
  const { against, name, goal, measured } = verdict;
  const cells = [
    digits(measured.median),
    digits(measured.p5),
    digits(measured.p95),
    goalText(goal),
    verdictText(verdict),
  ];
  return element('tr', {}, [`${against}: ${name}`, ...cells].map((cell) => element('td', {}, escaped(cell))).join(''));
}

export function goalsSection(verdicts: readonly Verdict[], reasons: ReadonlyMap<string, string>): string {
  if (verdicts.length === 0) return '';
  const pictures = goalPictures(verdicts).map(({ svg }) => element('figure', {}, svg));
  const missed = verdicts.filter(({ isKept }) => !isKept);
  const why = missed.map(
    ({ against, name }) =>
      element('h3', {}, escaped(`Not kept, ${against}: ${name}`)) + paragraphs(reasons.get(name) || NO_REASON),
  );
  const names = ['goal', 'measured, ×', 'p5', 'p95', 'asked', ''];
  const head = element('tr', {}, names.map((name) => element('th', {}, name)).join(''));
  const table = element('table', {}, head + verdicts.map(rowOf).join(''));
  return element(
    'section',
    { id: 'goals' },
    element('h2', {}, 'Goals') +
      element('p', {}, escaped(`What was asked of the broker, as ratios within one run: ${countText(verdicts)}.`)) +
      element('div', { class: 'plots' }, pictures.join('')) +
      why.join('') +
      element(
        'details',
        {},
        element('summary', {}, `All ${verdicts.length} goals`) + element('div', { class: 'wide' }, table),
      ),
  );
}
