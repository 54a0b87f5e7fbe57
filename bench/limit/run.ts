/**
 * The broker beside the least that a C program can do: the same bytes from the same generator, round by round, CPU time
 * of the server against CPU time of the server. Prints a table; says which lines are above their limit, and fails for none.
 *
 *   node bench/limit/run.ts [--case NAME]... [--rounds N] [--quick] [--json FILE] [--dir DIR]
 *                           [--broker 'COMMAND'] [--peer 'NAME=COMMAND']...
 *
 * A command may contain {port} and {dir}; without {port} the port is read from what it prints. `--broker c` measures the
 * C server against itself, which shows the noise. Cases: those of cases.ts, and `life` (idle CPU, memory, start).
 */
import { existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { resultOf } from '../kit/result.ts';
import { CASES } from './cases.ts';
import { type LifeResult, measureLife } from './life.ts';
import { type CaseResult, runCase } from './rounds.ts';
import { broker, custom, stopAll, type Variant, yardstick } from './servers.ts';
import { caseText, lifeText, tablesOf } from './told.ts';

const { values } = parseArgs({
  options: {
    case: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    dir: { type: 'string', default: tmpdir() },
    broker: { type: 'string' },
    peer: { type: 'string', multiple: true, default: [] },
  },
});

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(64);
}

function chosenVariants(): Variant[] {
  const first =
    values.broker === 'c'
      ? { ...yardstick('sendfile'), name: 'c-again' }
      : values.broker
        ? custom('broker', values.broker)
        : broker();
  const main = first.command[1] ?? '';
  if (!values.broker && !existsSync(main))
    refuse(`${main} is not there: build the broker first, or name a command with --broker.`);
  const peers = values.peer.map((peer) => {
    const at = peer.indexOf('=');
    if (at < 1) refuse(`--peer wants NAME=COMMAND, not "${peer}".`);
    return custom(peer.slice(0, at), peer.slice(at + 1));
  });
  return [first, ...peers];
}

const variants = chosenVariants();
const names = [...CASES.map((test) => test.name), 'life'];
const wanted = values.case ?? names;
for (const name of wanted)
  if (!names.includes(name)) refuse(`There is no case ${name}; there are ${names.join(', ')}.`);
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
if (!Number.isInteger(rounds) || rounds < 1) refuse('--rounds wants a whole number above 0.');
const progress = (line: string): void => void process.stderr.write(`${line}\n`);

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true;
    void stopAll().finally(() => process.exit(130));
  });
}

async function measure(): Promise<void> {
  const cases: CaseResult[] = [];
  const life: LifeResult[] = [];
  for (const test of CASES.filter(({ name }) => wanted.includes(name))) {
    const result = await runCase(test, variants, { rounds, quick: values.quick, parent: values.dir, progress });
    cases.push(result);
    process.stdout.write(`${caseText(result)}\n`);
  }
  if (wanted.includes('life')) {
    for (const variant of variants) {
      progress(`life ${variant.name}`);
      const result = await measureLife(variant, rounds, values.dir);
      life.push(result);
      process.stdout.write(`${lifeText(result)}\n`);
    }
  }
  if (values.json) {
    const result = resultOf('limit', values.quick ? 'quick' : 'normal', tablesOf(cases, life));
    writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
}

measure().catch((error: Error) => {
  // An interrupted run fails because its servers are gone; the signal's own exit is under way.
  if (interrupted) return;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
