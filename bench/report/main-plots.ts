/** The pictures that README and `docs/measured.md` show: each is one of the report's, under a name that does not change. */
import { verdictsIn } from '../kit/goals.ts';
import { CHART_STYLES } from './charts.ts';
import { goalPictures } from './goals-section.ts';
import { machineLine, type Picture, type Section, svgOf } from './page.ts';
import { plotsIn } from './plots.ts';
import { standingAlone } from './svg.ts';

interface Chosen {
  readonly name: string;
  readonly suite: string;
  readonly heading: string;
  /** How the title of the plot begins. */
  readonly title: string;
  readonly unit: string;
}

const CHOSEN: readonly Chosen[] = [
  { name: 'peers-cpu', heading: 'broker CPU per GB', suite: 'peers', title: 'CPU per GB', unit: 's/GB' },
  { name: 'peers-throughput', heading: 'throughput', suite: 'peers', title: 'throughput', unit: 'MB/s' },
  {
    name: 'peers-latency',
    heading: 'latency at 2,000 requests a second',
    suite: 'peers',
    title: '2,000 single-record',
    unit: 'µs',
  },
  {
    name: 'peers-latency-20k',
    heading: 'latency at 20,000 requests a second',
    suite: 'peers',
    title: '20,000 single-record',
    unit: 'µs',
  },
  { name: 'peers-memory', heading: 'anonymous and shared memory', suite: 'peers', title: 'a life', unit: 'MiB' },
  {
    name: 'peers-partitions',
    heading: 'broker CPU per request by partitions',
    suite: 'peers',
    title: 'single records of 1 KiB over many partitions',
    unit: 'µs',
  },
  {
    name: 'peers-connections',
    heading: 'broker CPU per request by connections',
    suite: 'peers',
    title: 'single records of 1 KiB over many connections',
    unit: 'µs',
  },
  { name: 'limit', heading: 'CPU beside a C server', suite: 'limit', title: 'the same bytes: CPU', unit: 's/GB' },
  {
    name: 'zero-copy',
    heading: 'CPU of sending, by size of the answer',
    suite: 'zero-copy',
    title: 'answers from the page cache',
    unit: 's/GB',
  },
  {
    name: 'zero-copy-cold',
    heading: 'CPU of sending from a cold file',
    suite: 'zero-copy',
    title: 'answers from the disk',
    unit: 's/GB',
  },
  {
    name: 'seq-vs-random',
    heading: 'writing, into the page cache',
    suite: 'seq-vs-random',
    title: 'page cache',
    unit: 'MB/s',
  },
  {
    name: 'seq-vs-random-synced',
    heading: 'writing, fdatasync after each write',
    suite: 'seq-vs-random',
    title: 'fdatasync after every write',
    unit: 'MB/s',
  },
  {
    name: 'index-search',
    heading: 'one search, by entries of the index',
    suite: 'index-search',
    title: 'one search in an offset index',
    unit: 'ns',
  },
  {
    name: 'partitions-throughput',
    heading: 'throughput by partitions',
    suite: 'partitions',
    title: 'produce',
    unit: 'MB/s',
  },
  { name: 'partitions-latency', heading: 'latency by partitions', suite: 'partitions', title: 'produce', unit: 'µs' },
  { name: 'partitions-memory', heading: 'own memory by partitions', suite: 'partitions', title: 'produce', unit: 'MB' },
  {
    name: 'roll-jitter',
    heading: 'latency while all partitions roll',
    suite: 'roll-jitter',
    title: 'produce latency',
    unit: 'µs',
  },
];

export interface MainPlots {
  readonly pictures: readonly Picture[];
  /** Those that the results have nothing for: they keep the picture they had. */
  readonly missing: readonly string[];
}

function chosenPicture(sections: readonly Section[], { name, heading, suite, title, unit }: Chosen): Picture | null {
  for (const { result } of sections.filter((section) => section.result.suite === suite)) {
    const plot = plotsIn(result).find(({ chart }) => chart.unit === unit && chart.title.startsWith(title));
    if (plot === undefined) continue;
    const svg = svgOf({ ...plot, chart: { ...plot.chart, title: heading } });
    return { name: `${name}.svg`, svg: standingAlone(svg, CHART_STYLES, machineLine(result)) };
  }
  return null;
}

export function mainPlots(sections: readonly Section[]): MainPlots {
  const goals = sections.flatMap(({ result }) =>
    goalPictures(verdictsIn(result)).map(({ against, svg }) => ({
      name: `goals-${against.toLowerCase().replaceAll(/\W+/g, '-')}-${result.suite}.svg`,
      svg: standingAlone(svg, CHART_STYLES, machineLine(result)),
    })),
  );
  const found = CHOSEN.map((chosen) => ({ chosen, picture: chosenPicture(sections, chosen) }));
  return {
    pictures: [...goals, ...found.flatMap(({ picture }) => (picture === null ? [] : [picture]))],
    missing: found.filter(({ picture }) => picture === null).map(({ chosen }) => chosen.name),
  };
}
