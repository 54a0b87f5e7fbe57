/** Several data directories: where partitions go, moves between them under load, and what happens when a disk fails. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker.ts';
import { MOVE_MARK } from '../../src/log/move.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { AlterReplicaLogDirs } from '../../src/wire/messages/alter-replica-log-dirs.ts';
import { DescribeLogDirs } from '../../src/wire/messages/describe-log-dirs.ts';
import type { ResponseOf } from '../../src/wire/schema.ts';
import { eventually, expectAtRest, LAYOUTS, type Layout, TRANSPORT, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, textOf } from '../kit/records.ts';
import { createTopic, fetch, metadata, produce, readAll } from '../kit/requests.ts';

const SMALL_SEGMENTS = { 'segment.bytes': '1048576' };

let root = '';
let broker: Broker | null = null;
let running: BrokerProcess | null = null;
let client: RawClient | null = null;

afterEach(async () => {
  await client?.close();
  client = null;
  await broker?.close();
  broker = null;
  await running?.kill();
  running = null;
  rmSync(root, { recursive: true, force: true });
});

const directory = (name: string): string => join(root, name);

async function start(layout: Layout, ...names: string[]): Promise<RawClient> {
  if (root === '' || !existsSync(root)) root = temporaryDirectory();
  const settings = { ...layout.settings, 'log.dirs': names.map(directory).join(',') };
  broker = await startBroker({ port: 0, cores: 2, settings });
  client = await RawClient.connect(broker.port);
  return client;
}

async function stop(): Promise<void> {
  await client?.close();
  client = null;
  if (broker !== null) await expectAtRest(broker);
  await broker?.close();
  broker = null;
}

type Described = ResponseOf<typeof DescribeLogDirs>['results'];

async function describeDirectories(from: RawClient, topic: string | null = null, version = 4): Promise<Described> {
  const topics = topic === null ? null : [{ topic, partitions: [0, 1, 2, 3] }];
  return (await from.call(DescribeLogDirs, version, { topics })).results;
}

/** Where the partition lies, or where its copy is made: names of directories. */
function placeOf(results: Described, topic: string, partition = 0, future = false): string[] {
  const lies = (one: { partitionIndex: number; isFutureKey: boolean }): boolean =>
    one.partitionIndex === partition && one.isFutureKey === future;
  return results
    .filter(({ topics }) => topics.some(({ name, partitions }) => name === topic && partitions.some(lies)))
    .map(({ logDir }) => logDir.slice(root.length + 1));
}

async function move(from: RawClient, topic: string, partition: number, path: string): Promise<number> {
  const dirs = [{ path, topics: [{ name: topic, partitions: [partition] }] }];
  const { results } = await from.call(AlterReplicaLogDirs, 2, { dirs });
  return results[0]?.partitions[0]?.errorCode as number;
}

const settledIn = (from: RawClient, topic: string, name: string): Promise<Described> =>
  eventually(
    () => describeDirectories(from, topic),
    (results) => placeOf(results, topic)[0] === name && placeOf(results, topic, 0, true).length === 0,
  );

/** All log bytes of a partition, in order. */
function logBytes(path: string): Buffer {
  const names = readdirSync(path).filter((name) => name.endsWith('.log'));
  return Buffer.concat(names.sort().map((name) => readFileSync(join(path, name))));
}

