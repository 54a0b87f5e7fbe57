/**
 * Faults at a certain file: each is said in words and does no more than it must; with the disk in order again everything
 * acknowledged is there. Each of these once ended in a stack, in silence, or not at all.
 */
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { eventually, ONE_THREAD, TRANSPORT, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { partitionPath, produceMany } from '../kit/filling.ts';
import { logFiles } from '../kit/log-files.ts';
import { filledBatch } from '../kit/records.ts';
import { createTopic, fetch, produce, readAll } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';
import { buildFaults, type Fault, faultWords } from './fault.ts';

const EXIT_START = 1;
const EXIT_BROKEN = 70;
const TOPIC = 'kept';
const SETTINGS = { 'log.segment.bytes': '1048576' };
const LARGE_BYTES = 600_000;
const STACK = /^\s+at .+:\d+/m;
/** On a machine with more to do. */
const SLOW_MS = 120_000;

let library = '';
let libraryFolder = '';
let root = '';
let running: BrokerProcess | null = null;

const directory = (index: number): string => join(root, `data-${index}`);
const partition = (): string => {
  const home = [0, 1].find((index) => existsSync(partitionPath(directory(index), TOPIC)));
  return partitionPath(directory(home as number), TOPIC);
};

function start(directories: number, before: readonly string[] = []): BrokerProcess {
  const dirs = Array.from({ length: directories }, (_, index) => directory(index)).join(',');
  running = new BrokerProcess(null, ONE_THREAD, { ...SETTINGS, 'log.dirs': dirs }, before);
  return running;
}

/** Every later call of this kind on this file fails, too. */
function failing(call: Fault['call'], below: string, at = 1): string[] {
  const fault = { call, at, count: 0, errno: constants.errno.EIO, short: false, directory: null, fromStart: true };
  return faultWords(fault, { library, below, armed: join(root, 'armed'), told: join(root, 'told') });
}

/** A broker with one record, killed. */
async function written(directories: number): Promise<void> {
  const { port } = await start(directories).listening();
  const client = await RawClient.connect(port);
  await createTopic(client, { name: TOPIC });
  expect((await produce(client, TOPIC, filledBatch('first', 1, LARGE_BYTES))).baseOffset).toBe(0);
  await client.close();
  await running?.kill();
}

async function expectRecords(directories: number, count: number): Promise<void> {
  const client = await RawClient.connect((await start(directories).listening()).port);
  expect((await readAll(client, TOPIC)).map(({ baseOffset }) => baseOffset)).toEqual(
    Array.from({ length: count }, (_, index) => index),
  );
  await client.close();
  await running?.stop();
}

describe.skipIf(process.platform !== 'linux' || !hasTool('cc'))(
  `a fault at one file (${TRANSPORT})`,
  { timeout: SLOW_MS },
  () => {
    beforeAll(() => {
      libraryFolder = temporaryDirectory();
      library = buildFaults(libraryFolder);
    });
    afterAll(() => rmSync(libraryFolder, { recursive: true, force: true }));
    beforeEach(() => {
      root = temporaryDirectory();
    });
    afterEach(async () => {
      await running?.kill();
      running = null;
      rmSync(root, { recursive: true, force: true });
    });

    test('a note that cannot be read at the start', async () => {
      await written(1);
      writeFileSync(join(root, 'armed'), '');
      const broker = start(1, failing('open', join(partition(), 'partition.metadata')));
      expect(await broker.exit).toBe(EXIT_START);
      expect(broker.complaints).toMatch(/^odradek: The disk failed \(.*partition\.metadata: EIO\)/m);
      expect(broker.complaints).not.toMatch(STACK);
      await expectRecords(1, 1);
    });

    test('a lock file that cannot be read takes its directory out of service', async () => {
      await written(2);
      writeFileSync(join(root, 'armed'), '');
      // The addon has opened it once by then.
      const broker = start(2, failing('open', join(directory(1), '.lock'), TRANSPORT === 'native' ? 2 : 1));
      await broker.listening();
      expect(broker.complaints).toContain('directory.offline');
      await broker.kill();
      await expectRecords(2, 1);
    });

    test('a store that cannot be synced when the broker ends', async () => {
      await written(1);
      const broker = start(1, failing('sync', join(directory(0), 'odradek-metadata.journal')));
      await broker.listening();
      writeFileSync(join(root, 'armed'), '');
      broker.child.kill('SIGTERM');
      expect(await broker.exit).toBe(EXIT_BROKEN);
      expect(broker.complaints).toMatch(/^odradek: the broker did not end in order/m);
      expect(broker.complaints).not.toMatch(STACK);
      await expectRecords(1, 1);
    });

    test('a segment that cannot be begun takes its directory out of service', async () => {
      await written(2);
      writeFileSync(join(root, 'armed'), '');
      const next = join(partition(), '00000000000000000001.timeindex');
      const broker = await start(2, failing('open', next)).listening();
      const client = await RawClient.connect(broker.port);
      const refused = await produce(client, TOPIC, filledBatch('second', 1, LARGE_BYTES)).then(
        ({ errorCode }) => errorCode,
        // The first directory is the broker's own.
        () => ERROR.KAFKA_STORAGE_ERROR,
      );
      expect(refused).toBe(ERROR.KAFKA_STORAGE_ERROR);
      const said = () => /directory\.offline|odradek: the broker has broken/.test(broker.complaints);
      expect(await eventually(said, (it) => it)).toBe(true);
      await client.close();
      await broker.kill();
      await expectRecords(2, 1);
    });

    test('indexes that are cut short while they are searched', async () => {
      const broker = await start(2).listening();
      const client = await RawClient.connect(broker.port);
      await createTopic(client, { name: TOPIC });
      const count = 300;
      await produceMany(client, TOPIC, count, (index) => filledBatch(`${index}`, 1, 20_000));
      const indexes = logFiles(partition(), 'index').slice(0, -2);
      expect(indexes.length).toBeGreaterThan(4);
      const random = new SeededRandom(1);
      const read = async (): Promise<number> => {
        const offset = random.below(count);
        const { errorCode, batches } = await fetch(client, TOPIC, { offset, maxBytes: 1_000 });
        if (errorCode === ERROR.NONE) expect(batches[0]?.baseOffset).toBe(offset);
        else expect(errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
        return errorCode;
      };
      for (let index = 0; index < 100; index++) expect(await read()).toBe(ERROR.NONE);
      for (const path of indexes) truncateSync(path, 0);
      let refused = 0;
      for (let index = 0; index < 100 && client.isOpen; index++) {
        const errorCode = await read().catch((problem) => {
          if (client.isOpen) throw problem;
          return ERROR.KAFKA_STORAGE_ERROR;
        });
        if (errorCode !== ERROR.NONE) refused += 1;
      }
      expect(refused).toBeGreaterThan(0);
      // Killed by no signal: it serves on, or it has ended with its last directory.
      expect(broker.child.signalCode).toBeNull();
      const said = () => /partition\.offline/.test(broker.complaints);
      expect(await eventually(said, (it) => it)).toBe(true);
      await client.close();
      await broker.kill();
      expect(readFileSync(indexes[0] as string).length).toBe(0);
      await expectRecords(2, count);
    });
  },
);
