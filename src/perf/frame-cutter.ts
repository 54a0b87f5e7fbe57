/** Cuts what a socket brings into frames; each is copied once, when it is whole, however many pieces it came in. */
const SIZE_BYTES = 4;

export class FrameCutter {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  /** The size field of the frame that is coming; -1 until it is there. */
  #size = -1;

  /** Gives each frame that is whole now, without its size field. */
  take(piece: Buffer, give: (frame: Uint8Array) => void): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    for (;;) {
      if (this.#size < 0) {
        if (this.#bytes < SIZE_BYTES) return;
        this.#size = this.#cut(SIZE_BYTES).readInt32BE(0);
      }
      if (this.#bytes < this.#size) return;
      const frame = this.#cut(this.#size);
      this.#size = -1;
      give(frame);
    }
  }

  /** A copy of the first bytes, which go from the pieces. */
  #cut(length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    let at = 0;
    let whole = 0;
    while (at < length) {
      const first = this.#pieces[whole] as Buffer;
      const taken = Math.min(first.length, length - at);
      first.copy(bytes, at, 0, taken);
      at += taken;
      if (taken < first.length) this.#pieces[whole] = first.subarray(taken);
      else whole += 1;
    }
    this.#pieces.splice(0, whole);
    this.#bytes -= length;
    return bytes;
  }
}
