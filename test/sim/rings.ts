/** A pair of rings between a role and whoever holds the other ends; nobody sleeps here, so no bell makes a sound. */
import { Bell } from '../../src/runtime/rings/bell.ts';
import { Inbox, newRing, Outbox } from '../../src/runtime/rings/ring.ts';

const silent = () => new Bell(new Int32Array(new SharedArrayBuffer(4)), () => {});

export interface Linked {
  linked(peer: string, inbox: Inbox, outbox: Outbox): void;
}

/** Links the role to `peer`, and gives the peer's ends. */
export function rings(slots: number, role: Linked, peer: string): [Inbox, Outbox] {
  const [there, back] = [newRing(slots), newRing(slots)];
  role.linked(peer, new Inbox(there), new Outbox(back, silent()));
  return [new Inbox(back), new Outbox(there, silent())];
}
