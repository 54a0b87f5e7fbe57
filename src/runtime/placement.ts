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

const LOOPS_MAX = 8;

export const ACCEPTOR = 'a0';
export const BLOCKER = 'b0';

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export function place(network: ThreadCount, io: ThreadCount, cores: number, portable: boolean): ThreadPlan[] {
  const loops = Math.min(LOOPS_MAX, Math.max(1, Math.floor(cores / 2)));
  const processors = indices(network === 'auto' ? (portable ? 1 : loops) : network);
  const handlers = indices(io === 'auto' ? (portable ? 1 : processors.length) : io);
  if (portable) return placePortable(processors, handlers, io === 'auto');
  if (io === 'auto') {
    return processors.map((index) => ({
      name: `loop-${index}`,
      roles: withAcceptor(index, [`p${index}`, `h${index}`]),
    }));
  }
  return [
    ...processors.map((index) => ({ name: `net-${index}`, roles: withAcceptor(index, [`p${index}`]) })),
    ...handlers.map((index) => ({ name: `io-${index}`, roles: [`h${index}`] })),
  ];
}

/** Sockets of `node:net` cannot change threads: all processors share one, the number says how many roles. */
function placePortable(processors: number[], handlers: number[], together: boolean): ThreadPlan[] {
  const network = [ACCEPTOR, ...processors.map((index) => `p${index}`)];
  if (together) return [{ name: 'loop-0', roles: [...network, ...handlers.map((index) => `h${index}`)] }];
  return [
    { name: 'net-0', roles: network },
    ...handlers.map((index) => ({ name: `io-${index}`, roles: [`h${index}`] })),
  ];
}

function withAcceptor(index: number, roles: string[]): string[] {
  return index === 0 ? [ACCEPTOR, ...roles] : roles;
}

/** In one line, for banners and logs: "loop-0: a0 p0 h0". */
export function describe(threads: readonly ThreadPlan[]): string {
  return threads.map(({ name, roles }) => `${name}: ${roles.join(' ')}`).join(', ');
}
