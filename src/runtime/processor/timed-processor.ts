/** A processor that measures each of its requests, for a broker that profiles itself: others have no branch and no clock for it. */
import type { Memory } from '../../base/memory.ts';
import type { Call } from '../net/call.ts';
import type { Connection } from '../net/connection.ts';
import type { Block } from '../net/intake.ts';
import type { Outgoing } from '../net/outgoing.ts';
import { Processor, type ProcessorParts } from './processor.ts';
import type { RequestTimes } from './request-times.ts';

/** A request on its way. Moments are 0 until they have come. */
interface Passing {
  readonly apiKey: number;
  queueMs: number;
  workMs: number;
  startedAt: number;
  readyAt: number;
}

export class TimedProcessor extends Processor {
  readonly #times: RequestTimes;
  readonly #monotonic: () => number;
  readonly #underWay = new Map<Call, Passing>();
  /** Answers of which something may still have to go. */
  #sending: { readonly outgoing: Outgoing; readonly passing: Passing }[] = [];

  constructor(parts: ProcessorParts, times: RequestTimes) {
    super(parts);
    this.#times = times;
    this.#monotonic = () => parts.clock.monotonic();
  }

  override frame(
    connection: Connection,
    memory: Memory,
    offset: number,
    length: number,
    block: Block,
    now: number,
  ): Call | null {
    const before = this.#monotonic();
    const call = super.frame(connection, memory, offset, length, block, now);
    if (call === null || call.abandoned) return call;
    const after = this.#monotonic();
    const passing = this.#passing(call);
    passing.queueMs = Math.max(0, before - now);
    passing.workMs = after - before;
    passing.startedAt = after;
    if (call.done && call.silent) this.#over(call, passing, after);
    return call;
  }

  /** Within `frame` when the answer is there at once. */
  override ready(call: Call): void {
    super.ready(call);
    if (call.abandoned) return;
    const passing = this.#passing(call);
    passing.readyAt = this.#monotonic();
    if (call.silent && passing.startedAt > 0) this.#over(call, passing, passing.readyAt);
  }

  override encode(call: Call, outgoing: Outgoing): boolean {
    const isWritten = super.encode(call, outgoing);
    const passing = this.#underWay.get(call);
    this.#underWay.delete(call);
    if (isWritten && passing !== undefined) this.#sending.push({ outgoing, passing });
    return isWritten;
  }

  override releaseCall(call: Call): void {
    super.releaseCall(call);
    this.#underWay.delete(call);
  }

  override settle(now: number): boolean {
    const any = super.settle(now);
    if (this.#sending.length === 0) return any;
    const at = this.#monotonic();
    const left = this.#sending.filter(({ outgoing }) => !outgoing.empty);
    for (const { outgoing, passing } of this.#sending) if (outgoing.empty) this.#count(passing, at);
    this.#sending = left;
    return any;
  }

  #passing(call: Call): Passing {
    const known = this.#underWay.get(call);
    if (known !== undefined) return known;
    const passing = { apiKey: call.apiKey, queueMs: 0, workMs: 0, startedAt: 0, readyAt: 0 };
    this.#underWay.set(call, passing);
    return passing;
  }

  #over(call: Call, passing: Passing, at: number): void {
    this.#underWay.delete(call);
    this.#count(passing, at);
  }

  #count({ apiKey, queueMs, workMs, startedAt, readyAt }: Passing, sentAt: number): void {
    const ready = Math.max(startedAt, readyAt);
    this.#times.add(apiKey, queueMs, workMs, ready - startedAt, Math.max(0, sentAt - ready));
  }
}
