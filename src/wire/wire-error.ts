/** Bytes that are no valid message, or a value that no valid message can carry. Says which field and where; the sender's fault. */
export class WireError extends Error {
  override readonly name = 'WireError';
}
