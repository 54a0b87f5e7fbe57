/**
 * Brokers for tests: in each of the three layouts, on the transport that this process was started for, in a directory that
 * goes away. Every one must be at rest before it is closed, and must leave no thread and no descriptor behind.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Broker, type BrokerMetrics, type BrokerOptions, startBroker } from '../../src/broker.ts';
import { RawClient } from './client.ts';
import { eventually, REST_WITHIN_MS } from './eventually.ts';
import { Said } from './said.ts';

export { eventually, REST_WITHIN_MS };

export const TRANSPORT = process.env.ODRADEK_TRANSPORT === 'portable' ? 'portable' : 'native';

export interface Layout {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
}

function apart(network: number, io: number): Layout {
  const settings = { 'num.network.threads': String(network), 'num.io.threads': String(io) };
  return { name: `${network}×${io}`, settings };
}

export const ONE_THREAD: Layout = { name: 'one thread', settings: {} };
export const TWO_BY_ONE = apart(2, 1);
export const TWO_BY_THREE = apart(2, 3);
export const LAYOUTS: readonly Layout[] = [ONE_THREAD, TWO_BY_ONE, TWO_BY_THREE];

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'odradek-'));
}

function held({ leases, total }: BrokerMetrics): Record<string, number> {
  const { intakeBlocksHeld, callsOpen, framesWaiting, fetchesWaiting, ringQueued } = total;
  return { leases, intakeBlocksHeld, callsOpen, framesWaiting, fetchesWaiting, ringQueued };
}

const OUR_FAULTS = new Set(['request.failed', 'answer.unwritable', 'controller.failed', 'coordinator.not.loaded']);
const NOTHING = { leases: 0, intakeBlocksHeld: 0, callsOpen: 0, framesWaiting: 0, fetchesWaiting: 0, ringQueued: 0 };

/** Every lease released, every block given back, no request under way. */
export async function expectAtRest(broker: Broker): Promise<void> {
  const metrics = await eventually(
    async () => held(await broker.metrics()),
    (now) => Object.values(now).every((count) => count === 0),
  );
  expect(metrics).toEqual(NOTHING);
}

/** Threads of brokers that this process has. */
export function brokerThreads(): string[] {
  if (process.platform !== 'linux') return [];
  const threads = readdirSync('/proc/self/task').map((task) =>
    readOr(() => readFileSync(`/proc/self/task/${task}/comm`, 'utf8')),
  );
  return threads.map((name) => name.trim()).filter((name) => /^(loop|net|io)-\d+$|^b0$/.test(name));
}

/** Files below `directory` that this process has open. */
export function openFiles(directory: string): string[] {
  if (process.platform !== 'linux') return [];
  const files = readdirSync('/proc/self/fd').map((fd) => readOr(() => readlinkSync(`/proc/self/fd/${fd}`)));
  return files.filter((path) => path.startsWith(directory));
}

/** A task or a descriptor may go between the listing and the look. */
function readOr(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** One broker after the other on the same directory. */
export class BrokerHome {
  /** Homes of this process whose broker runs. */
  static #running = 0;
  readonly directory = temporaryDirectory();
  readonly #layout: Layout;
  readonly #options: BrokerOptions;
  readonly #said = new Said();
  readonly #clients: RawClient[] = [];
  #broker: Broker | null = null;
  #failure: Error | null = null;

  constructor(layout: Layout, options: BrokerOptions = {}) {
    this.#layout = layout;
    this.#options = options;
  }

  get broker(): Broker {
    if (this.#broker === null) throw new Error('no broker is running here');
    return this.#broker;
  }

  get port(): number {
    return this.broker.port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** `more` settings are for this run alone. */
  async start(more: Readonly<Record<string, string>> = {}): Promise<Broker> {
    const settings = { ...this.#layout.settings, ...this.#options.settings, ...more };
    const { directory } = this;
    const broker = await startBroker({
      port: 0,
      cores: 2,
      directory,
      logger: this.#said.logger,
      ...this.#options,
      settings,
    });
    this.#broker = broker;
    BrokerHome.#running += 1;
    void broker.failed.then((problem) => {
      this.#failure = problem;
    });
    if (TRANSPORT === 'portable') expect(broker.transport).toBe('portable');
    return broker;
  }

  /** A client that is closed before the broker is. */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.port);
    this.#clients.push(client);
    return client;
  }

  /** A clean end, with everything that a clean end promises. */
  async stop(): Promise<void> {
    const broker = this.#broker;
    if (broker === null) return;
    for (const client of this.#clients.splice(0)) await client.close();
    if (this.#failure !== null) throw this.#failure;
    this.#broker = null;
    try {
      // A broken promise of the code itself: it explains whatever else went wrong.
      expect(this.#said.all.filter(({ event }) => OUR_FAULTS.has(event))).toEqual([]);
      await expectAtRest(broker);
    } finally {
      BrokerHome.#running -= 1;
      await broker.close();
    }
    expect(openFiles(this.directory)).toEqual([]);
    if (BrokerHome.#running === 0) expect(brokerThreads()).toEqual([]);
  }

  /** The broker has failed, and so is closed. */
  failed(): void {
    this.#broker = null;
    this.#failure = null;
    BrokerHome.#running -= 1;
  }

  async restart(more: Readonly<Record<string, string>> = {}): Promise<Broker> {
    await this.stop();
    return this.start(more);
  }

  async end(): Promise<void> {
    try {
      await this.stop();
    } finally {
      rmSync(this.directory, { recursive: true, force: true });
    }
  }
}

/** The tests once for each layout, each time with one broker for all of them. */
export function inEveryLayout(
  about: string,
  tests: (home: BrokerHome) => void,
  options: BrokerOptions = {},
  layouts: readonly Layout[] = LAYOUTS,
): void {
  describe.each(layouts)(`${about} ($name, ${TRANSPORT})`, (layout) => {
    const home = new BrokerHome(layout, options);
    beforeAll(() => home.start());
    afterAll(() => home.end());
    tests(home);
  });
}
