/**
 * What a thread stands on, native or portable: kernels, disk, sockets, a way to wait. `openGround` chooses; nothing above
 * it knows which it is.
 */
import { fdatasyncSync, readFileSync, readSync } from 'node:fs';
import type { Kernels } from '../../base/kernels.ts';
import type { Memory } from '../../base/memory.ts';
import { PortableKernels } from '../../base/portable-kernels.ts';
import type { Disk } from '../../log/disk.ts';
import type { Doors } from '../acceptor.ts';
import type { BlockingCalls } from '../blocker.ts';
import type { Loop } from '../loop.ts';
import { type Registry, UNREGISTERED } from '../net/answers.ts';
import type { Sockets } from '../net/connections.ts';
import type { TransportOwner } from '../net/transport.ts';
import { loadAddon } from './addon.ts';
import type { Native } from './native.ts';
import { NativeDisk, nativeMemory } from './native-disk.ts';
import { nativeKernels } from './native-kernels.ts';
import { NativeLoop } from './native-loop.ts';
import { NativeDoors, NativeSockets } from './native-sockets.ts';
import { PortableDisk } from './portable-disk.ts';
import { PortableLoop } from './portable-loop.ts';
import { PortableDoors, PortableSockets, SocketTable } from './portable-sockets.ts';

export interface SocketSettings {
  readonly receiveBytes: number;
  readonly sendBytes: number;
  readonly backlog: number;
}

/** Runs a thread's loop until it is stopped. */
export interface Waiter {
  start(): void;
  stop(): void;
}

export interface Ground {
  readonly kind: 'native' | 'portable';
  readonly kernels: Kernels;
  readonly disk: Disk;
  readonly registry: Registry;
  readonly calls: BlockingCalls;
  waiter(loop: Loop, event: number, flag: Int32Array, control: () => boolean): Waiter;
  sockets(settings: SocketSettings, owner: (connection: number) => TransportOwner | undefined): Sockets;
  doors(settings: SocketSettings): Doors;
  nameThread(name: string): void;
  /** Signals an eventfd. */
  signal(event: number): void;
}

const READ_AHEAD_BYTES = 262_144;

class NativeGround implements Ground {
  readonly kind = 'native';
  readonly kernels: Kernels;
  readonly disk: Disk;
  readonly registry: Registry;
  readonly calls: BlockingCalls;
  readonly #native: Native;
  #loop: NativeLoop | null = null;
  #buffer: Memory | null = null;

  constructor(native: Native) {
    this.#native = native;
    this.kernels = nativeKernels(native);
    this.disk = new NativeDisk(native);
    this.registry = {
      register: (bytes) => nativeMemory(native, bytes),
      unregister: (memory) => native.unregister(memory.id),
    };
    this.calls = {
      sync: (descriptor) => Math.max(0, -native.syncData(descriptor)),
      // Read for real: a hint may be ignored, and the asker sends the range next.
      readAhead: (descriptor, position, length) => this.#read(descriptor, position, length),
    };
  }

  waiter(loop: Loop, event: number, flag: Int32Array, control: () => boolean): Waiter {
    this.#loop = new NativeLoop(this.#native, loop, event, flag, control);
    return this.#loop;
  }

  sockets(settings: SocketSettings, owner: (connection: number) => TransportOwner | undefined): Sockets {
    return new NativeSockets(this.#native, this.#loop as NativeLoop, settings, owner);
  }

  doors(settings: SocketSettings): Doors {
    return new NativeDoors(this.#native, this.#loop as NativeLoop, settings.backlog);
  }

  nameThread(name: string): void {
    this.#native.nameThread(name);
  }

  signal(event: number): void {
    this.#native.eventSignal(event);
  }

  #read(descriptor: number, position: number, length: number): number {
    const buffer = this.#buffer ?? nativeMemory(this.#native, new Uint8Array(READ_AHEAD_BYTES));
    this.#buffer = buffer;
    for (let at = 0; at < length; at += READ_AHEAD_BYTES) {
      const got = this.#native.read(descriptor, buffer.id, 0, Math.min(READ_AHEAD_BYTES, length - at), position + at);
      if (got <= 0) return -got;
    }
    return 0;
  }
}

class PortableGround implements Ground {
  readonly kind = 'portable';
  readonly kernels: Kernels = new PortableKernels();
  readonly disk: Disk = new PortableDisk();
  readonly registry: Registry = UNREGISTERED;
  readonly calls: BlockingCalls = {
    sync: (descriptor) => errnoOf(() => fdatasyncSync(descriptor)),
    readAhead: (descriptor, position, length) => {
      const buffer = new Uint8Array(Math.min(length, READ_AHEAD_BYTES));
      return errnoOf(() => {
        for (let at = 0; at < length; at += buffer.length)
          readSync(descriptor, buffer, 0, buffer.length, position + at);
      });
    },
  };
  readonly #table = new SocketTable();
  #loop: PortableLoop | null = null;

  waiter(loop: Loop, _event: number, flag: Int32Array, control: () => boolean): Waiter {
    this.#loop = new PortableLoop(loop, flag, control);
    return this.#loop;
  }

  sockets(_settings: SocketSettings, owner: (connection: number) => TransportOwner | undefined): Sockets {
    return new PortableSockets(this.#table, this.#loop as PortableLoop, owner);
  }

  doors(settings: SocketSettings): Doors {
    return new PortableDoors(this.#table, settings.backlog);
  }

  nameThread(): void {}

  signal(): void {}
}

function errnoOf(call: () => void): number {
  try {
    call();
    return 0;
  } catch (problem) {
    return Math.abs((problem as NodeJS.ErrnoException).errno ?? 5);
  }
}

export function openGround(kind: 'native' | 'portable'): Ground {
  if (kind === 'portable') return new PortableGround();
  const native = loadAddon();
  if (native === null) throw new Error('the addon was there for the broker and is not there for its thread');
  return new NativeGround(native);
}

/** Names this life of the kernel; null where it has no name. */
export function kernelId(): string | null {
  return readOptional('/proc/sys/kernel/random/boot_id')?.trim() ?? null;
}

const OPEN_FILES_ASSUMED = 1_024;

/** How many descriptors this process may have. Where the system does not say, what every system allows. */
export function openFilesLimit(): number {
  const match = /^Max open files\s+(\d+)/m.exec(readOptional('/proc/self/limits') ?? '');
  return match === null ? OPEN_FILES_ASSUMED : Number(match[1]);
}

/** Null where the system has no such file, or does not let us look. */
function readOptional(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (problem) {
    // Deno says NotCapable where it may not look.
    if ((problem as NodeJS.ErrnoException).code === undefined && (problem as Error).name !== 'NotCapable')
      throw problem;
    return null;
  }
}
