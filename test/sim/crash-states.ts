/**
 * What a process finds after a crash, held against the ledger: nothing is lost that may not be, nothing is there that was
 * never written, and all that is derived (indexes, producers, epochs, times) agrees with the records. Works on a copy of the
 * disk, so that one moment of a life may end in many ways.
 */
import { memoryOver } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { DiskError } from '../../src/log/disk.ts';
import { PartitionLog } from '../../src/log/partition-log.ts';
import type { Producer } from '../../src/log/producers.ts';
import type { ReadPlan } from '../../src/log/reading.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { config, environment, NOW, type TestEnvironment } from '../log/fixture.ts';
import { must } from '../runtime/net/sockets.ts';
import type { SimulatedDisk } from './disk.ts';
import { Home } from './home.ts';
import { type Ledger, mustBeInOrder, type Placed, type Places } from './ledger.ts';

/** How a process came to its end. */
export type End = 'kill' | 'power' | 'clean';

/** What the last process said of a partition: its log must end between them. */
export interface Bounds {
  readonly durableEnd: number;
  readonly writtenEnd: number;
  /** What is staged is written early when a segment ends. */
  readonly stagedEnd: number;
  /** A write has failed: what it left behind is not known. */
  readonly broken: boolean;
}

export interface Before {
  readonly seed: number;
  readonly ledger: Ledger;
  readonly bounds: readonly Bounds[];
  /** The multi that was promised, and the last that was asked for. */
  readonly stampPromised: number;
  readonly stampAsked: number;
  readonly segments: {
    readonly segmentBytes: number;
    readonly indexIntervalBytes: number;
    readonly segmentIndexBytes: number;
  };
}

const WINDOW_BYTES = 65_000;
/** Nothing is too old for a copy that is thrown away. */
const KEPT = { retentionMs: -1, retentionBytes: -1 };

export class CrashStates {
  checked = 0;

  /** A copy of the disk loses its process, or its power, once or while it recovers, and is looked at. */
  check(disk: SimulatedDisk, before: Before, end: Exclude<End, 'clean'>, seed: number): void {
    const random = new SeededRandom(seed);
    const copy = disk.fork();
    if (end === 'power') copy.crash(random);
    // The next process may come to its end before it has started.
    for (let more = end === 'power' && random.below(4) === 0; more; more = random.below(3) === 0) {
      let left = random.below(60);
      copy.fault = () => (left-- <= 0 ? 'EPOWER' : null);
      try {
        this.#open(copy, before, null);
      } catch (problem) {
        if (!(copy.fault('', '') === 'EPOWER' && isEnd(problem))) throw problem;
      }
      copy.fault = null;
      copy.crash(random);
      this.checked += 1;
    }
    this.#open(copy, before, end);
    this.checked += 1;
  }

  /** With no `end` nothing is looked at. */
  #open(disk: SimulatedDisk, before: Before, end: End | null): void {
    const world = environment(disk, 1 + (before.seed % 6), before.seed);
    const home = new Home(disk, before.seed);
    if (end !== null) {
      const { stamp } = home;
      must(
        stamp >= before.stampPromised && stamp <= before.stampAsked,
        `multi ${stamp} lies between ${before.stampPromised} and ${before.stampAsked}`,
      );
      must(home.partitions >= before.bounds.length, 'every partition is there');
    }
    for (let partition = 0; partition < home.partitions; partition++) {
      const log = openLog(world, home, partition, before);
      const bounds = before.bounds[partition];
      if (end === null || bounds === undefined) continue;
      const found = judge(log, world, partition, before.ledger, bounds, end);
      if ((found.length + before.seed) % 4 === 0) judgeProducers(disk, before, partition, log);
    }
  }
}

function isEnd(problem: unknown): boolean {
  return problem instanceof DiskError || /EPOWER|cannot be used/.test(String(problem));
}

function openLog(world: TestEnvironment, home: Home, partition: number, before: Before): PartitionLog {
  const message = home.partition(partition, 0, config({ ...KEPT, ...before.segments, maxMessageBytes: 4_000 }));
  return PartitionLog.open({ ...world, ...message, now: NOW });
}

/** Everything that the log gives, in order. */
export function readAll(log: PartitionLog, world: TestEnvironment, partition: number, ledger: Ledger): Placed[] {
  const found: Placed[] = [];
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const some = ledger.read(readAt(log, world, offset), partition);
    const first = some[0];
    must(
      first !== undefined && first.baseOffset <= offset && first.endOffset > offset,
      `offset ${offset} is found by its index`,
    );
    found.push(...some);
    offset = (some.at(-1) as Placed).endOffset;
  }
  return found;
}

