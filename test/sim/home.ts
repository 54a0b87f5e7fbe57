/**
 * What a process finds on its disk when it starts: the data directory with its checkpoints, the metadata store, and how each
 * partition is to be opened. A topic of a few partitions, and two nodes of the store that are always written together.
 */
import { SILENT } from '../../src/base/logger.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import { imageOf } from '../../src/cluster/changes.ts';
import { NO_CONFIGS } from '../../src/cluster/image.ts';
import { ANY_VERSION, type StoreWrite } from '../../src/cluster/metadata-store.ts';
import { Data } from '../../src/host/data.ts';
import type { LogConfig } from '../../src/log/config.ts';
import type { PartitionMessage } from '../../src/runtime/control.ts';
import { STORE_FILE } from '../../src/stores/embedded.ts';
import { encodeMulti, StoreFile } from '../../src/stores/embedded-file.ts';
import { kernels } from '../log/fixture.ts';
import { must } from '../runtime/net/sockets.ts';
import type { SimulatedDisk } from './disk.ts';

export const TOPIC = 'orders';
export const TOPIC_ID = randomUuid(new SeededRandom(99));
export const DATA = '/data';
const NODE_ID = 1;
const TWINS = ['/a', '/b'];
const STORE_GROWTH_BYTES = 1_500;

export class Home {
  readonly data: Data;
  readonly store: StoreFile;

  constructor(disk: SimulatedDisk, seed: number) {
    this.data = Data.open([DATA], NODE_ID, disk, new SeededRandom(seed), SILENT, disk.kernelId);
    this.store = new StoreFile(disk, kernels, DATA, `${DATA}/${STORE_FILE}`, STORE_GROWTH_BYTES);
    const state = { leader: NODE_ID, leaderEpoch: 0, partitionEpoch: 0, replicas: [NODE_ID], isr: [NODE_ID] };
    const partitions = Array.from({ length: this.partitions }, () => state);
    const topic = { name: TOPIC, id: TOPIC_ID, partitions, configs: NO_CONFIGS };
    this.data.survey(imageOf('cluster', [{ kind: 'topicCreated', topic }]));
  }

  get partitions(): number {
    return this.store.tree.children('/partitions')?.length ?? 0;
  }

  /** The number in the two nodes, -1 before the first; they never differ. */
  get stamp(): number {
    const [one, other] = TWINS.map((path) => this.store.tree.read(path)?.data);
    must(one === other, `a multi is there as a whole: ${one} and ${other}`);
    return one === undefined ? -1 : Number(one);
  }

  /** Durable when it returns. */
  writeStamp(stamp: number): void {
    const data = String(stamp);
    this.#write(
      TWINS.map((path) =>
        this.stamp < 0 ? { kind: 'create', path, data } : { kind: 'set', path, data, version: ANY_VERSION },
      ),
    );
  }

  /** Durable when it returns. */
  addPartition(): number {
    const partition = this.partitions;
    const root: StoreWrite[] = partition === 0 ? [{ kind: 'create', path: '/partitions', data: '' }] : [];
    this.#write([...root, { kind: 'create', path: `/partitions/${partition}`, data: '' }]);
    return partition;
  }

  #write(writes: readonly StoreWrite[]): void {
    const { result } = this.store.write(writes, encodeMulti(this.store.session, writes));
    must(result.done, 'a multi of the only writer is carried out');
    this.store.commit();
  }

  /** How the partition is opened. */
  partition(partition: number, leaderEpoch: number, config: LogConfig): PartitionMessage {
    const left = this.data.leftBehind(TOPIC_ID, partition);
    return {
      slot: partition,
      topic: TOPIC,
      topicId: TOPIC_ID,
      partition,
      leaderEpoch,
      directory: this.data.partitionPath(0, TOPIC, partition),
      config,
      minInsyncReplicas: 1,
      pageCacheDoubtful: left !== null && this.data.pageCacheDoubtful(0),
      pageCacheKept: left !== null && this.data.pageCacheKept(0),
      cleanShutdown: this.data.cleanShutdown(0) && left !== null,
      recoveryPoint: left?.recoveryPoint ?? 0,
      logStartOffset: left?.logStartOffset ?? 0,
    };
  }

  close(): void {
    this.store.close();
    this.data.close();
  }
}
