/** Time is handed in. `now` is what the calendar says, for what is stored and sent; `monotonic` never steps, for deadlines. */
export interface Clock {
  /** Milliseconds since 1970, whole. */
  now(): number;
  /** Milliseconds since some fixed moment, may have a fraction. */
  monotonic(): number;
}
