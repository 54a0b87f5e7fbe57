/** Compressed records that cannot be taken apart: damaged, cut short, or larger than the cap. The sender's fault, said in one sentence. */
export class CompressionError extends Error {
  override readonly name = 'CompressionError';
}
