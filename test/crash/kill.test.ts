/**
 * kill -9 of a broker's process under load, again and again on one directory: at a moment that the seed says, in the middle of
 * writes, rolls, deletions and changes of topics and threads. After each start everything acknowledged is there, once and in
 * order, and nothing half-written is served. ODRADEK_KILL_CYCLES says how many kills, ODRADEK_SEED which ones.
 */
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { LAYOUTS, type Layout, ONE_THREAD, TRANSPORT, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { ALL_BROKERS, BROKER, change, DONE, SET, settingOf } from '../kit/configs.ts';
import { partitionPath } from '../kit/filling.ts';
import { batchOf } from '../kit/records.ts';
import { createTopic, initProducer, produce, readAll } from '../kit/requests.ts';
import { seedOf, sharesOf } from '../kit/seeds.ts';
import { appendGarbage, cutTail } from './damage.ts';
import { Load } from './load.ts';
import type { PromisedRecords } from './promised-records.ts';
import { untilBroken } from './until-broken.ts';

/** Of both transports and all layouts together, unless the environment says another number. */
const CYCLES = Number(process.env.ODRADEK_KILL_CYCLES ?? 30);
const CYCLE_MS = 20_000;
/** A kill comes after so many answers at most. */
const ANSWERS_MAX = 700;
/** Of the starts that are killed before they are ready. */
const START_KILLED_WITHIN_MS = 500;
const THREADS = 'num.network.threads';

const SETTINGS: Readonly<Record<string, string>>[] = [
  { 'log.flush.offset.checkpoint.interval.ms': '150' },
  { 'flush.group.commit': 'true', 'log.segment.bytes': '1048576' },
  { 'log.roll.ms': '40', 'file.delete.delay.ms': '100', 'log.retention.check.interval.ms': '100' },
];

let directory = '';
let running: BrokerProcess | null = null;

afterEach(async () => {
  await running?.kill();
  running = null;
  rmSync(directory, { recursive: true, force: true });
});

async function started(layout: Layout, settings: Readonly<Record<string, string>> = {}): Promise<BrokerProcess> {
  running = new BrokerProcess(directory, layout, settings);
  return running.listening();
}

/** The brokers of one directory, one after the other. */
class Life {
  readonly #layout: Layout;
  readonly #random: SeededRandom;
  #threads = '2';
  #threadsAsked = '2';

  constructor(layout: Layout, seed: number) {
    this.#layout = layout;
    this.#random = new SeededRandom(seed);
  }

  async run(cycles: number): Promise<void> {
    let broker = await started(this.#layout, SETTINGS[0]);
    const load = await Load.begin(broker.port, this.#random);
    for (let cycle = 0; cycle < cycles; cycle++) {
      await this.#writeUntilKilled(broker, load);
      this.#damage(load);
      const settings = SETTINGS[this.#random.below(SETTINGS.length)];
      if (this.#random.below(4) === 0) await this.#killWhileItStarts(settings);
      broker = await started(this.#layout, settings);
      await this.#check(broker.port, load);
    }
    await broker.stop();
    await this.#check((await started(this.#layout)).port, load);
    await running?.stop();
    running = null;
  }

  async #writeUntilKilled(broker: BrokerProcess, load: Load): Promise<void> {
    let left = 1 + this.#random.below(ANSWERS_MAX);
    let killed: Promise<void> | null = null;
    const told = (): void => {
      left -= 1;
      if (left === 0) killed = broker.kill();
    };
    const { port } = broker;
    await Promise.all([...load.write(port, told), this.#resize(port)]);
    if (killed === null) throw new Error(`the broker ended by itself: ${broker.complaints}`);
    await killed;
  }

  /** One thread more, one thread less. */
  async #resize(port: number): Promise<void> {
    if (this.#layout === ONE_THREAD) return;
    await untilBroken(port, async (client) => {
      this.#threadsAsked = this.#threads === '2' ? '3' : '2';
      const done = await change(client, BROKER, ALL_BROKERS, [[THREADS, SET, this.#threadsAsked]]);
      expect(done).toEqual(DONE);
      this.#threads = this.#threadsAsked;
    });
  }

  #damage(load: Load): void {
    const random = this.#random;
    if (random.below(2) === 0) load.torn.cutTo(cutTail(pathOf(load.torn), random));
    for (const records of load.records) if (random.below(3) === 0) appendGarbage(pathOf(records), records.end, random);
  }

  async #killWhileItStarts(settings: Readonly<Record<string, string>> | undefined): Promise<void> {
    running = new BrokerProcess(directory, this.#layout, settings);
    const wait = this.#random.below(START_KILLED_WITHIN_MS);
    await new Promise((done) => setTimeout(done, wait));
    await running.kill();
  }

  async #check(port: number, load: Load): Promise<void> {
    await load.check(port);
    if (this.#layout === ONE_THREAD) return;
    const client = await RawClient.connect(port);
    const { value } = await settingOf(client, BROKER, '0', THREADS);
    await client.close();
    expect([this.#threads, this.#threadsAsked]).toContain(value);
    this.#threads = value as string;
  }
}

function pathOf({ topic, partition }: PromisedRecords): string {
  return partitionPath(directory, topic, partition);
}

const shares = sharesOf(CYCLES, LAYOUTS.length);

describe(`kill -9 (${TRANSPORT})`, () => {
  test.each(LAYOUTS.map((layout, index) => ({ ...layout, layout, cycles: shares[index] as number })))(
    'loses nothing acknowledged: $cycles times, $name',
    async ({ layout, cycles }) => {
      directory = temporaryDirectory();
      const seed = seedOf(`kill -9, ${layout.name}`);
      await new Life(layout, seed).run(cycles);
    },
    60_000 + CYCLES * CYCLE_MS,
  );

  test('a retry after the crash leaves one copy', async () => {
    directory = temporaryDirectory();
    const broker = await started(LAYOUTS[1] as Layout);
    let client = await RawClient.connect(broker.port);
    const { name } = await createTopic(client);
    const { producerId, producerEpoch } = await initProducer(client);
    const batches = Array.from({ length: 4 }, (_, index) =>
      batchOf([`${index}`], { producerId, producerEpoch, baseSequence: index }),
    );
    for (const bytes of batches) await produce(client, name, bytes);
    await broker.kill();
    await client.close();
    const next = await started(LAYOUTS[1] as Layout);
    client = await RawClient.connect(next.port);
    for (const [index, bytes] of batches.entries()) {
      expect(await produce(client, name, bytes)).toMatchObject({ errorCode: 0, baseOffset: index });
    }
    expect(await readAll(client, name)).toHaveLength(4);
    const other = await initProducer(client);
    expect(other.producerId).not.toBe(producerId);
    await client.close();
    await next.stop();
    running = null;
  });
});
