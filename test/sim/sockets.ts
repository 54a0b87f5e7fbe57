/** A processor's sockets, and what it can do with open files: some ranges are not in the page cache until they are read ahead. */
import type { Memory } from '../../src/base/memory.ts';
import { memoryOver } from '../../src/base/memory.ts';
import type { Random } from '../../src/base/random.ts';
import { DiskError } from '../../src/log/disk.ts';
import type { Sockets } from '../../src/runtime/net/connections.ts';
import { type Transport, WOULD_BLOCK } from '../../src/runtime/net/transport.ts';
import { type FakeTransport, must } from '../runtime/net/sockets.ts';
import type { SimulatedDisk } from './disk.ts';

const EIO = 5;

/** As the blocker's call has it: 0, or what went wrong. */
export function syncErrno(disk: SimulatedDisk, descriptor: number): number {
  try {
    disk.sync(descriptor);
    return 0;
  } catch (problem) {
    if (!(problem instanceof DiskError)) throw problem;
    return EIO;
  }
}

export class SimulatedSockets implements Sockets {
  /** Accepted by nobody yet, by descriptor. */
  readonly arriving = new Map<number, FakeTransport>();
  /** By connection. */
  readonly open = new Map<number, FakeTransport>();
  /** Files whose pages are there for sure. */
  readonly warm = new Set<number>();
  readonly #disk: SimulatedDisk;
  readonly #random: Random;

  constructor(disk: SimulatedDisk, random: Random) {
    this.#disk = disk;
    this.#random = random;
  }

  adopt(descriptor: number, connection: number): Transport {
    const transport = this.arriving.get(descriptor);
    must(transport !== undefined, 'a socket is adopted once');
    this.arriving.delete(descriptor);
    this.open.set(connection, transport);
    return transport;
  }

  release(): number {
    throw new Error('connections stay where they are');
  }

  readWarm(descriptor: number, memory: Memory, offset: number, length: number, position: number): number {
    if (!this.warm.has(descriptor)) {
      if (this.#random.below(3) === 0) return WOULD_BLOCK;
      this.warm.add(descriptor);
    }
    return this.#read(descriptor, memory, offset, length, position);
  }

  /** For `sendfile`: nothing where the disk fails. */
  read(descriptor: number, position: number, length: number): Uint8Array {
    const memory = memoryOver(new Uint8Array(length));
    return memory.bytes.subarray(0, this.#read(descriptor, memory, 0, length, position));
  }

  closeFile(descriptor: number): void {
    this.warm.delete(descriptor);
    this.#disk.close(descriptor);
  }

  releasePages(): void {}

  #read(descriptor: number, memory: Memory, offset: number, length: number, position: number): number {
    try {
      return this.#disk.read(descriptor, position, memory, offset, length);
    } catch (problem) {
      if (!(problem instanceof DiskError)) throw problem;
      return 0;
    }
  }
}
