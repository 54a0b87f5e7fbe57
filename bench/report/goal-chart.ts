/** Goals as a picture: a bar for each ratio that was measured, a mark where the goal lies, and in words whether it is kept. */
import { goalText, type Verdict } from '../kit/goals.ts';
import { digits } from '../kit/statistics.ts';
import { scaleOf } from './scale.ts';
import { element, line, picture, textAt } from './svg.ts';

const WIDTH = 540;
const HEAD = 44;
const ROW = 46;
const BAR = 14;
const FOOT = 30;
const VERDICT_ROOM = 190;
const NAME_LETTERS = 74;
/** What is many times its goal would make all other bars short: it ends at the edge, and its figure says the rest. */
const SHOWN_MOST = 2.5;

/** How often which are there. */
export function countText(verdicts: readonly Verdict[]): string {
  const kept = verdicts.filter(({ isKept }) => isKept).length;
  const stretched = verdicts.filter(({ goal, isStretchKept }) => goal.stretch !== undefined && isStretchKept).length;
  const stretches = verdicts.filter(({ goal }) => goal.stretch !== undefined).length;
  const more = stretches === 0 ? '' : `, ${stretched} of ${stretches} stretch goals`;
  return `${kept} of ${verdicts.length} kept${more}`;
}

export function verdictText({ goal, isKept, isStretchKept }: Verdict): string {
  if (!isKept) return 'not kept';
  return goal.stretch !== undefined && isStretchKept ? 'kept, stretch too' : 'kept';
}

export function goalChart(against: string, verdicts: readonly Verdict[]): string {
  const bounds = verdicts.flatMap(({ goal, measured }) => [goal.ratio, Math.min(measured.p95, SHOWN_MOST)]);
  const scale = scaleOf([1, Math.max(1, ...bounds)]);
  const room = WIDTH - VERDICT_ROOM;
  const x = (ratio: number): number => Math.min(1, scale.place(ratio)) * room;
  const bottom = HEAD + verdicts.length * ROW;
  const grid = scale.ticks.map(
    (tick) =>
      line(x(tick), HEAD - 8, x(tick), bottom, 'grid') +
      textAt(x(tick), bottom + 16, `× ${digits(tick)}`, {
        class: 'soft',
        'text-anchor': tick === 0 ? 'start' : 'middle',
      }),
  );
  const rows = verdicts.map((verdict, at) => {
    const { name, goal, measured, isKept } = verdict;
    const top = HEAD + at * ROW + 20;
    const middle = top + BAR / 2;
    const end = x(measured.median);
    const figure = `× ${digits(measured.median)}, ${verdictText(verdict)}`;
    const spread = `${name}: ${digits(measured.median)} (${digits(measured.p5)}–${digits(measured.p95)}), goal ${goalText(goal)}`;
    const [from, to] = [x(measured.p5), x(measured.p95)];
    return (
      textAt(0, top - 6, name.length <= NAME_LETTERS ? name : `${name.slice(0, NAME_LETTERS - 1)}…`) +
      element(
        'rect',
        { x: 0, y: top, width: Math.max(1, end), height: BAR, rx: 2, class: isKept ? 'f2' : 'f1' },
        element('title', {}, spread.replace(/[&<>]/g, '')),
      ) +
      (to > from ? line(from, middle, to, middle, 'whisker') : '') +
      line(x(goal.ratio), top - 4, x(goal.ratio), top + BAR + 4, 'goal') +
      textAt(room + 8, middle + 4.5, figure, isKept ? {} : { class: 'title' })
    );
  });
  const head =
    textAt(0, 16, `${against}: ${countText(verdicts)}`, { class: 'title' }) +
    textAt(WIDTH, 34, 'bar: measured; upright line: goal', { class: 'soft', 'text-anchor': 'end' });
  const inner = element('g', { class: 'c' }, head + grid.join('') + rows.join(''));
  return picture(WIDTH, bottom + FOOT, `goals, ${against}: ${countText(verdicts)}`, inner);
}
