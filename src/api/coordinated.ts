/**
 * What the requests of groups have in common. The thread of the connection finds the shards that a request is for and joins
 * their answers (`coordinate.ts`); the thread of a shard has it answer its part. An entry says how for one API.
 */
import type { Caller } from '../coordinator/group/messages.ts';
import type { GroupShard } from '../coordinator/group/shard.ts';
import type { Api, RequestOf, ResponseInput, ResponseOf } from '../wire/schema.ts';

export type Respond<A extends Api> = (body: ResponseInput<A>) => void;

export interface Coordinated<A extends Api> {
  readonly api: A;
  /** The groups that the request names, a part each; null when every shard has a part in it. */
  groups(request: RequestOf<A>, version: number): readonly string[] | null;
  /** The answer to a part whose shard cannot be asked. */
  refusal(request: RequestOf<A>, part: number, errorCode: number, version: number): ResponseInput<A>;
  /** The answer of one part, given once, now or later. Of a request for every shard all parts are the same. */
  handle(shard: GroupShard, request: RequestOf<A>, part: number, caller: Caller, respond: Respond<A>): void;
  /** The answers of the parts as one; asked only where there can be more or fewer than one. */
  together?(answers: readonly (ResponseOf<A> | ResponseInput<A>)[]): ResponseInput<A>;
}

/** The same without its types, for the threads that only pass it on. */
export type AnyCoordinated = Coordinated<Api>;

export function coordinated<A extends Api>(entry: Coordinated<A>): AnyCoordinated {
  return entry as unknown as AnyCoordinated;
}
