/**
 * The page of what was measured, `docs/measured.md`: its table of goals is made from results, the reasons why one is not kept
 * are written by hand, each under a heading that is the goal's name.
 */
import { goalText, type Verdict } from '../kit/goals.ts';
import { digits } from '../kit/statistics.ts';
import { countText, verdictText } from './goal-chart.ts';

const FROM = '<!-- goals: made by the report -->';
const TO = '<!-- goals end -->';
const HEADING = '### ';

/** What stands under each heading, by the heading. */
export function reasonsIn(page: string): ReadonlyMap<string, string> {
  const parts = page.split(/^(?=#{1,6} )/m).filter((part) => part.startsWith(HEADING));
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n');
      const heading = end < 0 ? part : part.slice(0, end);
      return [heading.slice(HEADING.length).trim(), end < 0 ? '' : part.slice(end).trim()];
    }),
  );
}

function groups(verdicts: readonly Verdict[]): Map<string, Verdict[]> {
  return Map.groupBy(verdicts, ({ against }) => against);
}

function tablesOf(verdicts: readonly Verdict[], origin: string): string {
  const parts = Array.from(groups(verdicts), ([against, mine]) => {
    const lines = mine.map((verdict) => {
      const { name, measured, goal } = verdict;
      const spread = `${digits(measured.median)} (${digits(measured.p5)}–${digits(measured.p95)})`;
      return `| ${name.replaceAll('|', '\\|')} | ${spread} | ${goalText(goal)} | ${verdictText(verdict)} |`;
    });
    const head = `| ${against}: ${countText(mine)} | measured, × | goal | |\n| --- | --- | --- | --- |`;
    return `${head}\n${lines.join('\n')}`;
  });
  return `${parts.join('\n\n')}\n\n${origin}`;
}

/** The page with other text between two marks. */
export function replaced(page: string, from: string, to: string, text: string): string {
  const [start, end] = [page.indexOf(from), page.indexOf(to)];
  if (start < 0 || end < start) throw new Error(`the page has no place between ${from} and ${to}`);
  return `${page.slice(0, start + from.length)}\n\n${text}\n\n${page.slice(end)}`;
}

/** The page with its table made anew. */
export function renewed(page: string, verdicts: readonly Verdict[], origin: string): string {
  return replaced(page, FROM, TO, tablesOf(verdicts, origin));
}

/** Goals that are not kept and have no reason on the page. */
export function unexplained(page: string, verdicts: readonly Verdict[]): string[] {
  const reasons = reasonsIn(page);
  return verdicts.filter(({ isKept, name }) => !isKept && !reasons.get(name)).map(({ name }) => name);
}
