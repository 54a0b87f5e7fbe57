/**
 * What happens to a group, one thing after the other: as long as what one of them wrote is on its way into the log the others
 * wait. So each sees what the log says, and what the log loses is lost for the one that wrote it alone.
 */
export interface Turn {
  /** Calls `done` once, when nothing of it is under way any more. */
  run(done: () => void): void;
  /** Instead of `run`, when the group goes. */
  refuse(error: number): void;
  /** Instead of `run`, when another group has taken the place of this one. */
  again(): void;
}

export class Turns {
  #waiting: Turn[] = [];
  #isTaken = false;
  #isCalling = false;

  /** Something is under way or waits. */
  get isBusy(): boolean {
    return this.#isTaken || this.#waiting.length > 0;
  }

  take(turn: Turn): void {
    this.#waiting.push(turn);
    this.#go();
  }

  refuse(error: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const turn of waiting) turn.refuse(error);
  }

  /** Another group takes its place: whoever waits waits no more, and is to go there. */
  leave(): readonly Turn[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #go(): void {
    // A turn that is done at once comes back here: the loop below goes on with the next.
    if (this.#isCalling) return;
    this.#isCalling = true;
    while (!this.#isTaken) {
      const turn = this.#waiting.shift();
      if (turn === undefined) break;
      this.#isTaken = true;
      turn.run(() => {
        this.#isTaken = false;
        this.#go();
      });
    }
    this.#isCalling = false;
  }
}
