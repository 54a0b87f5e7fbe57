/** kafkajs brings gzip; the other compressions are plugged in, as its users do. Imported for that alone. */
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { compress, decompress } from '../../src/wire/compression.ts';

const OUTPUT_MAX = 16_777_216;

for (const codec of [CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD] as const) {
  CompressionCodecs[codec] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => Buffer.from(compress(codec, new Uint8Array(buffer))),
    decompress: async (buffer: Buffer) => Buffer.from(decompress(codec, new Uint8Array(buffer), OUTPUT_MAX)),
  });
}
