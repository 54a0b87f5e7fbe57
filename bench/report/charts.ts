/**
 * Two kinds of plots. Bars: one for each thing measured, with a whisker from the 5th to the 95th percentile. Curves: where the
 * things measured are a row of growing numbers (sizes, counts), over a logarithmic axis, with the spread as a band.
 */
import { digits } from '../kit/statistics.ts';
import { numberIn, unitIn } from './numbers.ts';
import { isLogarithmic, type Scale, scaleOf } from './scale.ts';
import { element, escaped, line, picture, textAt } from './svg.ts';

export interface Point {
  readonly label: string;
  readonly median: number;
  readonly p5: number;
  readonly p95: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
}

export const CHART_STYLES = `
.c{--back:#fff;--ink:#1c2330;--soft:#5b6472;--grid:#d9dee6;--c0:#1769c2;--c1:#c2571a;--c2:#2c8a4b;--c3:#8a4fb8;--c4:#a3821a;--c5:#b3325c}
@media (prefers-color-scheme:dark){.c{--back:#161b22;--ink:#e8ecf2;--soft:#a4aebc;--grid:#39424f;--c0:#6fb1f5;--c1:#f39b66;--c2:#6fcf8f;--c3:#c79bf0;--c4:#dcc05a;--c5:#f083a8}}
.c text{font:14px system-ui,sans-serif;fill:var(--ink)}.c .soft{fill:var(--soft)}.c .back{fill:var(--back)}.c .origin{font-size:11px}.c .title{font-weight:600;font-size:15px}
.c .grid{stroke:var(--grid);stroke-width:1}.c .goal{stroke:var(--ink);stroke-width:3}.c .whisker{stroke:var(--ink);stroke-width:1.5}
${[0, 1, 2, 3, 4, 5].map((at) => `.c .f${at}{fill:var(--c${at})}.c .s${at}{stroke:var(--c${at});fill:none;stroke-width:2.5}.c .b${at}{fill:var(--c${at});opacity:.18}`).join('')}`;

const COLOURS = 6;
const KIB = 1024;
const MIB = KIB * KIB;
const WIDTH = 540;
const HEAD = 38;
const ROW = 24;
const BAR = 14;
const FOOT = 30;
const LABEL_LETTER = 8;
/** A longer name stands above its bar. */
const LABEL_MOST = 210;
const ROW_BELOW_NAME = 40;
const VALUE_ROOM = 70;
const TITLE_LETTER = 8.7;
const AXIS_LABEL_ROOM = 54;
const CURVE_HEIGHT = 250;
const CURVE_LEFT = 70;
const LEGEND_ROW = 20;

function head({ title, unit }: Chart, scale: Scale): string {
  const axis = `${unit}${isLogarithmic(scale) ? ', logarithmic' : ''}`;
  const letters = Math.floor((WIDTH - axis.length * LABEL_LETTER - 12) / TITLE_LETTER);
  return (
    textAt(0, 16, shortened(title, letters), { class: 'title' }) +
    textAt(WIDTH, 16, axis, { class: 'soft', 'text-anchor': 'end' })
  );
}

