/**
 * The floor that the APIs act on: operations under way, what waits for the controller, who watches which partition. It sends
 * questions to the owners of partitions and gives their answers to the operations that asked.
 */
import type { ApiCall, Floor, FloorLimits, Located, Operation, Route, Watcher } from '../../api/floor.ts';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Timers } from '../../base/timers.ts';
import type { Uuid } from '../../base/uuid.ts';
import { apply, type Change } from '../../cluster/changes.ts';
import type { MetadataImage } from '../../cluster/image.ts';
import type { FetchSessions } from '../../replica/fetch-session.ts';
import type { PublishedPartitions } from '../../replica/published.ts';
import { REQUEST_ELEMENTS_MAX, type Reader } from '../../wire/reader.ts';
import type { FromThread, RouteMessage } from '../control.ts';
import type { Block, Intake } from '../net/intake.ts';
import { hostOf, type PackedHost, packHost } from '../net/peer-address.ts';
import {
  ADVANCED,
  APPEND,
  APPENDED,
  COORDINATE,
  DELETE_RECORDS,
  END_OF_EPOCH,
  EPOCH_END_FOUND,
  LIST_OFFSET,
  LOCATE,
  LOCATED,
  OFFSET_LISTED,
  RANGE_IN_OLDER,
  RANGE_WARM,
  RECORDS_DELETED,
  TAKEN,
} from '../rings/messages.ts';
import type { Inbox } from '../rings/ring.ts';
import type { Owners } from './owners.ts';

export interface RequestFloorParts {
  /** The processor's name and number. */
  readonly name: string;
  readonly index: number;
  readonly owners: Owners;
  readonly published: PublishedPartitions;
  readonly sessions: FetchSessions;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly intake: Intake;
  /** Has read the request that is being started. */
  readonly reader: Reader;
  readonly image: MetadataImage;
  readonly limits: FloorLimits;
  releaseLease(slot: number): void;
  /** A fault of ours in the work for a call. */
  failed(call: ApiCall, problem: Error): void;
  /** Where a connection comes from. */
  peer(connection: number): string;
  post(message: FromThread): void;
}

/** Elements of requests that wait for the main thread: it gets a copy of each, so those of many clients add up. */
const ASKED_ELEMENTS_MAX = 4 * REQUEST_ELEMENTS_MAX;

interface Asked {
  readonly call: ApiCall;
  readonly then: ((body: unknown) => void) | null;
  readonly elements: number;
}

