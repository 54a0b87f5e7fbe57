/** Writes past the page cache: the disk takes each block from memory that lies at a page, and the call returns when it has it. */
import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import type { Round } from './rounds.ts';

const BLOCK_MOST = 1 << 20;
const WASM_PAGE_BYTES = 65_536;

/** Node's types leave it to those of browsers. */
const { WebAssembly: WASM } = globalThis as unknown as {
  readonly WebAssembly: { readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer } };
};

export class DirectWriting {
  readonly #path: string;
  readonly #file: number;
  readonly #areaBytes: number;
  readonly #roundBytes: number;
  readonly #shuffled: (index: number, count: number) => number;
  readonly #block: Uint8Array;
  #written = 0;

  private constructor(
    path: string,
    file: number,
    block: Uint8Array,
    areaBytes: number,
    roundBytes: number,
    shuffled: (index: number, count: number) => number,
  ) {
    this.#path = path;
    this.#file = file;
    this.#block = block;
    this.#areaBytes = areaBytes;
    this.#roundBytes = roundBytes;
    this.#shuffled = shuffled;
  }

  /** A file of `areaBytes` to be written over. Null where the file system refuses. */
  static open(
    path: string,
    areaBytes: number,
    roundBytes: number,
    shuffled: (index: number, count: number) => number,
  ): DirectWriting | null {
    // Memory of WebAssembly begins at a page, as this way of writing asks.
    const memory = new WASM.Memory({ initial: BLOCK_MOST / WASM_PAGE_BYTES });
    const block = new Uint8Array(memory.buffer).fill(7);
    try {
      const file = openDirect(path);
      for (let at = 0; at < areaBytes; at += BLOCK_MOST) writeSync(file, block, 0, BLOCK_MOST, at);
      return new DirectWriting(path, file, block, areaBytes, roundBytes, shuffled);
    } catch (problem) {
      if ((problem as NodeJS.ErrnoException).code !== 'EINVAL') throw problem;
      rmSync(path, { force: true });
      return null;
    }
  }

  append(block: number): Round {
    const path = `${this.#path}-append`;
    const file = openDirect(path);
    const round = this.#run(file, block, (index) => index * block);
    closeSync(file);
    rmSync(path);
    return round;
  }

  overwrite(block: number, random: boolean): Round {
    const count = this.#areaBytes / block;
    const first = this.#written;
    this.#written += this.#roundBytes / block;
    return this.#run(this.#file, block, (index) =>
      random ? this.#shuffled(first + index, count) * block : ((first + index) % count) * block,
    );
  }

  close(): void {
    closeSync(this.#file);
  }

  #run(file: number, block: number, place: (index: number) => number): Round {
    const writes = this.#roundBytes / block;
    const startMs = performance.now();
    for (let index = 0; index < writes; index++) writeSync(file, this.#block, 0, block, place(index));
    return { rate: this.#roundBytes / 1e3 / (performance.now() - startMs) };
  }
}

function openDirect(path: string): number {
  return openSync(path, constants.O_CREAT | constants.O_RDWR | constants.O_DIRECT, 0o644);
}
