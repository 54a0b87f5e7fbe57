/** A member of a classic group: what it joined with, what it was assigned, and the answer it waits for. Decides nothing. */
import { Timer } from '../../base/timers.ts';
import type { JoinResponse, Respond, SyncResponse } from './messages.ts';
import type { ClassicMemberValue } from './records.ts';

export const NO_BYTES = new Uint8Array(0);

/** A way of sharing out partitions that the member can do, the best liked first; the metadata is opaque. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

/** What a join may change of a member that is there. */
export interface Joined {
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocols: readonly MemberProtocol[];
}

export interface Identity {
  readonly id: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
}

export class ClassicMember implements Joined {
  readonly id: string;
  /** Not null: a static member, which outlives its connection and its member id. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** Runs out when nothing was heard for too long. */
  readonly session: Timer;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  protocols: readonly MemberProtocol[];
  assignment: Uint8Array = NO_BYTES;
  /** Its group was of another kind: the assignment is what it reads until it joins, whatever it was to have there. */
  readsOn = false;
  /** Has never been told of a generation: nobody may be there any more, so its time runs even while it waits to join. */
  isNew = false;
  /** Of a static member: the one whose place it took, until the log has it so. */
  replaces: ClassicMember | null = null;
  /** @internal set by the group, which counts those who wait */
  joining: Respond<JoinResponse> | null = null;
  syncing: Respond<SyncResponse> | null = null;

  constructor(identity: Identity, joined: Joined, sessionOver: () => void) {
    this.id = identity.id;
    this.instanceId = identity.instanceId;
    this.clientId = identity.clientId;
    this.clientHost = identity.clientHost;
    this.rebalanceTimeoutMs = joined.rebalanceTimeoutMs;
    this.sessionTimeoutMs = joined.sessionTimeoutMs;
    this.protocols = joined.protocols;
    this.session = new Timer(sessionOver);
  }

  /** Nothing the others would have to know has changed. */
  hasJoinedWith(protocols: readonly MemberProtocol[]): boolean {
    return isOfferedAlike(this.protocols, protocols);
  }

  metadataOf(protocol: string | null): Uint8Array {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES;
  }

  /** The protocols without repetitions. */
  protocolNames(): Set<string> {
    return new Set(this.protocols.map(({ name }) => name));
  }

  /** Itself, or the one that the log has in its place. */
  get stored(): ClassicMember {
    return this.replaces?.stored ?? this;
  }

  asStored(protocol: string | null, assignment: Uint8Array): ClassicMemberValue {
    return {
      memberId: this.id,
      groupInstanceId: this.instanceId,
      clientId: this.clientId,
      clientHost: this.clientHost,
      rebalanceTimeout: this.rebalanceTimeoutMs,
      sessionTimeout: this.sessionTimeoutMs,
      subscription: this.metadataOf(protocol),
      assignment,
    };
  }
}

/** The same protocols in the same order, with the same metadata. */
export function isOfferedAlike(left: readonly MemberProtocol[], right: readonly MemberProtocol[]): boolean {
  if (left.length !== right.length) return false;
  return left.every(({ name, metadata }, at) => {
    const other = right[at] as MemberProtocol;
    return name === other.name && sameBytes(metadata, other.metadata);
  });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
