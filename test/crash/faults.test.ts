/**
 * A broker's process whose disk fails at some call: a write, a sync, an open or a rename, once or from then on, while it starts,
 * serves or ends. Whatever comes of it is said in words; nothing hangs; what was acknowledged is there when the disk works again.
 * ODRADEK_FAULT_CASES=n tries the first n calls of each kind instead of 40 at random; ODRADEK_SEED says which ones.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { eventually, ONE_THREAD, TRANSPORT, TWO_BY_ONE, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { seedOf, sharesOf } from '../kit/seeds.ts';
import { hasTool } from '../kit/tools.ts';
import { buildFaults, FAULT_CALLS, type Fault, faultWords, randomFault } from './fault.ts';
import { Load } from './load.ts';
import { Refused } from './refused.ts';

/** The first so many calls of each kind; 0 takes CASES at random. */
const EACH = Number(process.env.ODRADEK_FAULT_CASES ?? 0);
const CASES = 40;
const AT_MAX = 60;
/** Nothing takes longer, whatever fails. */
const HANG_MS = 60_000;
const CASE_MS = 10_000;
const ANSWERS_MAX = 250;
const ANSWERS_AFTER_FAULT = 40;
const SETTINGS = {
  'log.segment.bytes': '1048576',
  'log.roll.ms': '150',
  'log.flush.offset.checkpoint.interval.ms': '100',
};
const ALLOWED = new Set<number>([ERROR.KAFKA_STORAGE_ERROR]);
const EXIT_START = 1;
const EXIT_BROKEN = 70;

let library = '';
let libraryFolder = '';
let root = '';
let running: BrokerProcess | null = null;

function within<T>(work: Promise<T>, about: string): Promise<T> {
  const late = new Promise<never>((_, fail) => {
    const why = (): void => fail(new Error(`${about} hangs: ${running?.complaints}`));
    const timer = setTimeout(why, HANG_MS);
    work.finally(() => clearTimeout(timer)).catch(() => {});
  });
  return Promise.race([work, late]);
}

class Life {
  readonly #random: SeededRandom;
  readonly #directories: readonly string[];
  #load: Load | null = null;

  constructor(seed: number, directories: number) {
    this.#random = new SeededRandom(seed);
    this.#directories = Array.from({ length: directories }, (_, index) => join(root, `data-${index}`));
  }

  async run(faults: readonly Fault[]): Promise<void> {
    const first = await this.#start([]).listening();
    this.#load = await Load.begin(first.port, this.#random);
    await first.stop();
    for (const fault of faults) {
      try {
        await this.#live(fault, this.#load);
      } catch (problem) {
        const where = existsSync(join(root, 'told')) ? readFileSync(join(root, 'told'), 'utf8') : 'nowhere';
        throw new Error(`${JSON.stringify(fault)} at ${where}: ${(problem as Error).message}\n${running?.complaints}`, {
          cause: problem,
        });
      }
    }
    const last = await this.#start([]).listening();
    await this.#load.check(last.port);
    await last.stop();
    running = null;
  }

