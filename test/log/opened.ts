/** A log over a simulated disk for tests: opened, appended to, read back, closed and opened again. */
import { expect } from 'vitest';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import type { LogConfig } from '../../src/log/config.ts';
import { PartitionLog } from '../../src/log/partition-log.ts';
import type { LogPosition, ReadPlan } from '../../src/log/reading.ts';
import type { AppendOrigin, AppendResult } from '../../src/log/validation.ts';
import { SimulatedDisk } from '../sim/disk.ts';
import { type BatchSpec, batchOf, config, DIRECTORY, environment, NOW, type TestEnvironment } from './fixture.ts';

export const TOPIC_ID = randomUuid(new SeededRandom(7));

export interface OpenedOptions {
  readonly disk?: SimulatedDisk;
  readonly config?: Partial<LogConfig>;
  readonly cleanShutdown?: boolean;
  readonly pageCacheKept?: boolean;
  readonly pageCacheDoubtful?: boolean;
  readonly recoveryPoint?: number;
  readonly logStartOffset?: number;
  readonly filesMax?: number;
  readonly seed?: number;
}

export class Opened {
  readonly disk: SimulatedDisk;
  readonly world: TestEnvironment;
  readonly log: PartitionLog;
  readonly result: AppendResult = { errorCode: 0, baseOffset: -1, endOffset: -1, logAppendTime: -1, duplicate: false };
  readonly plan: ReadPlan = { errorCode: 0, slot: -1, position: 0, length: 0, firstBatchBytes: 0 };
  now = NOW;

  constructor(options: OpenedOptions = {}) {
    this.disk = options.disk ?? new SimulatedDisk();
    this.world = environment(this.disk, options.filesMax ?? 64, options.seed ?? 1);
    this.log = PartitionLog.open({
      ...this.world,
      directory: DIRECTORY,
      topic: 'orders',
      partition: 0,
      topicId: TOPIC_ID,
      config: config(options.config),
      now: NOW,
      cleanShutdown: options.cleanShutdown ?? true,
      pageCacheKept: options.pageCacheKept ?? false,
      pageCacheDoubtful: options.pageCacheDoubtful ?? false,
      recoveryPoint: options.recoveryPoint ?? 0,
      ...(options.logStartOffset === undefined ? {} : { logStartOffset: options.logStartOffset }),
    });
  }

  stage(batch: BatchSpec | Memory = {}, epoch = 0, origin: AppendOrigin = 'client'): AppendResult {
    const memory = 'bytes' in batch ? batch : batchOf(batch);
    this.log.stage(memory, 0, memory.bytes.length, epoch, this.now, this.result, origin);
    return { ...this.result };
  }

  /** Staged and written; the log must take it. */
  append(batch: BatchSpec | Memory = {}, epoch = 0, origin: AppendOrigin = 'client'): AppendResult {
    const result = this.stage(batch, epoch, origin);
    expect(result.errorCode).toBe(0);
    this.log.write();
    return result;
  }

  locate(offset: number, maxBytes = 1_000_000, minOneBatch = true, end: LogPosition = this.log.endPosition): ReadPlan {
    this.log.locate(offset, maxBytes, minOneBatch, end, this.plan);
    return { ...this.plan };
  }

  /** What a fetch would send; its lease is released. */
  read(offset: number, maxBytes = 1_000_000, end: LogPosition = this.log.endPosition): Memory {
    const plan = this.locate(offset, maxBytes, true, end);
    expect(plan.errorCode).toBe(0);
    if (plan.slot < 0) return memoryOver(new Uint8Array(0));
    const into = memoryOver(new Uint8Array(plan.length));
    const descriptor = this.world.table.descriptor(plan.slot);
    expect(this.disk.read(descriptor, plan.position, into, 0, plan.length)).toBe(plan.length);
    this.world.files.release(plan.slot);
    return into;
  }

  sync(): void {
    const plan = this.log.syncPlan();
    for (const slot of plan.slots) {
      this.disk.sync(this.world.table.descriptor(slot));
      this.world.files.release(slot);
    }
    this.log.synced(plan);
  }

  /** A clean end and a clean start. */
  reopen(options: OpenedOptions = {}): Opened {
    this.log.close();
    this.world.files.close();
    expect(this.world.table.leased()).toBe(0);
    return new Opened({ recoveryPoint: this.log.logEndOffset, ...options, disk: this.disk });
  }

  /** The process is gone; the files are as they were. */
  kill(options: OpenedOptions = {}): Opened {
    this.disk.kill();
    return new Opened({ cleanShutdown: false, ...options, disk: this.disk });
  }

  names(suffix = ''): string[] {
    return this.disk
      .list(DIRECTORY)
      .filter((name) => name.endsWith(suffix))
      .sort();
  }
}
