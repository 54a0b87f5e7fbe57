/** The report: one HTML page that needs nothing else, and the same pictures one by one. What was asked, what came out, how it was run. */
import { verdictsIn } from '../kit/goals.ts';
import type { Machine } from '../kit/machine.ts';
import type { ResultRow, SuiteResult } from '../kit/result.ts';
import { digits } from '../kit/statistics.ts';
import { barChart, CHART_STYLES, lineChart } from './charts.ts';
import { goalsSection } from './goals-section.ts';
import { findingOf, type Plot, plotsIn } from './plots.ts';
import { element, escaped, standingAlone } from './svg.ts';

export interface Section {
  readonly result: SuiteResult;
  readonly question: string;
  /** What to type to get it again. */
  readonly command: string;
}

export interface Picture {
  /** Of its file, without a folder. */
  readonly name: string;
  readonly svg: string;
}

const STYLES = `
:root{color-scheme:light dark;--page:#fbfcfe;--card:#fff;--ink:#1c2330;--soft:#5b6472;--edge:#d9dee6;--link:#1769c2}
@media (prefers-color-scheme:dark){:root{--page:#14181f;--card:#1c222b;--ink:#e8ecf2;--soft:#a4aebc;--edge:#39424f;--link:#6fb1f5}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1400px;margin:0 auto;padding:16px}h1{font-size:1.7rem;margin:.6em 0 .2em}h2{font-size:1.25rem;margin:0}h3{font-size:1rem;margin:1em 0 .2em}
a{color:var(--link)}nav{display:flex;flex-wrap:wrap;gap:6px 14px;margin:12px 0}
section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:16px;margin:16px 0}
.soft,figcaption{color:var(--soft);font-size:.9rem}.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:20px;margin:12px 0}
figure{margin:0;overflow-x:auto}svg{display:block;width:100%;max-width:760px;min-width:340px;height:auto}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{text-align:right;padding:3px 10px;border-bottom:1px solid var(--edge);white-space:nowrap}th:first-child,td:first-child{text-align:left;white-space:normal}
code{font:.85rem ui-monospace,monospace;overflow-wrap:anywhere}summary{cursor:pointer}`;

export function svgOf({ kind, chart }: Plot): string {
  return kind === 'curves' ? lineChart(chart) : barChart(chart);
}

function rowOf({ name, unit, median, p5, p95, samples, cpuSecondsPerGb }: ResultRow): string {
  const figures = [digits(median), unit, digits(p5), digits(p95), samples, cpuSecondsPerGb ?? ''];
  const cells = figures.map((figure) =>
    element('td', {}, escaped(typeof figure === 'number' ? digits(figure) : figure)),
  );
  return element('tr', {}, element('td', {}, escaped(name)) + cells.join(''));
}

function tableOf({ rows }: SuiteResult): string {
  const names = ['what', 'median', 'unit', 'p5', 'p95', 'samples', 'CPU s/GB'];
  const head = element('tr', {}, names.map((name) => element('th', {}, name)).join(''));
  return element('table', {}, head + rows.map(rowOf).join(''));
}

function machineText({ model, cpus, memoryGb, platform, kernel, architecture, node, size }: Machine): string {
  const run = { quick: 'a quick run, too short to trust', normal: 'a normal run', full: 'a full run' }[size];
  return `${cpus} × ${model} (${architecture}), ${memoryGb} GB, ${platform} ${kernel}, Node ${node}; ${run}`;
}

/** The same, as short as a picture's foot wants it. */
export function machineLine({ machine, commit }: SuiteResult): string {
  const { cpus, model, node, size } = machine;
  const trust = size === 'quick' ? '; a quick run, too short to trust' : '';
  return `${cpus} × ${model}, Node ${node}, commit ${commit}${trust}`;
}

function sectionOf({ result, question, command }: Section): string {
  const { suite, machine, commit } = result;
  const figures = plotsIn(result).map((plot) => {
    const { title } = plot.chart;
    const found = element(
      'figcaption',
      {},
      `${element('b', {}, escaped(title))}. ${escaped(findingOf(plot.chart, digits))}`,
    );
    return element('figure', {}, svgOf(plot) + found);
  });
  const how = `${escaped(machineText(machine))}; commit ${escaped(commit)}. Again: ${element('code', {}, escaped(command))}`;
  const details = `<details><summary>All ${result.rows.length} figures</summary>${element('div', { class: 'wide' }, tableOf(result))}</details>`;
  return element(
    'section',
    { id: suite },
    element('h2', {}, escaped(suite)) +
      element('p', {}, `Asked: ${escaped(question)}.`) +
      element('div', { class: 'plots' }, figures.join('')) +
      element('p', { class: 'soft' }, `How it was run: ${how}`) +
      details,
  );
}

const READING = `Each mark is the median; the thin line on a bar and the band around a curve reach from the 5th to the 95th percentile of
its samples. Only figures of one picture may be compared: they were measured in turns, on one machine. An axis that says
“logarithmic” grows tenfold from tick to tick. CPU in s/GB are seconds of processor time for 1,000,000,000 bytes; p99 is what 99 of 100
requests stay below.`;

export function pageOf(sections: readonly Section[], reasons: ReadonlyMap<string, string> = new Map()): string {
  const verdicts = sections.flatMap(({ result }) => verdictsIn(result));
  const names = [...(verdicts.length > 0 ? ['goals'] : []), ...sections.map(({ result }) => result.suite)];
  const links = names.map((name) => element('a', { href: `#${name}` }, escaped(name)));
  const body =
    element('h1', {}, 'Odradek: what was measured') +
    element('p', { class: 'soft' }, READING) +
    element('nav', {}, links.join('')) +
    goalsSection(verdicts, reasons) +
    sections.map(sectionOf).join('');
  const head =
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">' +
    element('title', {}, 'Odradek: what was measured') +
    element('style', {}, STYLES + CHART_STYLES);
  return `<!doctype html>\n<html lang="en"><head>${head}</head><body>${element('main', {}, body)}</body></html>\n`;
}

export function picturesOf({ result }: Section): Picture[] {
  return plotsIn(result).map((plot, at) => ({
    name: `${result.suite}-${at + 1}.svg`,
    svg: standingAlone(svgOf(plot), CHART_STYLES, machineLine(result)),
  }));
}
