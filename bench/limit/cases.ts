/** The questions of the limit bench: what each case sends, how much, what it is counted in, and the ratio it should stay under. */
import type { Goal } from '../kit/goals.ts';
import type { LoadOptions } from './load.ts';

export const MiB = 1 << 20;

export interface Case {
  name: string;
  question: string;
  /** Counted per gigabyte (1e9 bytes of record batches) or per request. */
  per: 'GB' | 'request';
  /** What is asked of the broker's CPU over that of the C server; absent: for information. */
  goal?: Goal;
  /** What is produced once before the rounds. */
  fill?: LoadOptions;
  /** One round: `bytes` or `requests` says how much. */
  round: LoadOptions;
  /** Whether a round writes, so that as much memory should be primed. */
  writes: boolean;
}

const produce = (batchBytes: number): LoadOptions => ({
  mode: 'produce',
  depth: 5,
  'batch-bytes': batchBytes,
  bytes: 512 * MiB,
});
const fill = (batchBytes: number): LoadOptions => ({
  mode: 'produce',
  depth: 5,
  'batch-bytes': batchBytes,
  bytes: 256 * MiB,
});
const fetch = (fetchBytes: number, depth: number): LoadOptions => ({
  mode: 'fetch',
  depth,
  'fetch-bytes': fetchBytes,
  bytes: 2048 * MiB,
  warmup: 200,
});

export const CASES: readonly Case[] = [
  {
    name: 'produce-1m',
    question: 'one connection, batches of 1 MiB',
    per: 'GB',
    goal: { ratio: 1.2 },
    round: produce(MiB),
    writes: true,
  },
  {
    name: 'produce-64k',
    question: 'one connection, batches of 64 KiB',
    per: 'GB',
    goal: { ratio: 1.3 },
    round: produce(64 << 10),
    writes: true,
  },
  {
    name: 'fetch-1m',
    question: 'one connection, answers of 1 MiB',
    per: 'GB',
    goal: { ratio: 1.2 },
    fill: fill(MiB),
    round: fetch(MiB, 4),
    writes: false,
  },
  {
    name: 'fetch-64k',
    question: 'one connection, answers of 64 KiB',
    per: 'GB',
    goal: { ratio: 1.2 },
    fill: fill(64 << 10),
    round: fetch(64 << 10, 4),
    writes: false,
  },
  {
    name: 'small',
    question: '100 connections, one record of 1 KiB per request',
    per: 'request',
    goal: { ratio: 1.6 },
    round: { mode: 'produce', connections: 100, requests: 200_000, warmup: 20_000 },
    writes: true,
  },
  {
    name: 'fetch-64k-single',
    question: 'answers of 64 KiB, one request in flight, as consumers ask',
    per: 'GB',
    fill: fill(64 << 10),
    round: fetch(64 << 10, 1),
    writes: false,
  },
  {
    name: 'small-deep',
    question: '100 connections, 8 requests in flight on each',
    per: 'request',
    round: { mode: 'produce', connections: 100, depth: 8, requests: 400_000, warmup: 20_000 },
    writes: true,
  },
  {
    name: 'pingpong',
    question: 'one connection, one record, one request in flight',
    per: 'request',
    round: { mode: 'pingpong', requests: 30_000, warmup: 2_000 },
    writes: true,
  },
  {
    name: 'apiversions',
    question: 'one connection, the smallest request',
    per: 'request',
    round: { mode: 'apiversions', requests: 100_000, warmup: 10_000 },
    writes: false,
  },
];

/** A round of an eighth: enough to see that all works, too little to trust. */
export function shortened(round: LoadOptions): LoadOptions {
  const short = { ...round };
  for (const name of ['bytes', 'requests'] as const)
    if (typeof short[name] === 'number') short[name] = Math.ceil(short[name] / 8);
  return short;
}
