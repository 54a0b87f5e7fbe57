/** A job: opens a compressed batch and checks its records one by one, as uncompressed ones are checked where they arrive. */
import { WALK_OK } from '../base/kernels.ts';
import { memoryOver } from '../base/memory.ts';
import { PortableKernels } from '../base/portable-kernels.ts';
import * as batch from '../wire/batch.ts';
import { CompressionError } from '../wire/compression-error.ts';
import { decompressRecords } from '../wire/decompress-batch.ts';
import { ERROR } from '../wire/errors.ts';

export interface CheckBatch {
  readonly memory: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
  readonly needKeys: boolean;
}

const kernels = new PortableKernels();

/** Kafka's error code. Its owner looks at the header and the sum again when the batch is taken. */
export default function checkBatch({ memory, offset, length, needKeys }: CheckBatch): number {
  const received = memoryOver(new Uint8Array(memory));
  const { view } = received;
  const codec = batch.attributes(view, offset) & batch.CODEC_MASK;
  if (codec > batch.CODEC_LAST) return ERROR.UNSUPPORTED_COMPRESSION_TYPE;
  try {
    const records = memoryOver(
      decompressRecords(codec, received, offset + batch.HEADER_BYTES, length - batch.HEADER_BYTES),
    );
    const count = batch.recordsCount(view, offset);
    const found = kernels.walkRecords(records, 0, records.bytes.length, count, needKeys);
    return found === WALK_OK ? ERROR.NONE : ERROR.INVALID_RECORD;
  } catch (problem) {
    if (!(problem instanceof CompressionError)) throw problem;
    return ERROR.CORRUPT_MESSAGE;
  }
}
