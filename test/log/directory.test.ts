import { beforeEach, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.ts';
import { formatUuid, randomUuid } from '../../src/base/uuid.ts';
import { LogDirectory } from '../../src/log/directory.ts';
import { formatPartitionMetadata, parsePartitionMetadata } from '../../src/log/partition-metadata.ts';
import { SimulatedDisk } from '../sim/disk.ts';

const PATH = '/srv/data';
const UTF8 = new TextEncoder();
let disk: SimulatedDisk;

beforeEach(() => {
  disk = new SimulatedDisk();
});

function open(
  changes: { nodeId?: number; clusterId?: string | null; seed?: number; kernelId?: string | null } = {},
): LogDirectory {
  const { nodeId = 1, clusterId = null, seed = 1, kernelId = null } = changes;
  return LogDirectory.open({ disk, random: new SeededRandom(seed), path: PATH, nodeId, clusterId, kernelId });
}

const text = (path: string) => new TextDecoder().decode(disk.bytesOf(path));
const put = (path: string, content: string) => disk.put(path, UTF8.encode(content));

test('a new directory gets ids and keeps them', () => {
  const first = open();
  expect(text(`${PATH}/meta.properties`)).toBe(
    `#\ncluster.id=${first.clusterId}\ndirectory.id=${formatUuid(first.directoryId)}\nnode.id=1\nversion=1\n`,
  );
  first.close();
  const again = open({ seed: 2 });
  expect(again.clusterId).toBe(first.clusterId);
  expect(again.directoryId).toBe(first.directoryId);
});

test('one broker at a time', () => {
  const first = open();
  expect(() => open()).toThrow(`The data directory ${PATH} is in use by another broker`);
  first.close();
  open().close();
  expect(disk.openDescriptors).toBe(0);
});

test("another cluster's or another broker's directory is refused, and unlocked again", () => {
  open({ clusterId: 'ours' }).close();
  expect(() => open({ clusterId: 'theirs' })).toThrow('belongs to the cluster ours, not to theirs');
  expect(() => open({ clusterId: 'ours', nodeId: 2 })).toThrow('belongs to broker 1: set node.id=1');
  expect(disk.openDescriptors).toBe(0);
});

test('a damaged meta.properties is said, not overwritten', () => {
  for (const content of ['', 'version=1\ncluster.id=x\n', 'version=1\ncluster.id=x\nnode.id=one\n']) {
    put(`${PATH}/meta.properties`, content);
    expect(() => open(), content).toThrow('meta.properties is damaged');
    expect(text(`${PATH}/meta.properties`)).toBe(content);
  }
});

test('a directory of an older Kafka is taken and brought up to date', () => {
  put(`${PATH}/meta.properties`, '#\n#Mon Jan 01 00:00:00 UTC 2024\nbroker.id=4\nversion=0\ncluster.id=abc\n');
  const directory = open({ nodeId: 4 });
  expect(directory.clusterId).toBe('abc');
  expect(text(`${PATH}/meta.properties`)).toContain('node.id=4\nversion=1\n');
});

test.each([
  ['EACCES', 'cannot be written'],
  ['EROFS', 'cannot be written'],
  ['ENOSPC', 'is full'],
  ['EIO', 'cannot be used (EIO)'],
])('%s is one sentence', (code, sentence) => {
  disk.fault = (operation) => (operation === 'makeDirectory' || operation === 'open' ? code : null);
  expect(() => open()).toThrow(sentence);
});

test('a file in the way', () => {
  disk.put(PATH, Uint8Array.of(1));
  expect(() => open()).toThrow(`The data directory ${PATH} is a file`);
});

test('the mark of a clean shutdown holds for one start, also through power loss', () => {
  expect(open().cleanShutdown).toBe(false);
  disk.kill();
  const second = open();
  second.markClean(7);
  expect(text(`${PATH}/.kafka_cleanshutdown`)).toBe('{"version":0,"brokerEpoch":7}');
  second.close();
  expect(open().cleanShutdown).toBe(true);
  disk.crash(new SeededRandom(3));
  expect(open().cleanShutdown).toBe(false);
});

test('the page cache is kept while the kernel lives, once every log was opened in that life', () => {
  const first = open({ kernelId: 'a' });
  expect(first.pageCacheKept).toBe(false);
  disk.kill();
  // Killed before its logs were open: what an earlier kernel left of them was not looked at.
  const second = open({ kernelId: 'a' });
  expect(second.pageCacheKept).toBe(false);
  second.keepKernel();
  disk.kill();
  expect(open({ kernelId: 'a' }).pageCacheKept).toBe(true);
  disk.kill();
  expect(open({ kernelId: null }).pageCacheKept).toBe(false);
  disk.kill();
  const restarted = open({ kernelId: 'b' });
  expect(restarted.pageCacheKept).toBe(false);
  restarted.keepKernel();
  restarted.forgetKernel();
  disk.kill();
  expect(open({ kernelId: 'b' }).pageCacheKept).toBe(false);
});

test('what lies in a directory is doubtful when the note of its kernel has gone, and not because it is new or the kernel is', () => {
  const first = open({ kernelId: 'a' });
  expect(first.pageCacheDoubtful).toBe(false);
  first.keepKernel();
  disk.kill();
  const sound = open({ kernelId: 'a' });
  expect(sound.pageCacheDoubtful).toBe(false);
  sound.forgetKernel();
  disk.kill();
  expect(open({ kernelId: null }).pageCacheDoubtful).toBe(false);
  disk.kill();
  const doubtful = open({ kernelId: 'a' });
  expect(doubtful).toMatchObject({ pageCacheDoubtful: true, pageCacheKept: false });
  doubtful.keepKernel();
  disk.kill();
  expect(open({ kernelId: 'a' })).toMatchObject({ pageCacheDoubtful: false, pageCacheKept: true });
  disk.kill();
  // All that another kernel has left was read from the disk.
  expect(open({ kernelId: 'b' }).pageCacheDoubtful).toBe(false);
});

test('checkpoints by kind', () => {
  const directory = open();
  expect(directory.offsets('recoveryPoint')).toEqual({ offsets: new Map(), damaged: null });
  directory.checkpoint('recoveryPoint', [{ topic: 'a-b', partition: 3, offset: 9 }]);
  directory.checkpoint('highWatermark', []);
  expect(text(`${PATH}/recovery-point-offset-checkpoint`)).toBe('0\n1\na-b 3 9\n');
  expect(directory.offsets('recoveryPoint').offsets).toEqual(new Map([['a-b-3', 9]]));
  expect(directory.offsets('highWatermark').offsets).toEqual(new Map());
  put(`${PATH}/log-start-offset-checkpoint`, '0\n1\n');
  const { offsets, damaged } = directory.offsets('logStart');
  expect(offsets).toEqual(new Map());
  expect(damaged).toContain('log-start-offset-checkpoint is damaged');
});

test('what lies in it', () => {
  const directory = open();
  const id = randomUuid(new SeededRandom(5));
  put(`${PATH}/orders-0/partition.metadata`, formatPartitionMetadata(id));
  put(`${PATH}/orders-1/partition.metadata`, 'version: 0\ntopic');
  for (const name of [
    'orders-2',
    'gone-0.00-delete',
    'half-1.00-future',
    `half-2.${'0f'.repeat(16)}-future`,
    'old-0-stray',
    'photos',
    '__cluster_metadata-0',
  ]) {
    disk.makeDirectory(`${PATH}/${name}`);
  }
  put(`${PATH}/gone-0.00-delete/00000000000000000000.log`, 'x');
  const { partitions, deleted, futures, strays } = directory.list();
  expect(partitions).toEqual([
    { topic: 'orders', partition: 0, path: `${PATH}/orders-0`, topicId: id },
    { topic: 'orders', partition: 1, path: `${PATH}/orders-1`, topicId: null },
    { topic: 'orders', partition: 2, path: `${PATH}/orders-2`, topicId: null },
  ]);
  expect(deleted).toEqual([`${PATH}/gone-0.00-delete`]);
  expect(strays).toEqual(['half-1.00-future', 'old-0-stray', 'photos'].map((name) => `${PATH}/${name}`));
  expect(futures).toEqual([`${PATH}/half-2.${'0f'.repeat(16)}-future`]);
  directory.removeLeftovers();
  expect(directory.list()).toMatchObject({ deleted: [], futures: [] });
});

test("partition.metadata is Kafka's", () => {
  const id = randomUuid(new SeededRandom(5));
  expect(formatPartitionMetadata(id)).toBe(`version: 0\ntopic_id: ${formatUuid(id)}`);
  expect(parsePartitionMetadata(`${formatPartitionMetadata(id)}\n`)).toBe(id);
  expect(parsePartitionMetadata('')).toBeNull();
  expect(parsePartitionMetadata('version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA')).toBeNull();
  expect(parsePartitionMetadata(`version: 1\ntopic_id: ${formatUuid(id)}`)).toBeNull();
});
