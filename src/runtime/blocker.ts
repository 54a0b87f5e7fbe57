/**
 * The thread for calls that really block: syncs and reads of what is not in the page cache. Sleeps on a futex; what is
 * asked is done in order, the same file's sync only once for all that ask in one go.
 */
import type { FileTable } from '../log/leases.ts';
import type { Counters } from './counters.ts';
import { type Linked, Links } from './rings/links.ts';
import { BLOCKED_DONE, READ_AHEAD, SYNC } from './rings/messages.ts';
import type { Inbox, Outbox } from './rings/ring.ts';

/** The blocking calls: errno, 0 for success. */
export interface BlockingCalls {
  sync(descriptor: number): number;
  readAhead(descriptor: number, position: number, length: number): number;
}

export class Blocker {
  readonly name: string;
  readonly #calls: BlockingCalls;
  readonly #files: FileTable;
  readonly #counters: Counters;
  readonly #links = new Links<Linked>();

  constructor(name: string, calls: BlockingCalls, files: FileTable, counters: Counters) {
    this.name = name;
    this.#calls = calls;
    this.#files = files;
    this.#counters = counters;
  }

  linked(peer: string, inbox: Inbox, outbox: Outbox): void {
    this.#links.add({ peer, inbox, outbox });
  }

  unlinked(peer: string): void {
    this.#links.remove(peer);
  }

  pending(): boolean {
    return this.#links.pending;
  }

  /** An answer did not fit its ring: look again soon. */
  get congested(): boolean {
    return this.#links.congested;
  }

  /** Does all that waits. */
  work(): void {
    for (const { inbox, outbox } of this.#links.all) {
      outbox.ringBell();
      for (let at = inbox.peek(); at >= 0; at = inbox.peek()) {
        const { words, floats } = inbox;
        const token = words[at + 1] as number;
        const descriptor = this.#files.descriptor(words[at + 2] as number);
        let errno = 0;
        if (words[at] === SYNC) {
          errno = this.#calls.sync(descriptor);
          this.#counters.add('syncs', 1);
        } else if (words[at] === READ_AHEAD) {
          errno = this.#calls.readAhead(descriptor, floats[(at >> 1) + 4] as number, floats[(at >> 1) + 5] as number);
          this.#counters.add('readAheads', 1);
        }
        inbox.next();
        outbox.send(BLOCKED_DONE, token, 0, errno, 0, 0, 0, 0);
        outbox.ringBell();
      }
    }
  }
}
