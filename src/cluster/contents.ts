/**
 * A whole metadata store, read: how a controller that starts learns everything. Also what a store lacks before it can be
 * used, and how a broker puts itself into it and takes the controller's place.
 */
import { apply, type Change } from './changes.ts';
import type { Configs, Endpoint, MetadataImage, PartitionImage } from './image.ts';
import { ALL_BROKERS, emptyImage, NO_CONFIGS } from './image.ts';
import type { StoredNode, StoreWrite } from './metadata-store.ts';
import * as paths from './paths.ts';
import * as stored from './stored.ts';

/** Nodes by path. */
export type StoreContents = ReadonlyMap<string, StoredNode>;

/** The image that the store describes. Whether its leaders are alive shows when brokers register. */
export function imageFrom(contents: StoreContents, clusterId: string): MetadataImage {
  const changes: Change[] = [];
  for (const [name, node] of childrenOf(contents, paths.BROKER_IDS)) {
    const path = paths.brokerIdPath(Number(name));
    changes.push({
      kind: 'brokerRegistered',
      broker: stored.decodeBroker(path, Number(name), node.data, node.created),
    });
  }
  for (const [name, node] of childrenOf(contents, paths.TOPICS)) changes.push(topicFrom(contents, name, node));
  for (const [name, node] of childrenOf(contents, paths.BROKER_CONFIGS)) {
    const path = paths.brokerConfigsPath(name);
    const id = name === paths.ALL_BROKERS_NAME ? ALL_BROKERS : Number(name);
    if (!Number.isInteger(id)) throw new stored.StoredDataError(path, 'is no number of a broker');
    changes.push({ kind: 'brokerConfigsChanged', id, configs: stored.decodeConfigs(path, node.data) });
  }
  for (const [name, node] of childrenOf(contents, paths.GROUP_CONFIGS)) {
    const group = paths.groupOfPathName(name);
    const configs = stored.decodeConfigs(paths.groupConfigsPath(group), node.data);
    changes.push({ kind: 'groupConfigsChanged', group, configs });
  }
  for (const [name, node] of childrenOf(contents, paths.DELETED_TOPICS)) {
    for (const id of stored.decodeDeleted(paths.deletedTopicPath(name), node.data)) {
      changes.push({ kind: 'topicDeleted', topic: name, id });
    }
  }
  const block = contents.get(paths.PRODUCER_ID_BLOCK);
  if (block !== undefined && block.data !== '') {
    const { end } = stored.decodeProducerIdBlock(paths.PRODUCER_ID_BLOCK, block.data);
    changes.push({ kind: 'producerIdsAllocated', next: end + 1 });
  }
  return apply(emptyImage(clusterId), changes);
}

/** The cluster's id, when it has been written down. */
export function clusterIdFrom(contents: StoreContents): string | null {
  const node = contents.get(paths.CLUSTER_ID);
  return node === undefined ? null : stored.decodeClusterId(paths.CLUSTER_ID, node.data);
}

/** What must be there before anything else can be written, and is not. */
export function layoutWrites(contents: StoreContents, clusterId: string): StoreWrite[] {
  const writes: StoreWrite[] = [];
  const want = (path: string, data: string) => {
    if (!contents.has(path)) writes.push({ kind: 'create', path, data });
  };
  for (const path of paths.DIRECTORIES) want(path, '');
  want(paths.CLUSTER_ID, stored.encodeClusterId(clusterId));
  want(paths.PRODUCER_ID_BLOCK, '');
  for (const [topic] of childrenOf(contents, paths.TOPICS)) {
    want(paths.topicConfigsPath(topic), stored.encodeConfigs(NO_CONFIGS));
  }
  return writes;
}

/** The node that says a broker is there; the transaction that creates it is the broker's epoch. */
export function registrationWrite(
  id: number,
  endpoints: readonly Endpoint[],
  rack: string | null,
  now: number,
): StoreWrite {
  return {
    kind: 'create',
    path: paths.brokerIdPath(id),
    data: stored.encodeBroker(endpoints, rack, now),
    ephemeral: true,
  };
}

/** The right to decide: as long as the controller epoch's node has this version, nobody else has it. */
export interface Controllership {
  readonly brokerId: number;
  readonly epoch: number;
  readonly epochVersion: number;
}

/** The writes by which a broker becomes controller. Of several that try at a time, one succeeds. */
export function claimController(
  contents: StoreContents,
  brokerId: number,
  now: number,
): { writes: StoreWrite[]; controllership: Controllership } {
  const path = paths.CONTROLLER_EPOCH;
  const node = contents.get(path);
  const epoch = node === undefined ? 1 : stored.decodeControllerEpoch(path, node.data) + 1;
  const data = stored.encodeControllerEpoch(epoch);
  const claim = {
    kind: 'create',
    path: paths.CONTROLLER,
    data: stored.encodeController(brokerId, now),
    ephemeral: true,
  } as const;
  return {
    writes: [
      node === undefined ? { kind: 'create', path, data } : { kind: 'set', path, data, version: node.version },
      claim,
    ],
    controllership: { brokerId, epoch, epochVersion: node === undefined ? 0 : node.version + 1 },
  };
}

function topicFrom(contents: StoreContents, name: string, node: StoredNode): Change {
  const { id, replicas } = stored.decodeTopic(paths.topicPath(name), node.data);
  const partitions = replicas.map((brokers, partition): PartitionImage => {
    const path = paths.partitionStatePath(name, partition);
    const state = contents.get(path);
    if (state === undefined) throw new stored.StoredDataError(path, 'is missing');
    return stored.decodePartitionState(path, state.data, state.version, brokers);
  });
  const configsPath = paths.topicConfigsPath(name);
  const configsNode = contents.get(configsPath);
  const configs: Configs = configsNode === undefined ? NO_CONFIGS : stored.decodeConfigs(configsPath, configsNode.data);
  return { kind: 'topicCreated', topic: { name, id, partitions, configs } };
}

function* childrenOf(contents: StoreContents, parent: string): Generator<[name: string, node: StoredNode]> {
  for (const [path, node] of contents) {
    if (path.startsWith(parent) && path.lastIndexOf('/') === parent.length) yield [path.slice(parent.length + 1), node];
  }
}
