/** A segment as appending leaves it, for benches that look into one: a log of equal batches and its indexes at a chosen density. */
import { closeSync, linkSync, mkdirSync, openSync, writeSync } from 'node:fs';
import type { Memory } from '../../src/base/memory.ts';
import { OFFSET_ENTRY_BYTES, PortableKernels } from '../../src/base/portable-kernels.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';
import type { Disk } from '../../src/log/disk.ts';
import type { LogEnvironment } from '../../src/log/environment.ts';
import { FileCache } from '../../src/log/files.ts';
import { FileTable } from '../../src/log/leases.ts';
import { filePath, LOG } from '../../src/log/names.ts';
import { Segment } from '../../src/log/segment.ts';
import * as batch from '../../src/wire/batch.ts';

export const BATCH_BYTES = 1024;
const CHUNK_BATCHES = 1024;
const FILES_MAX = 16;
const NOW = 1_700_000_000_000;

/** Batches of one record each: headers that a scan believes, and bodies that nobody reads. */
export function writeLog(path: string, batches: number): void {
  const chunk = new Uint8Array(CHUNK_BATCHES * BATCH_BYTES);
  const view = new DataView(chunk.buffer);
  for (let at = 0; at < chunk.length; at += BATCH_BYTES) {
    batch.setBatchLength(view, at, BATCH_BYTES - batch.LOG_OVERHEAD_BYTES);
    batch.setMagic(view, at, batch.MAGIC);
    batch.setMaxTimestamp(view, at, NOW);
  }
  const file = openSync(path, 'wx');
  for (let first = 0; first < batches; first += CHUNK_BATCHES) {
    const count = Math.min(CHUNK_BATCHES, batches - first);
    for (let i = 0; i < count; i++) batch.setBaseOffset(view, i * BATCH_BYTES, first + i);
    writeSync(file, chunk, 0, count * BATCH_BYTES, first * BATCH_BYTES);
  }
  closeSync(file);
}

export class IndexedSegment {
  readonly #segment: Segment;
  readonly #files: FileCache;
  readonly #batches: number;

  /** `log` is the file of `writeLog`; it is linked into `directory`, which is made. */
  constructor(disk: Disk, scratch: Memory, log: string, directory: string, batches: number, intervalBytes: number) {
    mkdirSync(directory);
    linkSync(log, filePath(directory, 0, LOG));
    this.#files = new FileCache(
      disk,
      new FileTable(new Int32Array(FileTable.memory(FILES_MAX)), 0, FILES_MAX),
      FILES_MAX,
    );
    const environment: LogEnvironment = {
      disk,
      files: this.#files,
      kernels: new PortableKernels(),
      random: new SeededRandom(1),
      scratch,
      decompress: () => {
        throw new Error('no batch here is compressed');
      },
    };
    this.#segment = new Segment(environment, directory, 0, NOW, 0, false);
    this.#segment.activate({ ...DEFAULT_LOG_CONFIG, indexIntervalBytes: intervalBytes });
    for (let offset = 0; offset < batches; offset++) this.#segment.appended(BATCH_BYTES, offset, NOW, intervalBytes);
    this.#segment.finish();
    this.#segment.setSize(batches * BATCH_BYTES);
    this.#batches = batches;
  }

  get indexBytes(): number {
    return this.#segment.offsetIndex.index.entries * OFFSET_ENTRY_BYTES;
  }

  /** Where the batch of that offset stands. */
  find(offset: number): number {
    const found = this.#segment.find(offset, this.#batches * BATCH_BYTES);
    if (found === null || found.baseOffset !== offset) throw new Error(`offset ${offset} is not found`);
    return found.position;
  }

  /** Bytes of the log from where the index sends a reader to the end of the batch. */
  scannedBytes(offset: number): number {
    return this.find(offset) + BATCH_BYTES - this.#segment.offsetIndex.lookup(offset);
  }

  close(): void {
    this.#files.close();
  }
}