export class RequestFloor implements Floor {
  readonly published: PublishedPartitions;
  readonly sessions: FetchSessions;
  readonly timers: Timers;
  image: MetadataImage;
  limits: FloorLimits;
  /** Holds the frame that is being read. */
  frameBlock: Block | null = null;
  /** Where the frame lies in the intake, from its header on. */
  frameOffset = 0;
  frameLength = 0;
  /** Questions to owners that are not answered yet. */
  inFlight = 0;
  readonly #parts: RequestFloorParts;
  readonly #owners: Owners;
  readonly #operations: (Operation | undefined)[] = [];
  /** Of each operation, which one it is of all there ever were: its number is given again. */
  readonly #serials: number[] = [];
  #nextSerial = 0;
  readonly #freeOperations: number[] = [];
  readonly #watchers = new Map<number, Set<Watcher>>();
  readonly #asked = new Map<number, Asked>();
  #askedElements = 0;
  /** By operation: what holds the bytes of its request. */
  readonly #payloads: (Block | undefined)[] = [];
  /** Parts of operations that their coordinators have taken and not answered. */
  readonly #parked = new Map<number, Set<number>>();
  readonly #host: PackedHost = { w: 0, x: 0, y: 0 };
  readonly #located: Located = {
    slot: -1,
    length: 0,
    firstBatchBytes: 0,
    warm: false,
    inOlder: false,
    position: 0,
    highWatermark: 0,
    logStartOffset: 0,
    lastStableOffset: 0,
  };
  #nextToken = 1;

  constructor(parts: RequestFloorParts) {
    this.#parts = parts;
    this.#owners = parts.owners;
    this.published = parts.published;
    this.sessions = parts.sessions;
    this.timers = parts.timers;
    this.image = parts.image;
    this.limits = parts.limits;
  }

  /** Nobody on the floor waits for an owner or the controller. */
  get quiet(): boolean {
    return this.inFlight === 0 && this.#asked.size === 0;
  }

  /** So much waits for the main thread that nothing more may be started. */
  get full(): boolean {
    return this.#askedElements >= ASKED_ELEMENTS_MAX;
  }

  /** How much is under way for calls: what a call has begun, it ends. */
  get begun(): number {
    return this.#operations.length - this.#freeOperations.length + this.#asked.size;
  }

  get watching(): number {
    let count = 0;
    for (const watchers of this.#watchers.values()) count += watchers.size;
    return count;
  }

  become(image: MetadataImage, routes: readonly RouteMessage[]): void {
    this.image = image;
    this.#owners.update(routes, []);
  }

  change(changes: readonly Change[], add: readonly RouteMessage[], remove: readonly Uuid[]): void {
    this.image = apply(this.image, changes);
    this.#owners.update(add, remove);
  }

  controllerAnswered(token: number, body: unknown, error: string | null): void {
    const asked = this.#asked.get(token);
    this.#asked.delete(token);
    if (asked === undefined) return;
    this.#askedElements -= asked.elements;
    if (error !== null) asked.call.close(error);
    else
      this.attempt(asked.call, () => {
        if (asked.then !== null) asked.then(body);
        else asked.call.answer(body);
      });
  }

  /** An owner's message. False when it is none. */
  take(inbox: Inbox, at: number): boolean {
    const type = inbox.words[at] as number;
    const a = inbox.words[at + 1] as number;
    if (type === ADVANCED) {
      this.#advanced(a);
      return true;
    }
    if (type === TAKEN) {
      this.#taken(a, inbox.words[at + 2] as number);
      return true;
    }
    if (type < APPENDED || type > EPOCH_END_FOUND) return false;
    const operation = this.#operation(a);
    this.inFlight -= 1;
    try {
      this.#give(operation, type, inbox, at);
    } catch (problem) {
      this.#parts.failed(operation.call, problem as Error);
    }
    return true;
  }

  #give(operation: Operation, type: number, { words, floats }: Inbox, at: number): void {
    const half = at >> 1;
    const b = words[at + 2] as number;
    const c = words[at + 3] as number;
    const w = floats[half + 4] as number;
    const x = floats[half + 5] as number;
    const y = floats[half + 6] as number;
    switch (type) {
      case APPENDED:
        return operation.appended?.(b, c, w, x, y, words[at + 4] as number, words[at + 5] as number);
      case LOCATED: {
        const located = this.#located;
        located.slot = words[at + 4] as number;
        located.length = words[at + 5] as number;
        located.firstBatchBytes = words[at + 6] as number;
        located.warm = words[at + 7] === RANGE_WARM;
        located.inOlder = words[at + 7] === RANGE_IN_OLDER;
        located.position = w;
        located.highWatermark = x;
        located.logStartOffset = y;
        located.lastStableOffset = floats[half + 7] as number;
        return operation.located?.(b, c, located);
      }
      case OFFSET_LISTED:
        return operation.offsetListed?.(b, c, words[at + 4] as number, w, x);
      case RECORDS_DELETED:
        return operation.recordsDeleted?.(b, c, w);
      case EPOCH_END_FOUND:
        return operation.epochEndFound?.(b, c, words[at + 4] as number, w);
      default:
        assert(false, 'an answer of an owner has its type', { type });
    }
  }

  /** A coordinator's answer to a part, or an error code in place of it. */
  coordinated(id: number, part: number, error: number, letter: Uint8Array): void {
    const parked = this.#parked.get(id);
    const wasTaken = parked?.delete(part) ?? false;
    if (parked?.size === 0) this.#parked.delete(id);
    if (!wasTaken) this.inFlight -= 1;
    const operation = this.#operation(id);
    this.attempt(operation.call, () => operation.coordinated?.(part, error, letter, wasTaken));
  }

  get deletions(): number {
    return this.#owners.deletions;
  }

  releaseLease(slot: number): void {
    this.#parts.releaseLease(slot);
  }

  monotonic(): number {
    return this.#parts.clock.monotonic();
  }

  route(topic: string): Route | null {
    return this.#owners.route(topic);
  }

  routeById(id: Uuid): Route | null {
    return this.#owners.routeById(id);
  }

  open(operation: Operation): number {
    const id = this.#freeOperations.pop() ?? this.#operations.length;
    this.#operations[id] = operation;
    this.#nextSerial = (this.#nextSerial + 1) | 0;
    this.#serials[id] = this.#nextSerial;
    return id;
  }

  close(operation: number): void {
    this.#operations[operation] = undefined;
    this.#freeOperations.push(operation);
  }

  append(operation: number, part: number, slot: number, offset: number, length: number, flags: number): void {
    this.inFlight += 1;
    this.#owners.send(APPEND, operation, part, slot, offset, length, -1, flags, 0);
  }

  locate(op: number, part: number, slot: number, bytesMax: number, flags: number, epoch: number, offset: number): void {
    this.inFlight += 1;
    this.#owners.send(LOCATE, op, part, slot, bytesMax, flags, epoch, 0, offset);
  }

  listOffset(op: number, part: number, slot: number, isolation: number, epoch: number, timestamp: number): void {
    this.inFlight += 1;
    this.#owners.send(LIST_OFFSET, op, part, slot, isolation, 0, epoch, 0, timestamp);
  }

  deleteRecords(op: number, part: number, slot: number, offset: number): void {
    this.inFlight += 1;
    this.#owners.send(DELETE_RECORDS, op, part, slot, 0, 0, 0, 0, offset);
  }

  epochEnd(op: number, part: number, slot: number, leaderEpoch: number, epoch: number): void {
    this.inFlight += 1;
    this.#owners.send(END_OF_EPOCH, op, part, slot, epoch, 0, leaderEpoch, 0, 0);
  }

  coordinate(operation: number, part: number, slot: number, call: ApiCall): void {
    this.inFlight += 1;
    const host = this.#host;
    packHost(hostOf(this.#parts.peer(call.connection)), host);
    const { frameOffset, frameLength } = this;
    const serial = this.#serials[operation] as number;
    this.#owners.send(COORDINATE, operation, part, slot, frameOffset, frameLength, serial, 0, host.w, host.x, host.y);
  }

  holdPayload(operation: number): void {
    const block = this.frameBlock;
    assert(block !== null, 'a payload is held while its frame is read');
    this.#parts.intake.retain(block);
    this.#payloads[operation] = block;
  }

  releasePayload(operation: number): void {
    const block = this.#payloads[operation];
    assert(block !== undefined, 'a payload that is released is held', { operation });
    this.#payloads[operation] = undefined;
    this.#parts.intake.release(block);
  }

  watch(slot: number, watcher: Watcher): void {
    let watchers = this.#watchers.get(slot);
    if (watchers === undefined) {
      watchers = new Set();
      this.#watchers.set(slot, watchers);
    }
    watchers.add(watcher);
    this.published.watch(slot, this.#parts.index);
  }

  unwatch(slot: number, watcher: Watcher): void {
    const watchers = this.#watchers.get(slot);
    if (watchers?.delete(watcher) && watchers.size === 0) this.#watchers.delete(slot);
  }

  attempt(call: ApiCall, work: () => void): void {
    try {
      work();
    } catch (problem) {
      this.#parts.failed(call, problem as Error);
    }
  }

  askController(call: ApiCall, api: number, request: unknown, then: ((body: unknown) => void) | null = null): void {
    const token = this.#nextToken++ & 0x7fffffff;
    const { elements } = this.#parts.reader;
    this.#askedElements += elements;
    this.#asked.set(token, { call, then, elements });
    const { version, listener, clientId } = call;
    this.#parts.post({ kind: 'ask', from: this.#parts.name, token, api, version, listener, clientId, request });
  }

  #operation(id: number): Operation {
    const operation = this.#operations[id];
    assert(operation !== undefined, 'an answer belongs to an open operation', { id });
    return operation;
  }

  /** Its coordinator has read it and answers later: it does not count as under way. */
  #taken(id: number, part: number): void {
    this.inFlight -= 1;
    this.#parked.set(id, (this.#parked.get(id) ?? new Set()).add(part));
    const operation = this.#operation(id);
    this.attempt(operation.call, () => operation.taken?.());
  }

  #advanced(slot: number): void {
    const watchers = this.#watchers.get(slot);
    if (watchers === undefined) return;
    this.#watchers.delete(slot);
    for (const watcher of watchers) {
      try {
        watcher.advanced(slot);
      } catch (problem) {
        this.#parts.failed(watcher.call, problem as Error);
      }
    }
  }
}
