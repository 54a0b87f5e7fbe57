/**
 * Clients that behave badly by thousands: the broker's memory stays bounded, they go in time, and honest clients are served
 * throughout. Broker and crowd are processes of their own. `ODRADEK_RUDE=full` makes the crowd ten thousand.
 */
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { ApiVersions } from '../../src/wire/messages/api-versions.ts';
import { eventually, type Layout, ONE_THREAD, TRANSPORT, TWO_BY_THREE, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import { createTopic, fetch, produce } from '../kit/requests.ts';
import { RudeCrowd } from '../kit/rude-crowd.ts';
import { hasTool } from '../kit/tools.ts';

const FULL = process.env.ODRADEK_RUDE === 'full';
const PARTITIONS = 150;
const SILENT = FULL ? 8_000 : 2_000;
const DRIBBLING = FULL ? 2_000 : 500;
/** After these the heap has grown as far as honest work alone makes it. */
const WARM_ROUNDS = FULL ? 6_000 : 2_000;
const MIB = 1_048_576;
const EXTRA_BYTES_MAX = 150 * MIB;
/** All that is received into, and the heap that millions of requests leave. */
const PIPELINES_BYTES_MAX = 200 * MIB;
const WITHIN_MS = FULL ? 240_000 : 90_000;
/** Else the system drops part of a burst before the broker hears of it, and its clients believe that they are connected. */
const BACKLOG = { 'socket.listen.backlog.size': '4096' };
const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' };

const directory = temporaryDirectory();
/** What a test that failed has left running. */
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function brokerOf(
  name: string,
  layout: Layout,
  settings: Readonly<Record<string, string>>,
  before: readonly string[] = [],
): Promise<BrokerProcess> {
  const broker = new BrokerProcess(join(directory, name), layout, settings, before);
  ends.push(() => broker.kill());
  return broker.listening();
}

function crowdAt({ port }: BrokerProcess): RudeCrowd {
  const crowd = new RudeCrowd(port);
  ends.push(() => crowd.end());
  return crowd;
}

function residentBytes(broker: BrokerProcess): number {
  const match = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${broker.child.pid}/status`, 'utf8'));
  return Number(match?.[1]) * 1_024;
}

function openSockets(broker: BrokerProcess): number {
  const folder = `/proc/${broker.child.pid}/fd`;
  return readdirSync(folder).filter((name) => linkOf(`${folder}/${name}`).startsWith('socket:')).length;
}

/** A descriptor may go between the listing and the look. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw problem;
  }
}

/** Clients as they should be, who go on until they are told to stop: each request must be answered, and well. */
class Honest {
  readonly #broker: BrokerProcess;
  readonly #clients: readonly RawClient[];
  readonly #over: Promise<unknown>;
  #going = true;
  /** Rounds of all of them. */
  served = 0;
  peakBytes = 0;

  private constructor(broker: BrokerProcess, clients: readonly RawClient[], topic: string) {
    this.#broker = broker;
    this.#clients = clients;
    this.#over = Promise.all(clients.map((client) => this.#go(client, topic)));
  }

  static async start(broker: BrokerProcess): Promise<Honest> {
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(broker.port)));
    const { name } = await createTopic(clients[0] as RawClient);
    return new Honest(broker, clients, name);
  }

  /** Resolves when so many more rounds were served. */
  async more(rounds: number): Promise<void> {
    const until = this.served + rounds;
    while (this.served < until && this.#going) await Promise.race([once(this.#beat, 'served'), this.#over]);
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#over;
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  readonly #beat = new EventEmitter();

  async #go(client: RawClient, topic: string): Promise<void> {
    try {
      while (this.#going) {
        const { errorCode, baseOffset } = await produce(client, topic, batchOf(['honest']));
        expect(errorCode).toBe(0);
        const { batches } = await fetch(client, topic, { offset: baseOffset });
        expect(batches[0]?.baseOffset).toBe(baseOffset);
        this.served += 1;
        this.peakBytes = Math.max(this.peakBytes, residentBytes(this.#broker));
        this.#beat.emit('served');
      }
    } finally {
      this.#going = false;
    }
  }
}

const linux = test.skipIf(process.platform !== 'linux');
const limited = test.skipIf(process.platform !== 'linux' || !hasTool('prlimit'));

describe(`rude clients (${TRANSPORT})`, () => {
  linux(
    'a crowd of them takes little memory and keeps nobody from being served',
    async () => {
      const broker = await brokerOf('crowd', ONE_THREAD, {
        // Nobody goes before all are there, however long that takes.
        'connections.max.idle.ms': '600000',
        'request.receive.timeout.ms': '600000',
        'file.handles.max': '1000',
        ...BACKLOG,
      });
      const honest = await Honest.start(broker);
      await honest.more(WARM_ROUNDS);
      const [before, sockets] = [residentBytes(broker), openSockets(broker)];
      const crowd = crowdAt(broker);
      await crowd.open('announces', 50);
      await crowd.open('never-reads', 50);
      await crowd.open('pipelines', 3);
      const dribbling = await crowd.open('dribbles', DRIBBLING);
      const silent = await crowd.open('silent', SILENT);
      expect([dribbling.connected, silent.connected]).toEqual([DRIBBLING, SILENT]);
      const all = sockets + DRIBBLING + SILENT;
      expect(
        await eventually(
          () => openSockets(broker),
          (count) => count >= all,
        ),
      ).toBeGreaterThanOrEqual(all);
      await crowd.open('half-open', 100);
      await crowd.open('reset', 100);
      await crowd.open('tls', 20);
      await crowd.open('http', 20);
      await honest.more(200);
      for (const manner of ['half-open', 'reset', 'tls', 'http'] as const) await crowd.gone(manner);
      await crowd.end();
      await honest.more(100);
      expect(
        await eventually(
          () => openSockets(broker),
          (count) => count <= sockets,
        ),
      ).toBe(sockets);
      await honest.stop();
      expect(honest.peakBytes - before).toBeLessThan(EXTRA_BYTES_MAX);
      await broker.stop();
    },
    WITHIN_MS,
  );

  linux(
    'a crowd of them goes by itself: those that say nothing, those that never finish, those that never read',
    async () => {
      const broker = await brokerOf('gone', ONE_THREAD, {
        'connections.max.idle.ms': '2500',
        'request.receive.timeout.ms': '1500',
        ...BACKLOG,
      });
      const honest = await Honest.start(broker);
      await honest.more(1);
      const sockets = openSockets(broker);
      const crowd = crowdAt(broker);
      await crowd.open('never-reads', 20);
      for (const manner of ['announces', 'dribbles', 'silent'] as const) await crowd.open(manner, 300);
      for (const manner of ['announces', 'dribbles', 'silent'] as const) await crowd.gone(manner);
      // Those that never read are seen to be gone from this side only.
      expect(
        await eventually(
          () => openSockets(broker),
          (count) => count <= sockets,
        ),
      ).toBe(sockets);
      await honest.more(100);
      await honest.stop();
      await crowd.end();
      await broker.stop();
    },
    WITHIN_MS,
  );

  linux(
    'large requests come through although hundreds of larger ones were announced and do not come',
    async () => {
      const broker = await brokerOf('announced', ONE_THREAD, {
        'request.receive.timeout.ms': '600000',
      });
      const crowd = crowdAt(broker);
      await crowd.open('announces', 300);
      const clients = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(broker.port)));
      const { name } = await createTopic(clients[0] as RawClient);
      const batch = filledBatch('x', 1, 1_000_000);
      for (let round = 0; round < 10; round++) {
        const answers = await Promise.all(clients.map((client) => produce(client, name, batch)));
        expect(answers.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0, 0]);
      }
      expect(crowd.report('announces')).toMatchObject({ connected: 300, closed: 0 });
      await Promise.all(clients.map((client) => client.close()));
      await crowd.end();
      await broker.stop();
    },
    WITHIN_MS,
  );

  // About the native transport: sockets of node:net take a megabyte of answers each, and minutes to get there.
  if (TRANSPORT === 'native')
    linux(
      'hundreds that send thousands of requests and read no answer do not use up what all others are received into',
      async () => {
        const broker = await brokerOf('pipelines', ONE_THREAD, {
          // Its share of what is not read fills sooner.
          'socket.send.buffer.bytes': '16384',
          ...BACKLOG,
        });
        const honest = await Honest.start(broker);
        await honest.more(WARM_ROUNDS);
        const before = residentBytes(broker);
        const crowd = crowdAt(broker);
        for (let group = 0; group < 4; group++) {
          await crowd.open('pipelines', 80);
          await honest.more(100);
        }
        await honest.stop();
        expect(honest.peakBytes - before).toBeLessThan(PIPELINES_BYTES_MAX);
        await crowd.end();
        await broker.stop();
      },
      WITHIN_MS,
    );

  linux(
    'no more than max.connections are taken, however many knock at once',
    async () => {
      const broker = await brokerOf('flood', TWO_BY_THREE, {
        'max.connections': '40',
        ...BACKLOG,
      });
      const client = await RawClient.connect(broker.port);
      expect((await client.call(ApiVersions, 3, SOFTWARE)).errorCode).toBe(0);
      const crowd = crowdAt(broker);
      await crowd.open('silent', 1_000);
      const closed = await eventually(
        () => crowd.report('silent').closed + crowd.report('silent').refused,
        (count) => count >= 1_000 - 39,
      );
      expect(closed).toBe(1_000 - 39);
      expect((await client.call(ApiVersions, 3, SOFTWARE)).errorCode).toBe(0);
      await crowd.end();
      const storm = crowdAt(broker);
      await storm.open('knocks', 2_000);
      await eventually(
        () => openSockets(broker),
        (count) => count < 40,
      );
      await storm.end();
      const { name } = await createTopic(client);
      expect((await produce(client, name, batchOf(['still here']))).errorCode).toBe(0);
      // What left makes room.
      const next = await RawClient.connect(broker.port);
      expect((await next.call(ApiVersions, 3, SOFTWARE)).errorCode).toBe(0);
      await Promise.all([client, next].map((one) => one.close()));
      await broker.stop();
    },
    WITHIN_MS,
  );

  limited(
    'without descriptors those who are in are served, and who waited comes in once there are some',
    async () => {
      const broker = await brokerOf('descriptors', ONE_THREAD, {});
      const client = await RawClient.connect(broker.port);
      const { name } = await createTopic(client);
      expect((await produce(client, name, batchOf(['before']))).errorCode).toBe(0);
      const { pid } = broker.child;
      const limit = (count: string): unknown => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`]);
      const highest = Math.max(...readdirSync(`/proc/${pid}/fd`).map(Number));
      limit(String(highest + 6));
      const crowd = crowdAt(broker);
      await crowd.open('silent', 40);
      for (let round = 0; round < 50; round++) {
        expect((await produce(client, name, batchOf(['meanwhile']))).errorCode).toBe(0);
      }
      await crowd.end();
      limit('4096');
      const next = await RawClient.connect(broker.port);
      expect((await next.call(ApiVersions, 3, SOFTWARE)).errorCode).toBe(0);
      await Promise.all([client, next].map((one) => one.close()));
      await broker.stop();
    },
    WITHIN_MS,
  );

  limited(
    'connections never take the descriptors that log files need',
    async () => {
      const words = ['prlimit', '--nofile=400:400'];
      const broker = await brokerOf('files', ONE_THREAD, { 'file.handles.max': '100', ...BACKLOG }, words);
      const client = await RawClient.connect(broker.port);
      const { name } = await createTopic(client, { partitions: PARTITIONS });
      const crowd = crowdAt(broker);
      const { connected } = await crowd.open('silent', 600);
      expect(connected).toBe(600);
      const left = await eventually(
        () => 600 - crowd.report('silent').closed,
        (count) => count < 400 - 100 - 16,
      );
      expect(left).toBeLessThan(400 - 100 - 16);
      for (let partition = 0; partition < PARTITIONS; partition++)
        expect((await produce(client, name, batchOf(['v']), { partition })).errorCode).toBe(0);
      await client.close();
      await crowd.end();
      await broker.stop();
    },
    WITHIN_MS,
  );
});
