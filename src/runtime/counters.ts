/**
 * Hot counters in shared memory: one row of float64 for each role, written by that role only, read by whoever asks for
 * metrics. A reader may see one number before its neighbour; none is ever half written.
 */

export const COUNTERS = [
  'connectionsOpened',
  'connectionsClosed',
  'connectionsOpen',
  'requests',
  'requestsMalformed',
  'answers',
  'bytesOut',
  'zeroCopyBytes',
  'copiedBytes',
  'intakeBlocksHeld',
  'intakeBytesHeld',
  'framesWaiting',
  'callsOpen',
  'fetchesWaiting',
  'fetchSessions',
  'batchesAppended',
  'bytesAppended',
  'appendsFailed',
  'writes',
  'syncs',
  'readAheads',
  'ringQueued',
  'filesOpen',
  // Requests that handlers took from processors, and how long those lay in the rings.
  'requestsTaken',
  'requestQueueMs',
  // Questions to handlers that a processor has no answer to yet.
  'requestsUnderWay',
  // Of the role's thread: rounds of its loop, times it slept, how long, and the share of the last minute or so.
  'rounds',
  'sleeps',
  'sleptMs',
  'idleShare',
  // Of the same thread: how often its garbage collector stopped it, for how long in all, and the longest.
  'gcPauses',
  'gcPauseMs',
  'gcPauseLongestMs',
] as const;

export type CounterName = (typeof COUNTERS)[number];

/** Roles with a row of their own: acceptors, processors, handlers and blockers share this many. */
export const COUNTER_ROWS_MAX = 128;
const ROW = COUNTERS.length;

export function countersMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNTER_ROWS_MAX * ROW * 8);
}

const INDEX = new Map<string, number>(COUNTERS.map((name, index) => [name, index]));

/** One role's row. */
export class Counters {
  readonly #row: Float64Array;

  constructor(memory: SharedArrayBuffer, row: number) {
    this.#row = new Float64Array(memory, row * ROW * 8, ROW);
  }

  get(name: CounterName): number {
    return this.#row[INDEX.get(name) as number] as number;
  }

  set(name: CounterName, value: number): void {
    this.#row[INDEX.get(name) as number] = value;
  }

  add(name: CounterName, value: number): void {
    const at = INDEX.get(name) as number;
    this.#row[at] = (this.#row[at] as number) + value;
  }

  clear(): void {
    this.#row.fill(0);
  }
}
