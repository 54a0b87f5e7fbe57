/** An answer that is an error code. Whoever brought the trouble about knows which codes it may bring. */
export class Refused extends Error {
  readonly errorCode: number;

  constructor(about: string, errorCode: number) {
    super(`${about}: error ${errorCode}`);
    this.errorCode = errorCode;
  }
}
