/**
 * Which roles live on which threads. A number of threads means that many real threads of the role; `auto` puts a processor
 * and a handler together on each loop, one loop for two cores, because a batch that is appended where it was received
 * costs a third less than one that changes threads.
 */

export interface ThreadPlan {
  readonly name: string;
  readonly roles: readonly string[];
}

export type ThreadCount = number | 'auto';

export interface PoolSizes {
  readonly network: number;
  readonly io: number;
}

const LOOPS_MAX = 8;

/** The acceptor of a listener. */
export function acceptorOf(listener: number): string {
  return `a${listener}`;
}

export const BLOCKER = 'b0';

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** All acceptors live with the first processor: they have little to do. */
export function place(
  network: ThreadCount,
  io: ThreadCount,
  cores: number,
  portable: boolean,
  listeners = 1,
): ThreadPlan[] {
  const acceptors = indices(listeners).map(acceptorOf);
  const withAcceptors = (index: number, roles: string[]) => (index === 0 ? [...acceptors, ...roles] : roles);
  const loops = Math.min(LOOPS_MAX, Math.max(1, Math.floor(cores / 2)));
  const processors = indices(network === 'auto' ? (portable ? 1 : loops) : network);
  const handlers = indices(io === 'auto' ? (portable ? 1 : processors.length) : io);
  if (portable) return placePortable(acceptors, processors, handlers, io === 'auto');
  if (io === 'auto') {
    return processors.map((index) => ({
      name: `loop-${index}`,
      roles: withAcceptors(index, [`p${index}`, `h${index}`]),
    }));
  }
  return [
    ...processors.map((index) => ({ name: `net-${index}`, roles: withAcceptors(index, [`p${index}`]) })),
    ...handlers.map((index) => ({ name: `io-${index}`, roles: [`h${index}`] })),
  ];
}

/** How many processors and handlers these plans have. */
export function sizesOf(threads: readonly ThreadPlan[]): PoolSizes {
  const roles = threads.flatMap((thread) => thread.roles);
  const count = (letter: string): number => roles.filter((role) => role.startsWith(letter)).length;
  return { network: count('p'), io: count('h') };
}

/** Sockets of `node:net` cannot change threads: all processors share one, the number says how many roles. */
function placePortable(acceptors: string[], processors: number[], handlers: number[], together: boolean): ThreadPlan[] {
  const network = [...acceptors, ...processors.map((index) => `p${index}`)];
  if (together) return [{ name: 'loop-0', roles: [...network, ...handlers.map((index) => `h${index}`)] }];
  return [
    { name: 'net-0', roles: network },
    ...handlers.map((index) => ({ name: `io-${index}`, roles: [`h${index}`] })),
  ];
}

/** In one line, for banners and logs: "loop-0: a0 p0 h0". */
export function describe(threads: readonly ThreadPlan[]): string {
  return threads.map(({ name, roles }) => `${name}: ${roles.join(' ')}`).join(', ');
}
