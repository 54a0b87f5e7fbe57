/** What ends a load with an exit code and one sentence that says what to do. */
export const EXIT_CONNECTION = 1;
export const EXIT_REFUSED = 2;
export const EXIT_INCOMPLETE = 3;
export const EXIT_INTERRUPTED = 130;

export class PerfProblem extends Error {
  override readonly name = 'PerfProblem';
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
