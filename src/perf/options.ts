/** What the words of `odradek perf` ask for: one load with all its figures in place. Words that make no sense throw a UsageError. */
import { parseWords, UsageError } from '../cli/words.ts';
import { MARKED_BYTES } from './batches.ts';
import type { Address } from './connection.ts';

export const MODES = ['produce', 'consume', 'end-to-end'] as const;
export type Mode = (typeof MODES)[number];

export interface PerfOptions {
  readonly mode: Mode;
  readonly bootstrap: readonly Address[];
  readonly topic: string;
  readonly create: boolean;
  /** Of a topic that is made; null for the broker's default. */
  readonly partitions: number | null;
  /** Records a second over all connections; null for as fast as answers come. */
  readonly rate: number | null;
  readonly recordBytes: number;
  readonly batchBytes: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly acks: -1 | 0 | 1;
  /** Infinity where the number of records ends the load. */
  readonly durationMs: number;
  readonly warmupMs: number;
  /** Infinity where the time ends the load. */
  readonly records: number;
  readonly fetchBytes: number;
  readonly from: 'EARLIEST' | 'LATEST';
  readonly json: boolean;
}

const OPTIONS = {
  bootstrap: { type: 'string' },
  topic: { type: 'string' },
  create: { type: 'boolean' },
  partitions: { type: 'string' },
  rate: { type: 'string' },
  'record-size': { type: 'string' },
  'batch-size': { type: 'string' },
  connections: { type: 'string' },
  'in-flight': { type: 'string' },
  acks: { type: 'string' },
  duration: { type: 'string' },
  warmup: { type: 'string' },
  records: { type: 'string' },
  'fetch-size': { type: 'string' },
  from: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Name = Exclude<keyof typeof OPTIONS, 'create' | 'json' | 'help'>;
/** Options that say nothing in a mode, so that nobody believes they did. */
const MEANINGLESS: Record<Mode, readonly Name[]> = {
  produce: ['fetch-size', 'from'],
  consume: ['rate', 'record-size', 'batch-size', 'in-flight', 'acks', 'partitions'],
  'end-to-end': ['from'],
};

const KIB = 1024;
const PORT_MAX = 65_535;
const DURATION_S = 10;
const END_TO_END_RATE = 100;
const BYTES_MAX = 1 << 30;

export const PERF_USAGE = `odradek perf: load for any Kafka broker

  odradek perf produce    --bootstrap HOST:PORT --topic NAME [options]
  odradek perf consume    --bootstrap HOST:PORT --topic NAME [options]
  odradek perf end-to-end --bootstrap HOST:PORT --topic NAME [options]

  --bootstrap LIST     brokers to begin with, HOST:PORT,... (default 127.0.0.1:9092)
  --topic NAME         the topic
  --create             make the topic if it is not there
  --partitions N       partitions of a topic that is made (default: the broker's)
  --rate N             records a second in all; each request is due at its time, and its latency counts from then
                       (default: as fast as answers come; end-to-end: ${END_TO_END_RATE})
  --record-size BYTES  the value of a record (default 1024)
  --batch-size BYTES   a batch has as many records as fit, at least one (default 65536; end-to-end: one record)
  --connections N      connections (default 1)
  --in-flight N        requests without an answer on each connection (default 5)
  --acks all|1|0       (default all)
  --duration SECONDS   how long to measure (default ${DURATION_S} where --records is not given)
  --records N          how many records to measure
  --warmup SECONDS     load before that, not measured (default 0)
  --fetch-size BYTES   what a fetch asks for, in all and of a partition (default 1048576)
  --from earliest|latest   where consume begins (default earliest)
  --json               one JSON object on standard output
  --help               print this

consume ends where the log ended when it began, unless --duration or --records is given; then it waits for more.
Sizes take KiB and MiB: --batch-size 1MiB. Ctrl+C ends the load and prints what was measured.
Exit codes: 0 done, 1 no connection, 2 refused by the broker, 3 answers or records are missing, 64 words that make no sense,
130 after Ctrl+C.
`;

/** Null asks for help. */
export function parsePerf(words: readonly string[]): PerfOptions | null {
  const { values, positionals } = parseWords(words, OPTIONS);
  if (values.help) return null;
  const [mode, ...more] = positionals;
  if (mode === undefined) throw new UsageError(`perf needs a mode: ${MODES.join(', ')}.`);
  if (!isMode(mode)) throw new UsageError(`There is no load ${mode}: there are ${MODES.join(', ')}.`);
  if (more.length > 0) throw new UsageError(`perf ${mode} takes options only, and ${more.join(' ')} is none.`);
  const useless = MEANINGLESS[mode].find((name) => values[name] !== undefined);
  if (useless !== undefined) throw new UsageError(`--${useless} says nothing to perf ${mode}.`);
  if (values.partitions !== undefined && !values.create) throw new UsageError('--partitions needs --create.');

  const number = (name: Name, otherwise: number, least = 1, most = 1e9): number =>
    wholeOf(name, values[name], otherwise, least, most);
  const seconds = (name: 'duration' | 'warmup', least: number): number => secondsOf(name, values[name], least);
  const recordBytes = number('record-size', KIB, MARKED_BYTES, BYTES_MAX);
  const isEndToEnd = mode === 'end-to-end';
  const untilTheEnd = mode === 'consume' && values.duration === undefined && values.records === undefined;
  const unlimited = values.duration === undefined && (values.records !== undefined || untilTheEnd);
  return {
    mode,
    bootstrap: (values.bootstrap ?? '127.0.0.1:9092').split(',').map(addressOf),
    topic: topicOf(values.topic),
    create: values.create ?? false,
    partitions: values.partitions === undefined ? null : number('partitions', 1),
    rate: values.rate === undefined ? (isEndToEnd ? END_TO_END_RATE : null) : number('rate', 1),
    recordBytes,
    batchBytes: number('batch-size', isEndToEnd ? recordBytes : 64 * KIB, 1, BYTES_MAX),
    connections: number('connections', 1, 1, 100_000),
    inFlight: number('in-flight', 5, 1, 10_000),
    acks: acksOf(values.acks, isEndToEnd),
    durationMs: unlimited
      ? Number.POSITIVE_INFINITY
      : values.duration === undefined
        ? DURATION_S * 1000
        : seconds('duration', 0.1),
    warmupMs: values.warmup === undefined ? 0 : seconds('warmup', 0),
    records: values.records === undefined ? Number.POSITIVE_INFINITY : number('records', 1, 1, 1e15),
    fetchBytes: number('fetch-size', KIB * KIB, 1, BYTES_MAX),
    from: placeOf(values.from),
    json: values.json ?? false,
  };
}

function isMode(word: string): word is Mode {
  return (MODES as readonly string[]).includes(word);
}

function topicOf(text: string | undefined): string {
  if (text === undefined || text === '') throw new UsageError('--topic needs the name of a topic.');
  return text;
}

function addressOf(text: string): Address {
  const match = /^(?:\[(.+)\]|([^:]+)):([0-9]{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > PORT_MAX) throw new UsageError(`--bootstrap ${text} is not HOST:PORT.`);
  return { host: (match[1] ?? match[2]) as string, port };
}

function wholeOf(name: Name, text: string | undefined, otherwise: number, least: number, most: number): number {
  if (text === undefined) return otherwise;
  const match = /^([0-9]+)(KiB|MiB)?$/.exec(text);
  const isSize = name.endsWith('-size');
  const unit = match?.[2] === 'KiB' ? KIB : match?.[2] === 'MiB' ? KIB * KIB : 1;
  const value = Number(match?.[1]) * unit;
  if (match === null || (unit > 1 && !isSize) || !(value >= least && value <= most)) {
    const what = isSize ? 'size' : 'whole number';
    throw new UsageError(`--${name} ${text} does not do: it must be a ${what} from ${least} to ${most}.`);
  }
  return value;
}

function secondsOf(name: string, text: string | undefined, least: number): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)s?$/.exec(text ?? '');
  const seconds = Number(match?.[1]);
  if (match === null || !(seconds >= least && seconds <= 1e6))
    throw new UsageError(`--${name} ${text} does not do: it must be a number of seconds, at least ${least}.`);
  return seconds * 1000;
}

function acksOf(text: string | undefined, isEndToEnd: boolean): -1 | 0 | 1 {
  if (text === undefined || text === 'all' || text === '-1') return -1;
  if (text === '1') return 1;
  if (text === '0' && isEndToEnd)
    throw new UsageError('--acks 0 says nothing to perf end-to-end: it measures acknowledgements, too.');
  if (text === '0') return 0;
  throw new UsageError(`--acks ${text} does not do: there are all, 1 and 0.`);
}

function placeOf(text: string | undefined): 'EARLIEST' | 'LATEST' {
  if (text === undefined || text === 'earliest') return 'EARLIEST';
  if (text === 'latest') return 'LATEST';
  throw new UsageError(`--from ${text} does not do: there are earliest and latest.`);
}
