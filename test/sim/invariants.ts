/**
 * What holds of a running broker after every step, seen from outside: published offsets, the bytes in the files, what roles
 * hold in memory, open files. New batches are entered in the ledger here, as they stand on the disk.
 */

import { fileName, LOG, OFFSET_INDEX } from '../../src/log/names.ts';
import { newPartitionView, type PartitionView } from '../../src/replica/published.ts';
import { INTAKE_LIMITS } from '../runtime/kit.ts';
import { must } from '../runtime/net/sockets.ts';
import type { SimulatedBroker } from './broker.ts';
import { OWN_DESCRIPTORS } from './broker.ts';
import type { SimulatedDisk } from './disk.ts';
import { DATA, TOPIC } from './home.ts';
import { type Ledger, mustBeInOrder } from './ledger.ts';
import type { Settings } from './settings.ts';

/** Chunks and slots of connections beside the large frames. */
const INTAKE_BYTES_MAX = INTAKE_LIMITS.queuedBytesMax + INTAKE_LIMITS.frameBytesMax + 8_388_608;

/** Where a partition's files have been read to. */
interface Cursor {
  segment: number;
  position: number;
}

export class Invariants {
  readonly #broker: SimulatedBroker;
  readonly #disk: SimulatedDisk;
  readonly #ledger: Ledger;
  readonly #settings: Settings;
  readonly #note: (what: string) => void;
  readonly #before: PartitionView[] = [];
  readonly #cursors: Cursor[] = [];

  constructor(
    broker: SimulatedBroker,
    disk: SimulatedDisk,
    ledger: Ledger,
    settings: Settings,
    note: (what: string) => void,
  ) {
    this.#note = note;
    this.#broker = broker;
    this.#disk = disk;
    this.#ledger = ledger;
    this.#settings = settings;
  }

  /** Before anybody hears of it: what was written is looked at. */
  look(): void {
    for (let partition = 0; partition < this.#broker.partitions; partition++) {
      const { logEndOffset, logStartOffset } = this.#broker.view(partition);
      const places = this.#ledger.places(partition);
      // One that is out of service may have said something in the same step, before.
      places.startHighest = Math.max(places.startHighest, logStartOffset);
      if (this.#broker.online(partition)) this.#offsets(partition);
      this.#readNew(partition, logEndOffset);
      if (!this.#broker.online(partition)) continue;
      must(places.endOffset === logEndOffset, `${partition} ends at ${logEndOffset}, not ${places.endOffset}`);
    }
  }

  #offsets(partition: number): void {
    const now = { ...this.#broker.view(partition) };
    const before = this.#before[partition] ?? newPartitionView();
    this.#before[partition] = now;
    const { logStartOffset, highWatermark, lastStableOffset, logEndOffset, durableEndOffset } = now;
    const said = JSON.stringify({ before, now });
    must(
      logStartOffset <= highWatermark || highWatermark >= before.highWatermark,
      `the start lies before the high watermark: ${said}`,
    );
    must(highWatermark <= logEndOffset && durableEndOffset <= logEndOffset, `nothing lies behind the end: ${said}`);
    must(lastStableOffset === highWatermark, `everything is stable: ${said}`);
    const forward =
      logStartOffset >= before.logStartOffset &&
      highWatermark >= before.highWatermark &&
      logEndOffset >= before.logEndOffset &&
      durableEndOffset >= before.durableEndOffset;
    must(forward, `nothing goes back: ${said}`);
    if (this.#settings.flush === 'group')
      must(highWatermark <= Math.max(logStartOffset, durableEndOffset), `what is read is durable: ${said}`);
    const places = this.#ledger.places(partition);
    must(logStartOffset >= places.startPromised, `the log starts where it was said: ${said}`);
  }

  /** From the files themselves, without their indexes. */
  #readNew(partition: number, end: number): void {
    const places = this.#ledger.places(partition);
    if (places.endOffset >= end) return;
    const cursor = this.#cursor(partition);
    while (places.endOffset < end) {
      const bytes = this.#segment(partition, cursor.segment);
      if (cursor.position === bytes.length) {
        must(cursor.segment !== places.endOffset, `what was written of ${partition} up to ${end} is in its file`);
        cursor.segment = places.endOffset;
        cursor.position = 0;
        continue;
      }
      // Behind the end lies what a failed write has left.
      const found = this.#ledger
        .read(bytes.slice(cursor.position), partition)
        .filter(({ endOffset }) => endOffset <= end);
      must(found.length > 0, `segment ${cursor.segment} of ${partition} has whole batches`);
      const last = places.placed.at(-1);
      mustBeInOrder(last === undefined ? found : [last, ...found], places.gaps);
      // One whose first copy lies before the start is nobody's second.
      const readable = places.from(places.startHighest);
      for (const { sent } of found)
        must(!readable.some((one) => one.sent === sent), `batch ${sent.id} is appended once`);
      places.placed.push(...found);
      this.#note(
        `${partition}: ${found.map(({ baseOffset, sent }) => `batch ${sent.id} lies at ${baseOffset}`).join(', ')}`,
      );
      for (const { sent } of found) cursor.position += sent.bytes.length;
    }
    must(places.endOffset === end, `the log of ${partition} ends at ${end}, its file at ${places.endOffset}`);
  }

  /** At the end of what is known when the process began. */
  #cursor(partition: number): Cursor {
    const known = this.#cursors[partition];
    if (known !== undefined) return known;
    const end = this.#ledger.places(partition).endOffset;
    const bases = this.#disk
      .list(`${DATA}/${TOPIC}-${partition}`)
      .filter((name) => name.endsWith(LOG))
      .map((name) => Number.parseInt(name, 10));
    const segment = Math.max(...bases.filter((base) => base <= end));
    const cursor = { segment, position: 0 };
    if (segment < end) {
      const found = this.#ledger.read(this.#segment(partition, segment), partition);
      for (const one of found) if (one.endOffset <= end) cursor.position += one.sent.bytes.length;
    }
    this.#cursors[partition] = cursor;
    return cursor;
  }

