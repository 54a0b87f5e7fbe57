/**
 * The four compressions of record batches, by the codec number in a batch's attributes: bytes in, bytes out, nothing kept.
 * Input lies in unshared memory; a result has its buffer to itself. No output grows beyond the cap that it was given.
 */
import * as zlib from 'node:zlib';
import { assert } from '../base/assert.ts';
import { CODEC } from './batch.ts';
import { CompressionError } from './compression-error.ts';
import { compressLz4, decompressLz4 } from './lz4.ts';
import { compressSnappy, decompressSnappy } from './snappy.ts';
import { zstdFrames } from './zstd-frame.ts';

/** A frame costs a decoder of its own; writers use one for a batch. */
const ZSTD_FRAMES_MAX = 64;

/** Throws CompressionError for bytes that are not what `codec` says, are cut short or followed by others, or give more than `outputBytesMax`. */
export function decompress(codec: number, bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  assert(outputBytesMax >= 1, 'an output cap below one byte', { outputBytesMax });
  switch (codec) {
    case CODEC.GZIP:
      return gunzip(bytes, outputBytesMax);
    case CODEC.SNAPPY:
      return decompressSnappy(bytes, outputBytesMax);
    case CODEC.LZ4:
      return decompressLz4(bytes, outputBytesMax);
    case CODEC.ZSTD:
      return decompressZstd(bytes, outputBytesMax);
    default:
      throw new CompressionError(`codec ${codec} is no compression`);
  }
}

/** `level` counts for gzip and zstd; the codec's own default where it is not given. */
export function compress(codec: number, bytes: Uint8Array, level?: number): Uint8Array {
  switch (codec) {
    case CODEC.GZIP:
      return owned(zlib.gzipSync(bytes, level === undefined ? {} : { level }));
    case CODEC.SNAPPY:
      return compressSnappy(bytes);
    case CODEC.LZ4:
      return compressLz4(bytes);
    case CODEC.ZSTD:
      needZstd();
      return owned(zlib.zstdCompressSync(bytes, level === undefined ? {} : zstdLevel(level)));
    default:
      throw new CompressionError(`codec ${codec} is no compression`);
  }
}

function zstdLevel(level: number): zlib.ZstdOptions {
  return { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } };
}

function gunzip(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  try {
    return owned(zlib.gunzipSync(bytes, { maxOutputLength: outputBytesMax }));
  } catch (error) {
    throw refusal('gzip', error, outputBytesMax);
  }
}

function decompressZstd(bytes: Uint8Array, outputBytesMax: number): Uint8Array {
  needZstd();
  const frames = zstdFrames(bytes, ZSTD_FRAMES_MAX);
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const frame of frames) {
    const room = outputBytesMax - size;
    if (frame.contentBytes > room) throw new CompressionError(`zstd: more than ${outputBytesMax} bytes`);
    const part = decompressZstdFrame(bytes.subarray(frame.start, frame.end), room, outputBytesMax);
    if (frame.contentBytes >= 0 && part.length !== frame.contentBytes) {
      throw new CompressionError(`zstd: ${part.length} bytes where ${frame.contentBytes} were announced`);
    }
    parts.push(part);
    size += part.length;
  }
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return only;
  const output = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    output.set(part, at);
    at += part.length;
  }
  return output;
}

/** Of no room an empty frame is still decoded, so that its checksum counts: the runtime takes no cap below one. */
function decompressZstdFrame(bytes: Uint8Array, room: number, outputBytesMax: number): Uint8Array {
  let part: Uint8Array;
  try {
    part = owned(zlib.zstdDecompressSync(bytes, { maxOutputLength: Math.max(room, 1) }));
  } catch (error) {
    throw refusal('zstd', error, outputBytesMax);
  }
  if (part.length > room) throw new CompressionError(`zstd: more than ${outputBytesMax} bytes`);
  return part;
}

function needZstd(): void {
  if (typeof zlib.zstdDecompressSync !== 'function') {
    throw new CompressionError('zstd: this runtime has none, Node 22.15 or later has');
  }
}

/** zlib hands out parts of larger and pooled buffers. */
function owned(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength === bytes.buffer.byteLength) return new Uint8Array(bytes.buffer);
  return new Uint8Array(bytes);
}

function refusal(codec: string, cause: unknown, outputBytesMax: number): CompressionError {
  const tooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';
  const why = tooLarge ? `more than ${outputBytesMax} bytes` : cause instanceof Error ? cause.message : String(cause);
  return new CompressionError(`${codec}: ${why}`, { cause });
}
