/**
 * The simulated disk, made harsher for a file of many small entries: each sector of a write has a fate of its own in a
 * crash, and the power can go at any call that changes something.
 */
import type { Random } from '../../src/base/random.ts';
import { SimulatedDisk } from '../sim/disk.ts';

const SECTOR_BYTES = 512;
const CHANGING = new Set(['writeBytes', 'truncate', 'sync', 'rename', 'remove', 'syncDirectory']);

export class TearingDisk extends SimulatedDisk {
  readonly #random: Random;
  /** Changing calls so far. */
  changes = 0;
  /** The changing call at which the power goes; nothing works from then on. */
  powerOffAt = Number.POSITIVE_INFINITY;
  /** The changing call that fails with EIO. */
  failAt = Number.POSITIVE_INFINITY;

  /** With one directory that is there for good. */
  constructor(random: Random, directory: string) {
    super();
    this.makeDirectory(directory);
    this.syncDirectory('/');
    this.#random = random;
    this.fault = (operation) => {
      if (CHANGING.has(operation)) this.changes += 1;
      if (this.changes >= this.powerOffAt) return 'EPOWER';
      return this.changes === this.failAt && CHANGING.has(operation) ? 'EIO' : null;
    };
  }

  get syncs(): number {
    return this.calls.get('sync') ?? 0;
  }

  override crash(): void {
    this.powerOffAt = Number.POSITIVE_INFINITY;
    super.crash(this.#random);
  }

  override writeBytes(file: number, position: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
      super.writeBytes(file, position + at, bytes.subarray(at, at + SECTOR_BYTES));
    }
  }

  /** Changes one durable byte, as a failing medium does. */
  damage(path: string, position: number): void {
    const bytes = this.bytesOf(path);
    bytes[position] = (bytes[position] as number) ^ 0x10;
    this.put(path, bytes);
  }
}
