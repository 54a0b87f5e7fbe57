/** The real world with a board of faults before it: disk, clock, rings that are not emptied, threads that die. */
import { assert } from '../../../src/base/assert.ts';
import { type Disk, DiskError } from '../../../src/log/disk.ts';
import type { Ground } from '../../../src/runtime/ground/ground.ts';
import type { Role } from '../../../src/runtime/role.ts';
import type { ThreadData } from '../../../src/runtime/thread.ts';
import { realWorld, type World } from '../../../src/runtime/world.ts';
import { FaultBoard } from './board.ts';

/** While nothing is taken the loop looks again so soon. */
const LOOK_EVERY_MS = 5;

export function faultyWorld({ name, kind, board: memory }: ThreadData): World {
  const board = new FaultBoard(memory as SharedArrayBuffer);
  const real = realWorld(kind);
  const disk = faultyDisk(real.ground.disk, board);
  const sync = (descriptor: number): number => {
    board.waitForBlocker();
    return real.ground.calls.sync(descriptor);
  };
  const calls = {
    sync,
    readAhead: (...place: [number, number, number]) => real.ground.calls.readAhead(...place),
  };
  const ground = inPlace<Ground>(real.ground, { disk, calls });
  const clock = {
    now: () => real.clock.now() + board.leapMs + board.passedMs,
    monotonic: () => real.clock.monotonic() + board.passedMs,
  };
  return { ground, clock, hosted: (role) => put(role, name, board, () => clock.monotonic()) };
}

function put(role: Role, thread: string, board: FaultBoard, monotonic: () => number): void {
  const { drain, pending, deadline } = role;
  const isStalled = () => role.name.startsWith('h') && board.handlersStalled;
  role.drain = (now) => {
    assert(!board.isDying(thread), 'a thread lives on', { thread });
    return isStalled() ? false : drain.call(role, now);
  };
  role.pending = () => !isStalled() && pending.call(role);
  role.deadline = () =>
    Math.min(deadline.call(role), isStalled() ? monotonic() + LOOK_EVERY_MS : Number.POSITIVE_INFINITY);
}

/** Knows which path each descriptor stands for; the board is asked before every call. */
function faultyDisk(disk: Disk, board: FaultBoard): Disk {
  const paths = new Map<unknown, string>();
  const call = (name: string, method: (...args: unknown[]) => unknown, args: unknown[]): unknown => {
    const path = typeof args[0] === 'string' ? args[0] : (paths.get(args[0]) ?? '');
    const fault = board.diskFault(name, path);
    assert(fault !== 'invariant', 'the disk keeps its word', { name, path, answer: 42 });
    if (fault !== null) throw new DiskError(fault, name, path);
    const result = method.apply(disk, args);
    if (name === 'open') paths.set(result, path);
    return result;
  };
  return new Proxy(disk, {
    get: (target, name) => {
      const method = Reflect.get(target, name, target) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => call(String(name), method, args);
    },
  });
}

/** The object with some of its parts replaced. */
function inPlace<T extends object>(whole: T, parts: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, name) => {
      if (name in parts) return parts[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