describe.each(LAYOUTS)(`several directories ($name, ${TRANSPORT})`, (layout) => {
  test('new partitions go where fewest are, and are described with their sizes', async () => {
    const from = await start(layout, 'a', 'b');
    const { name } = await createTopic(from, { partitions: 4 });
    await produce(from, name, batchOf(['x'.repeat(10_000)]), { partition: 1 });
    for (const version of [1, 2, 3, 4, 5]) {
      const results = await describeDirectories(from, null, version);
      expect(results.map(({ errorCode, logDir }) => [errorCode, logDir])).toEqual([
        [ERROR.NONE, directory('a')],
        [ERROR.NONE, directory('b')],
      ]);
      const partitions = results.map(({ topics }) => topics.find((topic) => topic.name === name)?.partitions ?? []);
      expect(partitions.map((list) => list.length)).toEqual([2, 2]);
      const written = partitions.flat().find(({ partitionIndex }) => partitionIndex === 1);
      expect(written?.partitionSize).toBeGreaterThan(10_000);
      expect(written?.offsetLag).toBe(0);
      for (const { totalBytes, usableBytes } of version >= 4 ? results : []) {
        expect(usableBytes).toBeGreaterThan(0);
        expect(totalBytes).toBeGreaterThanOrEqual(usableBytes);
      }
    }
    const none = await describeDirectories(from, 'nobody');
    expect(none.map(({ topics }) => topics)).toEqual([[], []]);
  });

  test('a partition moves while it is written and read, byte for byte', async () => {
    const from = await start(layout, 'a', 'b');
    const { name } = await createTopic(from, { configs: SMALL_SEGMENTS });
    const home = placeOf(await describeDirectories(from), name)[0] as string;
    const other = home === 'a' ? 'b' : 'a';
    for (let index = 0; index < 40; index++) await produce(from, name, batchOf([`${index}`.padEnd(100_000, '.')]));
    const writer = await RawClient.connect((broker as Broker).port);
    let moving = true;
    const values: string[] = [];
    const write = async (): Promise<void> => {
      while (moving) {
        const value = `${values.length}`.padEnd(5_000, '-');
        const { errorCode, baseOffset } = await produce(writer, name, batchOf([value]));
        expect([errorCode, baseOffset]).toEqual([ERROR.NONE, 40 + values.length]);
        values.push(value);
      }
    };
    const writing = write();
    expect(await move(from, name, 0, directory(other))).toBe(ERROR.NONE);
    const results = await settledIn(from, name, other);
    moving = false;
    await writing;
    await writer.close();
    expect(placeOf(results, name)).toEqual([other]);
    const batches = await readAll(from, name);
    expect(batches.slice(40).map(({ records }) => textOf(records[0]?.value ?? null))).toEqual(values);
    expect(existsSync(join(directory(home), `${name}-0`))).toBe(false);
    // There and back again: nothing of it depends on where it lies.
    const there = logBytes(join(directory(other), `${name}-0`));
    expect(await move(from, name, 0, directory(home))).toBe(ERROR.NONE);
    await settledIn(from, name, home);
    expect(logBytes(join(directory(home), `${name}-0`)).equals(there)).toBe(true);
    const left = (): string[] =>
      ['a', 'b'].flatMap((each) => readdirSync(directory(each)).filter((file) => /-(delete|future|stray)$/.test(file)));
    expect(await eventually(left, (names) => names.length === 0)).toEqual([]);
    await stop();
    const again = await start(layout, 'a', 'b');
    expect(placeOf(await describeDirectories(again), name)).toEqual([home]);
    expect(await readAll(again, name)).toHaveLength(40 + values.length);
  }, 60_000);

  test('what cannot be moved is refused with the reason', async () => {
    const from = await start(layout, 'a', 'b');
    const { name } = await createTopic(from);
    const home = placeOf(await describeDirectories(from), name)[0] as string;
    expect(await move(from, name, 0, directory(home))).toBe(ERROR.NONE);
    expect(await move(from, name, 0, directory('c'))).toBe(ERROR.LOG_DIR_NOT_FOUND);
    expect(await move(from, name, 7, directory('b'))).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await move(from, 'nobody', 0, directory('b'))).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    expect(placeOf(await describeDirectories(from), name)).toEqual([home]);
  });

  test('a directory that cannot be used at the start is out of service, the others serve', async () => {
    const before = await start(layout, 'a', 'b');
    const { name } = await createTopic(before, { partitions: 4 });
    for (let partition = 0; partition < 4; partition++) await produce(before, name, batchOf(['v']), { partition });
    const lost = [0, 1, 2, 3].filter((partition) => existsSync(join(directory('b'), `${name}-${partition}`)));
    expect(lost).toHaveLength(2);
    await stop();
    renameSync(directory('b'), directory('away'));
    writeFileSync(directory('b'), 'no directory');
    const from = await start(layout, 'a', 'b');
    const [a, b] = await describeDirectories(from);
    expect([a?.errorCode, b?.errorCode, b?.topics]).toEqual([ERROR.NONE, ERROR.KAFKA_STORAGE_ERROR, []]);
    const { partitions } = (await metadata(from, [name])).topics[0] as {
      partitions: { errorCode: number; leaderId: number; partitionIndex: number }[];
    };
    for (const { partitionIndex: partition, errorCode, leaderId } of partitions) {
      const isLost = lost.includes(partition);
      expect([errorCode, leaderId]).toEqual(isLost ? [ERROR.LEADER_NOT_AVAILABLE, -1] : [ERROR.NONE, 0]);
      const produced = await produce(from, name, batchOf(['w']), { partition });
      expect(produced.errorCode).toBe(isLost ? ERROR.KAFKA_STORAGE_ERROR : ERROR.NONE);
      expect((await fetch(from, name, { partition })).errorCode).toBe(produced.errorCode);
    }
    expect(await move(from, name, 0, directory('b'))).toBe(ERROR.KAFKA_STORAGE_ERROR);
    const next = await createTopic(from, { partitions: 4 });
    expect(placeOf(await describeDirectories(from), next.name, 3)).toEqual(['a']);
    await stop();
    rmSync(directory('b'));
    renameSync(directory('away'), directory('b'));
    const again = await start(layout, 'a', 'b');
    for (const partition of lost) expect(await readAll(again, name, { partition })).toHaveLength(1);
  });

  test('a directory that fails takes its partitions out of service, and no others', async () => {
    const from = await start(layout, 'a', 'b');
    const { name } = await createTopic(from, { partitions: 4, configs: SMALL_SEGMENTS });
    const lost = [0, 1, 2, 3].filter((partition) => existsSync(join(directory('b'), `${name}-${partition}`)));
    const [first, second] = lost as [number, number];
    renameSync(directory('b'), directory('away'));
    // The next segment's files have no directory to lie in.
    const big = batchOf(['x'.repeat(900_000)]);
    await produce(from, name, big, { partition: first });
    expect((await produce(from, name, big, { partition: first })).errorCode).toBe(ERROR.KAFKA_STORAGE_ERROR);
    const states = await eventually(
      async () => (await metadata(from, [name])).topics[0]?.partitions ?? [],
      (partitions) => partitions.filter(({ errorCode }) => errorCode !== ERROR.NONE).length === 2,
    );
    expect(states.filter(({ leaderId }) => leaderId === -1).map(({ partitionIndex }) => partitionIndex)).toEqual(lost);
    expect((await produce(from, name, batchOf(['v']), { partition: second })).errorCode).toBe(
      ERROR.KAFKA_STORAGE_ERROR,
    );
    for (const partition of [0, 1, 2, 3])
      if (!lost.includes(partition))
        expect((await produce(from, name, batchOf(['v']), { partition })).errorCode).toBe(ERROR.NONE);
    renameSync(directory('away'), directory('b'));
  });
});

