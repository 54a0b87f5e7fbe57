/**
 * What a thread takes from outside of itself: the ground it stands on, the clock, and who sees its roles before the loop
 * turns them. The broker's own threads have the real one; whoever starts them with entries of his own may put something in
 * between, so that a thread without faults has no branch for them.
 */
import type { Clock } from '../base/clock.ts';
import { type Ground, openGround } from './ground/ground.ts';
import type { Role } from './role.ts';
import { systemClock } from './shared.ts';

export interface World {
  readonly ground: Ground;
  readonly clock: Clock;
  hosted(role: Role): void;
}

export function realWorld(kind: Ground['kind']): World {
  return { ground: openGround(kind), clock: systemClock, hosted() {} };
}
