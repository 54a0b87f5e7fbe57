/** Waiting for a condition, with a deadline; nothing else in tests waits for time to pass. */

/** For what is at rest soon, but not at once. */
export const REST_WITHIN_MS = 10_000;

/** Asks again until the answer pleases or time is over; gives the last answer. */
export async function eventually<T>(
  ask: () => Promise<T> | T,
  pleases: (answer: T) => boolean,
  withinMs = REST_WITHIN_MS,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (pleases(answer) || performance.now() > deadline) return answer;
    await new Promise((done) => setTimeout(done, 20));
  }
}
