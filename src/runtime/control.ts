/**
 * What the main thread and the roles say to each other outside the rings: rare things, plain data, by message port. Each
 * question carries a number and gets one answer.
 */
import type { Change } from '../cluster/changes.ts';
import type { GroupSettings } from '../coordinator/group/desk.ts';
import type { OpenedBatch, Opening } from '../log/admission.ts';
import type { LogConfig } from '../log/config.ts';
import type { FetchSession } from '../replica/fetch-session.ts';
import type { ConnectionLimits } from './net/connection.ts';

/** A pair of rings between two roles, and what wakes the other one's thread. */
export interface Link {
  readonly peer: string;
  readonly out: SharedArrayBuffer;
  readonly in: SharedArrayBuffer;
  readonly bell: BellAddress;
  /** The intake of a processor, for handlers to read batches from. */
  readonly intake: SharedArrayBuffer | null;
  /** For letters from a handler to a processor. */
  readonly letters: SharedArrayBuffer | null;
}

/** How a thread is woken: its flag, and its eventfd, or -1 when it waits on the flag itself. */
export interface BellAddress {
  readonly flag: SharedArrayBuffer;
  readonly event: number;
}

/** An image on its way: the changes that lead to it. */
export interface ImageMessage {
  readonly clusterId: string;
  readonly changes: readonly Change[];
}

export interface RouteMessage {
  readonly name: string;
  readonly id: string;
  readonly slots: readonly number[];
}

export interface PartitionMessage {
  readonly slot: number;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly directory: string;
  readonly config: LogConfig;
  readonly minInsyncReplicas: number;
  readonly cleanShutdown: boolean;
  readonly pageCacheKept: boolean;
  readonly pageCacheDoubtful: boolean;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
}

/** Why a partition is out of service. */
export interface Cause {
  readonly why: string;
  /** The kernel's name for it, '' where it is not the disk. */
  readonly code: string;
  /** Where in the code it happened, for a fault of ours. */
  readonly stack: string | null;
}

/** A partition that was not opened, or not removed, and why. */
export interface Refused extends Cause {
  readonly slot: number;
}

export interface FrozenPartition {
  readonly slot: number;
  /** Nothing of one that is out of service. */
  readonly bytes: Uint8Array;
}

export interface MovedConnection {
  readonly descriptor: number;
  readonly listener: number;
  readonly peer: string;
  readonly left: Uint8Array;
  readonly sessions: readonly FetchSession[];
}

export type ControlMessage =
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'unlink'; readonly peer: string }
  | {
      readonly kind: 'changes';
      readonly changes: readonly Change[];
      readonly add: readonly RouteMessage[];
      readonly remove: readonly string[];
    }
  | { readonly kind: 'image'; readonly image: ImageMessage; readonly add: readonly RouteMessage[] }
  | { readonly kind: 'hold'; readonly slots: readonly number[] }
  | { readonly kind: 'resume'; readonly slots: readonly number[] }
  | { readonly kind: 'answer'; readonly token: number; readonly body: unknown; readonly error: string | null }
  | { readonly kind: 'leave'; readonly count: number }
  | { readonly kind: 'adopt'; readonly connection: MovedConnection }
  | { readonly kind: 'open'; readonly partitions: readonly PartitionMessage[] }
  | {
      readonly kind: 'configure';
      readonly slots: readonly number[];
      readonly config: LogConfig;
      readonly minInsyncReplicas: number;
    }
  | { readonly kind: 'sizes' }
  | { readonly kind: 'fail'; readonly slots: readonly number[]; readonly why: string }
  | { readonly kind: 'remove'; readonly slots: readonly number[] }
  | { readonly kind: 'freeze'; readonly slots: readonly number[] }
  | { readonly kind: 'thaw'; readonly partitions: readonly (PartitionMessage & FrozenPartition)[] }
  | { readonly kind: 'opened'; readonly token: number; readonly opened: OpenedBatch }
  | { readonly kind: 'startKept'; readonly token: number; readonly kept: boolean }
  | { readonly kind: 'producers'; readonly slots: readonly number[] }
  | { readonly kind: 'close' }
  | { readonly kind: 'listen'; readonly listener: number; readonly host: string; readonly port: number }
  | { readonly kind: 'processors'; readonly names: readonly string[] }
  | { readonly kind: 'share'; readonly max: number }
  | { readonly kind: 'connectionsMax'; readonly count: number }
  | { readonly kind: 'stop' }
  | { readonly kind: 'count' };

export interface ProcessorLimits {
  readonly connection: ConnectionLimits;
  readonly zeroCopyMinBytes: number;
  readonly fetchBytesMax: number;
  readonly autoCreateTopics: boolean;
  readonly describedPartitionsMax: number;
  readonly queuedRequestsMax: number;
  readonly sessionSlotsMax: number;
  readonly nodeId: number;
  readonly listeners: readonly string[];
}

/** From main to a thread. `to` names a role, or '' for the thread itself. */
export interface Question {
  readonly sequence: number;
  readonly to: string;
  readonly message: ControlMessage | ThreadMessage;
}

export type ThreadMessage =
  | { readonly kind: 'host'; readonly role: RoleMessage }
  | { readonly kind: 'retire'; readonly role: string };

export type RoleMessage =
  | { readonly role: 'acceptor'; readonly name: string; readonly row: number }
  | { readonly role: 'blocker'; readonly name: string; readonly row: number }
  | {
      readonly role: 'processor';
      readonly name: string;
      readonly index: number;
      readonly row: number;
      readonly intake: SharedArrayBuffer;
      readonly descriptors: SharedArrayBuffer;
      readonly queuedBytesMax: number;
      readonly limits: ProcessorLimits;
      readonly image: ImageMessage;
      readonly routes: readonly RouteMessage[];
      readonly seed: number;
    }
  | {
      readonly role: 'handler';
      readonly name: string;
      readonly index: number;
      readonly row: number;
      readonly groupCommit: boolean;
      readonly fullValidation: boolean;
      readonly retentionCheckMs: number;
      readonly checkpointMs: number;
      readonly filesMax: number;
      readonly groups: GroupSettings;
      readonly groupExpiryCheckMs: number;
      readonly image: ImageMessage;
      readonly seed: number;
    };

/** From a thread to main. */
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reply'; readonly sequence: number; readonly value: unknown; readonly error: string | null }
  | {
      readonly kind: 'ask';
      readonly from: string;
      readonly token: number;
      readonly api: number;
      readonly version: number;
      readonly listener: number;
      readonly clientId: string | null;
      readonly request: unknown;
    }
  | {
      readonly kind: 'openBatch';
      readonly from: string;
      readonly token: number;
      readonly processor: string;
      readonly offset: number;
      readonly length: number;
      readonly opening: Opening;
    }
  | { readonly kind: 'move'; readonly from: string; readonly connection: MovedConnection }
  | { readonly kind: 'keepStart'; readonly from: string; readonly token: number; readonly slot: number }
  | ({ readonly kind: 'offline'; readonly from: string } & Refused)
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly event: string;
      readonly values?: Record<string, unknown>;
    };