function readAt(log: PartitionLog, world: TestEnvironment, offset: number): Uint8Array {
  const plan: ReadPlan = { errorCode: -2, slot: -1, position: 0, length: 0, firstBatchBytes: 0 };
  log.locate(offset, WINDOW_BYTES, true, log.endPosition, plan);
  must(plan.errorCode === ERROR.NONE && plan.slot >= 0, `offset ${offset} can be read: ${plan.errorCode}`);
  const into = memoryOver(new Uint8Array(plan.length));
  const got = world.disk.read(world.table.descriptor(plan.slot), plan.position, into, 0, plan.length);
  world.files.release(plan.slot);
  must(got === plan.length, 'what was located is there');
  return into.bytes;
}

/** Holds a log that was just opened against what is known of it. Returns what stands in it. */
export function judge(
  log: PartitionLog,
  world: TestEnvironment,
  partition: number,
  ledger: Ledger,
  bounds: Bounds,
  end: End,
): Placed[] {
  const places = ledger.places(partition);
  const { logStartOffset: start, logEndOffset } = log;
  const found = readAll(log, world, partition, ledger);
  mustBeInOrder(found, places.gaps);
  must(
    start >= places.startPromised && start <= places.startHighest,
    `the log starts at ${start}, between ${places.startPromised} and ${places.startHighest}`,
  );
  const written =
    bounds.broken || end === 'power' ? Math.max(bounds.durableEnd, places.endPromised) : bounds.writtenEnd;
  must(logEndOffset >= Math.min(written, bounds.writtenEnd), `the log ends at ${logEndOffset}, not before ${written}`);
  must(
    bounds.broken || logEndOffset <= bounds.stagedEnd,
    `the log ends at ${logEndOffset}, not behind ${bounds.stagedEnd}`,
  );
  for (const one of found) {
    const place = places.at(one.baseOffset);
    if (one.baseOffset >= bounds.writtenEnd) continue;
    must(place?.sent === one.sent && place.epoch === one.epoch, `offset ${one.baseOffset} has what it had`);
  }
  judgeDerived(log, found, places);
  return found;
}

/** Times and epochs, as one would find them by going through the records. */
function judgeDerived(log: PartitionLog, found: readonly Placed[], places: Places): void {
  const last = found.at(-1);
  if (last === undefined || last.endOffset <= log.logStartOffset) return;
  if (last.endOffset > places.startHighest)
    must(log.epochs.epochOf(last.endOffset - 1) === last.epoch, 'the last epoch is known');
  const records = found.flatMap(({ baseOffset, sent }) =>
    Array.from({ length: sent.count }, (_, index) => ({
      offset: baseOffset + index,
      timestamp: sent.firstTimestamp + index,
    })),
  );
  const readable = records.filter(({ offset }) => offset >= log.logStartOffset);
  const wanted = (readable[readable.length >> 1] as { timestamp: number }).timestamp;
  const first = readable.find(({ timestamp }) => timestamp >= wanted);
  const answer = log.offsetForTimestamp(wanted, log.logEndOffset);
  must(
    answer?.offset === first?.offset && answer?.timestamp === first?.timestamp,
    `the first record of ${wanted} is found`,
  );
}

/** Without any snapshot the log would remember the same of every producer that has a batch in it. */
function judgeProducers(disk: SimulatedDisk, before: Before, partition: number, log: PartitionLog): void {
  const copy = disk.fork();
  for (const name of copy.list(log.directory)) if (name.endsWith('.snapshot')) copy.remove(`${log.directory}/${name}`);
  const scratch = environment(copy, 8, before.seed);
  const rebuilt = openLog(scratch, new Home(copy, before.seed), partition, before);
  const known = new Map(Array.from(log.producers(), (producer) => [producer.id, producer]));
  for (const producer of rebuilt.producers()) mustAgree(known.get(producer.id), producer);
}

/** A snapshot has the last batch only, so of the older ones some may be missing. */
function mustAgree(known: Producer | undefined, rebuilt: Producer): void {
  must(known !== undefined, `producer ${rebuilt.id} is known`);
  const same = known.epoch === rebuilt.epoch && known.lastTimestamp === rebuilt.lastTimestamp;
  const [one, other] = [known, rebuilt].map(({ batches }) => JSON.stringify(batches.at(-1)));
  must(same && one === other, `producer ${rebuilt.id} is remembered alike: ${one} and ${other}`);
}