  /** A segment may be retired in the turn that has filled it. */
  #segment(partition: number, base: number): Uint8Array {
    const path = `${DATA}/${TOPIC}-${partition}/${fileName(base, LOG)}`;
    return this.#disk.bytesOf(this.#disk.exists(path) ? path : `${path}.deleted`);
  }

  /** What is held, and that indexes point at batches. */
  bounds(): void {
    const { crew } = this.#broker;
    const { processors, caches } = crew;
    for (const processor of processors) {
      must(processor.intake.heldBytes <= INTAKE_BYTES_MAX, `${processor.intake.heldBytes} bytes are held`);
      for (const connection of crew.connectionsOf(processor)) {
        const { inFlight } = connection;
        must(inFlight <= this.#settings.inFlightMax, `${inFlight} requests of a connection are under way`);
      }
    }
    for (const cache of caches) must(cache.openFiles <= this.#settings.filesMax, `${cache.openFiles} files are open`);
    for (let partition = 0; partition < this.#broker.partitions; partition++) this.#indexes(partition);
  }

  /** Of finished segments: each entry of an offset index is the last offset and the place of a batch. */
  #indexes(partition: number): void {
    const directory = `${DATA}/${TOPIC}-${partition}`;
    if (!this.#disk.exists(directory) || !this.#broker.online(partition)) return;
    const bases = this.#disk
      .list(directory)
      .filter((name) => name.endsWith(LOG))
      .map((name) => Number.parseInt(name, 10));
    for (const base of bases.sort((a, b) => a - b).slice(0, -1)) {
      const places = new Map<number, number>();
      let position = 0;
      for (const { endOffset, sent } of this.#ledger.read(this.#segment(partition, base), partition)) {
        places.set(position, endOffset - 1 - base);
        position += sent.bytes.length;
      }
      const bytes = this.#disk.bytesOf(`${directory}/${fileName(base, OFFSET_INDEX)}`);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at + 8 <= bytes.length; at += 8) {
        must(
          places.get(view.getInt32(at + 4)) === view.getInt32(at),
          `entry ${at / 8} of index ${base} of ${partition} is a batch`,
        );
      }
    }
  }

  /** With nothing under way nobody holds anything. */
  rest(): void {
    const { processors, table, caches } = this.#broker.crew;
    for (const { name, intake } of processors) {
      intake.rest();
      must(intake.heldBlocks === 0 && intake.waiting === 0, `${name} holds ${intake.heldBlocks} blocks at rest`);
    }
    must(table.leased() === 0, `${table.leased()} files are leased at rest`);
    const open = caches.reduce((sum, cache) => sum + cache.openFiles, 0);
    must(
      this.#disk.openDescriptors === open + OWN_DESCRIPTORS,
      `${this.#disk.openDescriptors} descriptors for ${open} files`,
    );
  }
}
