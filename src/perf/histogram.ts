/**
 * Counts values in log-linear buckets: below 128 each whole number has its own, above that each power of two has 128. A
 * quantile is exact below 128 and never more than 1/128 too high above; memory and time do not grow with what was recorded.
 */
const STEPS_LOG2 = 7;
const STEPS = 1 << STEPS_LOG2;
/** Whole numbers that a double holds exactly have at most 53 bits. */
const BITS_MAX = 53;
const BUCKETS = (BITS_MAX - STEPS_LOG2 + 1) * STEPS;
const WORD = 0x1_0000_0000;

function bucketOf(value: number): number {
  if (value < STEPS) return value;
  const high = Math.floor(value / WORD);
  const power = high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
  const shift = power - STEPS_LOG2;
  return (shift + 1) * STEPS + Math.floor(value / 2 ** shift) - STEPS;
}

/** The largest value that falls into the bucket. */
function largestOf(bucket: number): number {
  if (bucket < STEPS) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return (STEPS + (bucket % STEPS) + 1) * 2 ** shift - 1;
}

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #largest = 0;

  get count(): number {
    return this.#count;
  }

  get largest(): number {
    return this.#largest;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Fractions are cut off; what is below zero counts as zero. */
  record(value: number): void {
    const whole = Math.min(Math.max(Math.floor(value), 0), Number.MAX_SAFE_INTEGER);
    const bucket = bucketOf(whole);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count += 1;
    this.#sum += whole;
    if (whole > this.#largest) this.#largest = whole;
  }

  /** The value that at least this share (0 to 1) of all recorded ones does not exceed; 0 when there are none. */
  quantile(share: number): number {
    // Less a trace, because 0.9 × 10 is a little more than 9 in binary.
    const rank = Math.max(1, Math.ceil(share * this.#count - 1e-9));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= rank) return Math.min(largestOf(bucket), this.#largest);
    }
    return 0;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#largest = 0;
  }
}