describe(`the data of several directories (${TRANSPORT})`, () => {
  const layout = LAYOUTS[0] as Layout;

  test('directories of two clusters, or of two brokers, are no data of one', async () => {
    await start(layout, 'a');
    await stop();
    await start(layout, 'b');
    await stop();
    await expect(start(layout, 'a', 'b')).rejects.toThrow('belongs to the cluster');
  });

  test('the broker fails when its last directory is gone', async () => {
    const from = await start(layout, 'a');
    const { name } = await createTopic(from, { configs: SMALL_SEGMENTS });
    renameSync(directory('a'), directory('away'));
    const writing = produce(from, name, batchOf(['x']));
    const answered = writing.then(
      ({ errorCode }) => errorCode,
      () => ERROR.KAFKA_STORAGE_ERROR,
    );
    expect(await answered).toBe(ERROR.KAFKA_STORAGE_ERROR);
    const problem = await (broker as Broker).failed;
    expect(problem.message).toContain('no data directory is left');
    broker = null;
  });

  test('a long name that nobody knows is put aside under a name that is short enough', async () => {
    await start(layout, 'a');
    await stop();
    const long = `${'t'.repeat(249)}-0`;
    mkdirSync(join(directory('a'), long));
    mkdirSync(join(directory('a'), `other-0`));
    mkdirSync(join(directory('a'), `other-0-stray`));
    await start(layout, 'a');
    const names = readdirSync(directory('a')).filter((name) => name.endsWith('-stray'));
    expect(names).toHaveLength(3);
    expect(names.every((name) => name.length <= 255)).toBe(true);
    expect(existsSync(join(directory('a'), long))).toBe(false);
  });

  test('of a partition that lies twice after a move was cut short, the copy goes on', async () => {
    const from = await start(layout, 'a', 'b');
    const { name } = await createTopic(from);
    await produce(from, name, batchOf(['kept']));
    const [home] = placeOf(await describeDirectories(from), name) as [string];
    const other = home === 'a' ? 'b' : 'a';
    await stop();
    cpSync(join(directory(home), `${name}-0`), join(directory(other), `${name}-0`), { recursive: true });
    writeFileSync(join(directory(other), `${name}-0`, MOVE_MARK), '');
    const again = await start(layout, 'a', 'b');
    expect(placeOf(await describeDirectories(again), name)).toEqual([other]);
    expect(await readAll(again, name)).toHaveLength(1);
    expect(existsSync(join(directory(other), `${name}-0`, MOVE_MARK))).toBe(false);
    expect(readdirSync(directory(home)).filter((file) => file.startsWith(name))).toEqual([]);
  });

  test('of a partition that lies twice for no known reason, the longer one goes on and the other is put aside', async () => {
    const from = await start(layout, 'a', 'b');
    const { name } = await createTopic(from);
    await produce(from, name, batchOf(['first']));
    const [home] = placeOf(await describeDirectories(from), name) as [string];
    const other = home === 'a' ? 'b' : 'a';
    await stop();
    cpSync(join(directory(home), `${name}-0`), join(directory(other), `${name}-0`), { recursive: true });
    appendFileSync(join(directory(other), `${name}-0`, `${''.padStart(20, '0')}.log`), 'more');
    const again = await start(layout, 'a', 'b');
    expect(placeOf(await describeDirectories(again), name)).toEqual([other]);
    expect(await readAll(again, name)).toHaveLength(1);
    expect(
      readdirSync(directory(home)).filter((file) => file.startsWith(`${name}-0.`) && file.endsWith('-stray')),
    ).toHaveLength(1);
  });

  test('kill -9 during moves leaves one whole copy each time', async () => {
    root = temporaryDirectory();
    const settings = { 'log.dirs': `${directory('a')},${directory('b')}`, 'log.segment.bytes': '1048576' };
    running = new BrokerProcess(null, layout, settings);
    await running.listening();
    let from = await RawClient.connect(running.port);
    const { name } = await createTopic(from);
    let written = 0;
    for (; written < 60; written++) await produce(from, name, batchOf([`${written}`.padEnd(200_000, '.')]));
    for (let cycle = 0; cycle < 5; cycle++) {
      const home = placeOf(await describeDirectories(from), name)[0];
      const asked = move(from, name, 0, directory(home === 'a' ? 'b' : 'a'));
      expect(await asked).toBe(ERROR.NONE);
      // Now and then the copy is whole, or the move is over: the kill comes a little later each time.
      for (let more = 0; more < cycle * 12; more++, written++)
        await produce(from, name, batchOf([`${written}`.padEnd(20_000, '.')]));
      await running.kill();
      await from.close();
      running = await new BrokerProcess(null, layout, settings).listening();
      from = await RawClient.connect(running.port);
      const results = await describeDirectories(from);
      expect(placeOf(results, name)).toHaveLength(1);
      expect(placeOf(results, name, 0, true)).toEqual([]);
      const values = (await readAll(from, name)).map(({ records }) =>
        Number.parseInt(textOf(records[0]?.value ?? null) ?? '', 10),
      );
      expect(values).toEqual(Array.from({ length: written }, (_, index) => index));
      const left = ['a', 'b'].flatMap((each) =>
        readdirSync(directory(each)).filter((file) => /-(delete|future|stray)$/.test(file)),
      );
      expect(left).toEqual([]);
    }
    await from.close();
    await running.stop();
    running = null;
  }, 120_000);
});