  #start(before: readonly string[]): BrokerProcess {
    const dirs = { 'log.dirs': this.#directories.join(',') };
    const settings = { ...SETTINGS, ...dirs, 'flush.group.commit': String(this.#random.below(3) === 0) };
    running = new BrokerProcess(null, this.#random.below(3) === 0 ? TWO_BY_ONE : ONE_THREAD, settings, before);
    return running;
  }

  async #live(fault: Fault, load: Load): Promise<void> {
    const [armed, told] = [join(root, 'armed'), join(root, 'told')];
    for (const path of [armed, told]) rmSync(path, { force: true });
    if (fault.fromStart) writeFileSync(armed, '');
    const below = fault.directory === null ? root : (this.#directories[fault.directory] as string);
    const broker = this.#start(faultWords(fault, { library, below, armed, told }));
    const port = await within(
      Promise.race([
        broker.listening().then(
          (it) => it.port,
          () => null,
        ),
        broker.exit,
      ]),
      'the start',
    );
    if (port === null || broker.child.exitCode !== null) return this.#expectSaid(broker, EXIT_START);
    // All that the disk did to earlier brokers is past.
    if (!fault.fromStart) await within(load.check(port), 'the check');
    writeFileSync(armed, '');
    await within(this.#write(broker, port, load, told), 'the load');
  }

  async #write(broker: BrokerProcess, port: number, load: Load, told: string): Promise<void> {
    let answers = 0;
    let answersAfter = 0;
    let ending: Promise<void> | null = null;
    const answered = (): void => {
      answers += 1;
      if (existsSync(told)) answersAfter += 1;
      if (answers >= ANSWERS_MAX || answersAfter >= ANSWERS_AFTER_FAULT) ending ??= this.#end(broker, answersAfter > 0);
    };
    const writing = load.write(port, answered).map(async (writer) => {
      try {
        await writer;
        return 'broken';
      } catch (problem) {
        if (!(problem instanceof Refused) || !ALLOWED.has(problem.errorCode)) throw problem;
        return 'refused';
      }
    });
    const outcomes = await Promise.all(writing);
    if (ending === null && outcomes.includes('broken')) return this.#expectSaid(broker, EXIT_BROKEN);
    await (ending ?? this.#end(broker, existsSync(told)));
  }

  /** Whoever knows of a fault has said so. The end comes at once, or in order: the disk may fail then, too. */
  async #end(broker: BrokerProcess, isTold: boolean): Promise<void> {
    const said = () => /"level":(40|50)|^odradek: /m.test(broker.complaints);
    const silent = isTold && !(await eventually(said, (it) => it));
    if (silent || this.#random.below(2) === 0) await broker.kill();
    else {
      broker.child.kill('SIGTERM');
      expect([0, EXIT_BROKEN]).toContain(await broker.exit);
    }
    expect(silent, 'a fault is told').toBe(false);
  }

  async #expectSaid(broker: BrokerProcess, code: number): Promise<void> {
    expect(await broker.exit).toBe(code);
    expect(broker.complaints).toMatch(/^odradek: .+/m);
    expect(broker.complaints, 'no stack').not.toMatch(/^\s+at .+:\d+/m);
  }
}

function faultsOf(random: SeededRandom, cases: number, directories: number): Fault[] {
  if (EACH > 0) {
    const ats = Array.from({ length: EACH }, (_, index) => index + 1);
    return FAULT_CALLS.flatMap((call) => ats.map((at) => randomFault(random, call, at, directories)));
  }
  return Array.from({ length: cases }, () => {
    const call = FAULT_CALLS[random.below(FAULT_CALLS.length)] as Fault['call'];
    return randomFault(random, call, 1 + random.below(AT_MAX), directories);
  });
}

const shares = sharesOf(CASES, 2);
const canFail = process.platform === 'linux' && hasTool('cc');

describe.skipIf(!canFail)(`a disk that fails (${TRANSPORT})`, () => {
  beforeAll(() => {
    libraryFolder = temporaryDirectory();
    library = buildFaults(libraryFolder);
  });
  afterAll(() => rmSync(libraryFolder, { recursive: true, force: true }));
  afterEach(async () => {
    await running?.kill();
    running = null;
    rmSync(root, { recursive: true, force: true });
  });

  test.each([
    { directories: 1, cases: shares[0] as number },
    { directories: 2, cases: shares[1] as number },
  ])(
    'never a false acknowledgement, never a hang: data directories: $directories',
    async ({ directories, cases }) => {
      root = temporaryDirectory();
      const seed = seedOf(`faults, ${directories} directories`);
      const random = new SeededRandom(seed);
      const faults = faultsOf(random, cases, directories);
      await new Life(seed, directories).run(faults);
    },
    60_000 + Math.max(CASES, EACH * FAULT_CALLS.length) * CASE_MS,
  );
});
