/** The rings between a role and the others it talks with, by their names: h0, p1, b0 ... */
import type { Inbox, Outbox } from './ring.ts';

export interface Linked {
  readonly peer: string;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
}

export class Links<L extends Linked> {
  readonly all: L[] = [];

  add(link: L): void {
    this.all.push(link);
  }

  /** What the peer said last has been read: all that leads there goes. */
  remove(peer: string): L | undefined {
    const index = this.all.findIndex((link) => link.peer === peer);
    return index < 0 ? undefined : this.all.splice(index, 1)[0];
  }

  /** Something waits to be read. */
  get pending(): boolean {
    for (const { inbox } of this.all) if (inbox.peek() >= 0) return true;
    return false;
  }

  /** Something did not fit its ring. Its reader rings no bell when it has made room: look again soon. */
  get congested(): boolean {
    for (const { outbox } of this.all) if (outbox.congested) return true;
    return false;
  }

  get queued(): number {
    return this.all.reduce((sum, { inbox }) => sum + inbox.queued, 0);
  }

  ringBells(): void {
    for (const { outbox } of this.all) outbox.ringBell();
  }
}
