/**
 * Whether a producer's batch can be taken as it lies, or must be opened elsewhere first: because its compressed records
 * must be looked at, or because the topic stores them in another compression.
 */
import { assert } from '../base/assert.ts';
import type { Memory } from '../base/memory.ts';
import type { CompressionType } from '../config/broker-table.ts';
import * as batch from '../wire/batch.ts';
import { hasPolicy, type LogConfig } from './config.ts';

/** What is done with a batch that is opened, and what its records must be. */
export interface Opening {
  /** The codec that the batch is stored in. */
  readonly codec: number;
  /** How hard it compresses; its own default where it has no levels. */
  readonly level: number | undefined;
  /** The largest batch that may come of it. */
  readonly bytesMax: number;
  readonly needKeys: boolean;
  /** Timestamps lie between these; null where the producer's do not count. */
  readonly timestamps: { readonly oldest: number; readonly newest: number } | null;
}

/** What came of it. Its owner looks at header and sum again when the batch is taken. */
export interface OpenedBatch {
  /** Kafka's error code. */
  readonly error: number;
  /** What is wrong with which record, where a single one is to blame. */
  readonly fault: number;
  readonly record: number;
  /** The batch to store in place of the one that came; null when that one is good as it is. */
  readonly bytes: ArrayBuffer | null;
}

const CODEC_OF: Readonly<Record<Exclude<CompressionType, 'producer'>, number>> = {
  uncompressed: batch.CODEC.NONE,
  gzip: batch.CODEC.GZIP,
  snappy: batch.CODEC.SNAPPY,
  lz4: batch.CODEC.LZ4,
  zstd: batch.CODEC.ZSTD,
};

function storedCodec(codec: number, { compressionType }: LogConfig): number {
  return compressionType === 'producer' ? codec : CODEC_OF[compressionType];
}

/** Of a batch that has a header. Batches of no known codec are left to the checks that every batch passes. */
export function mustOpen(memory: Memory, offset: number, config: LogConfig, fullValidation: boolean): boolean {
  const codec = batch.codec(memory.view, offset);
  if (codec > batch.CODEC_LAST) return false;
  if (storedCodec(codec, config) !== codec) return true;
  return codec !== batch.CODEC.NONE && (fullValidation || hasPolicy(config, 'compact'));
}

export function openingOf(memory: Memory, offset: number, config: LogConfig, now: number): Opening {
  const codec = storedCodec(batch.codec(memory.view, offset), config);
  assert(codec <= batch.CODEC_LAST, 'a batch that is opened has a known codec', { codec });
  const { timestampType, timestampBeforeMaxMs, timestampAfterMaxMs, maxMessageBytes } = config;
  const created = timestampType === 'CreateTime';
  return {
    codec,
    level: levelOf(codec, config),
    bytesMax: maxMessageBytes,
    needKeys: hasPolicy(config, 'compact'),
    timestamps: created ? { oldest: now - timestampBeforeMaxMs, newest: now + timestampAfterMaxMs } : null,
  };
}

function levelOf(codec: number, config: LogConfig): number | undefined {
  if (codec === batch.CODEC.GZIP) return config.compressionGzipLevel;
  return codec === batch.CODEC.ZSTD ? config.compressionZstdLevel : undefined;
}