function figuresOf({ series }: Chart): number[] {
  return series.flatMap(({ points }) => points.flatMap(({ median, p5, p95 }) => [median, p5, p95]));
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** What a pointer on the mark says. */
function hint(name: string, { median, p5, p95 }: Omit<Point, 'label'>): string {
  return element('title', {}, escaped(`${name}: ${digits(median)} (${digits(p5)}–${digits(p95)})`));
}

/** Which colour is which, where there are several. */
function legend({ series }: Chart, left: number): string {
  if (series.length < 2) return '';
  return series
    .map(({ name }, colour) => {
      const y = HEAD + colour * LEGEND_ROW;
      const box = element('rect', { x: left, y: y - 4, width: 14, height: 10, class: `f${colour % COLOURS}` });
      return box + textAt(left + 20, y + 5, name);
    })
    .join('');
}

function legendHeight({ series }: Chart): number {
  return series.length < 2 ? 0 : series.length * LEGEND_ROW;
}

/** Bars of one label stand together, one for each series; the label is said once. */
function barsOf({ series }: Chart) {
  const labels = [...new Set(series.flatMap(({ points }) => points.map(({ label }) => label)))];
  return labels.flatMap((label) =>
    series
      .flatMap(({ points }, colour) =>
        points.filter((point) => point.label === label).map((point) => ({ ...point, colour })),
      )
      .map((bar, at) => ({ ...bar, name: at === 0 ? label : '' })),
  );
}

/** One below the other. */
export function barChart(chart: Chart): string {
  const scale = scaleOf(figuresOf(chart));
  const bars = barsOf(chart);
  const widest = Math.max(...bars.map(({ name }) => name.length)) * LABEL_LETTER;
  const isAbove = widest > LABEL_MOST;
  const left = isAbove ? 12 : widest + 12;
  const room = WIDTH - left - VALUE_ROOM;
  let bottom = HEAD + legendHeight(chart);
  const top = bottom;
  const x = (value: number): number => left + scale.place(value) * room;
  const rows = bars.map(({ label, name, median, p5, p95, colour }) => {
    bottom += isAbove && name !== '' ? ROW_BELOW_NAME : ROW;
    const y = bottom - BAR - (ROW - BAR) / 2;
    const middle = y + BAR / 2;
    const width = Math.max(1, x(median) - left);
    const figures = hint(label, { median, p5, p95 });
    return (
      (isAbove
        ? textAt(left, y - 6, shortened(name, Math.floor(WIDTH / LABEL_LETTER)))
        : textAt(left - 8, middle + 4.5, name, { 'text-anchor': 'end' })) +
      element('rect', { x: left, y, width, height: BAR, rx: 2, class: `f${colour % COLOURS}` }, figures) +
      (p95 > p5 ? line(x(p5), middle, x(p95), middle, 'whisker') : '') +
      textAt(Math.max(x(median), x(p95)) + 6, middle + 4.5, digits(median))
    );
  });
  const grid = scale.ticks.map(
    (tick) =>
      line(x(tick), top - 6, x(tick), bottom, 'grid') +
      textAt(x(tick), bottom + 16, digits(tick), { class: 'soft', 'text-anchor': 'middle' }),
  );
  const inner = element('g', { class: 'c' }, head(chart, scale) + legend(chart, left) + grid.join('') + rows.join(''));
  return picture(WIDTH, bottom + FOOT, `${chart.title}, ${chart.unit}`, inner);
}

/** As short as an axis wants it: 64 KiB, 1k, 300k. */
function shortNumber(label: string): string {
  const value = numberIn(label);
  if (unitIn(label) !== '') {
    if (value >= MIB) return `${value / MIB} MiB`;
    return value >= KIB ? `${value / KIB} KiB` : `${value} B`;
  }
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e4 ? `${value / 1e3}k` : String(value);
}

function curve(points: readonly { x: number; y: number }[]): string {
  return points.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

/** Over the numbers in the labels, which all series share. */
export function lineChart(chart: Chart): string {
  const scale = scaleOf(figuresOf(chart));
  const labels = (chart.series[0]?.points ?? []).map(({ label }) => label);
  const numbers = labels.map(numberIn);
  const logs = numbers.map(Math.log);
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const top = HEAD + legendHeight(chart);
  const bottom = top + CURVE_HEIGHT;
  const x = (at: number): number =>
    CURVE_LEFT + (((logs[at] as number) - low) / (high - low || 1)) * (WIDTH - CURVE_LEFT - 40);
  const y = (value: number): number => bottom - scale.place(value) * CURVE_HEIGHT;
  const grid = scale.ticks.map(
    (tick) =>
      line(CURVE_LEFT, y(tick), WIDTH, y(tick), 'grid') +
      textAt(CURVE_LEFT - 8, y(tick) + 4.5, digits(tick), { class: 'soft', 'text-anchor': 'end' }),
  );
  let free = Number.NEGATIVE_INFINITY;
  const foot = labels.map((label, at) => {
    if (x(at) < free) return '';
    free = x(at) + AXIS_LABEL_ROOM;
    return textAt(x(at), bottom + 20, shortNumber(label), { class: 'soft', 'text-anchor': 'middle' });
  });
  const drawn = chart.series.map(({ name, points }, colour) => {
    const kind = colour % COLOURS;
    const medians = points.map(({ median }, at) => ({ x: x(at), y: y(median) }));
    const upper = points.map(({ p95 }, at) => ({ x: x(at), y: y(p95) }));
    const lower = points.map(({ p5 }, at) => ({ x: x(at), y: y(p5) })).reverse();
    const dots = points.map(({ label, median, p5, p95 }, at) =>
      element(
        'circle',
        { cx: x(at), cy: y(median), r: 4, class: `f${kind}` },
        hint(`${label}, ${name}`, { median, p5, p95 }),
      ),
    );
    return (
      element('path', { d: `${curve([...upper, ...lower])}Z`, class: `b${kind}` }) +
      element('path', { d: curve(medians), class: `s${kind}` }) +
      dots.join('')
    );
  });
  const inner = element(
    'g',
    { class: 'c' },
    head(chart, scale) + legend(chart, CURVE_LEFT) + grid.join('') + foot.join('') + drawn.join(''),
  );
  return picture(WIDTH, bottom + FOOT, `${chart.title}, ${chart.unit}`, inner);
}
