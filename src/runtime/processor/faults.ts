/**
 * What one processor says of clients that send no requests: once at first, a flood of it in few lines whose counts add up;
 * and of its own faults, each.
 */
import type { ApiCall } from '../../api/floor.ts';
import type { FromThread } from '../control.ts';
import { spokenBy } from '../net/foreign.ts';
import { Repetition } from '../repetition.ts';

const SAID_EVERY_MS = 10_000;

export class Faults {
  readonly #post: (message: FromThread) => void;
  readonly #listeners: readonly string[];
  readonly #malformed = new Repetition(SAID_EVERY_MS);
  readonly #foreign = { TLS: new Repetition(SAID_EVERY_MS), HTTP: new Repetition(SAID_EVERY_MS) };
  /** Requests that could not be read, of whatever kind. */
  count = 0;

  constructor(listeners: readonly string[], post: (message: FromThread) => void) {
    this.#listeners = listeners;
    this.#post = post;
  }

  /** A size that no request has: another protocol, or nothing at all. */
  misfit(peer: string, listener: number, size: number, now: number): void {
    const spoken = spokenBy(size);
    if (spoken === null) return this.malformed({ peer, why: `a request of ${size} bytes` }, now);
    this.count += 1;
    const values = { spoken, listener: this.#listeners[listener], peer };
    this.#say('warn', 'connection.foreign', this.#foreign[spoken].happened(now), values);
  }

  malformed(values: Readonly<Record<string, unknown>>, now: number): void {
    this.count += 1;
    this.#say('info', 'request.malformed', this.#malformed.happened(now), values);
  }

  /** A fault of ours in the work for a request. */
  failed({ apiKey: api, version }: Pick<ApiCall, 'apiKey' | 'version'>, { message: why, stack }: Error): void {
    this.#post({ kind: 'log', level: 'error', event: 'request.failed', values: { api, version, why, stack } });
  }

  /** A fault of ours in an answer. */
  unwritable({ apiKey: api, version }: ApiCall, { message: why, stack }: Error): void {
    this.#post({ kind: 'log', level: 'error', event: 'answer.unwritable', values: { api, version, why, stack } });
  }

  /** The rest of a flood, once nothing comes any more. */
  sayRest(now: number): void {
    this.#say('info', 'request.malformed', this.#malformed.due(now), {});
    for (const spoken of ['TLS', 'HTTP'] as const)
      this.#say('warn', 'connection.foreign', this.#foreign[spoken].due(now), { spoken });
  }

  #say(level: 'info' | 'warn', event: string, count: number, values: Readonly<Record<string, unknown>>): void {
    if (count > 0) this.#post({ kind: 'log', level, event, values: { count, ...values } });
  }
}
