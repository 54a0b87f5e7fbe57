/**
 * Seeds of random tests: another one each run, said aloud, the same again where ODRADEK_SEED names it. In CI it is always
 * the same: a change is judged by what it changes, and the dice are thrown on other machines and in the larger runs.
 */
import { TRANSPORT } from './broker.ts';

const CI_SEED = 20;

export function seedOf(about: string): number {
  const given = process.env.ODRADEK_SEED;
  const thrown = process.env.CI === 'true' ? CI_SEED : crypto.getRandomValues(new Uint32Array(1))[0];
  const seed = given === undefined ? thrown : Number(given);
  process.stderr.write(`${about} (${TRANSPORT}): ODRADEK_SEED=${seed}\n`);
  return seed as number;
}

/** How many of `total` each of `parts` tests takes on this transport; both transports together take them all. */
export function sharesOf(total: number, parts: number): number[] {
  const native = Math.ceil(total * 0.6);
  const mine = TRANSPORT === 'native' ? native : total - native;
  return Array.from({ length: parts }, (_, index) => Math.floor((mine + index) / parts));
}
