/**
 * What is in the nodes of the metadata store, in Kafka's JSON: one writer and one reader each. Readers check every field:
 * a node that somebody else has written wrongly is told by its path, not taken half.
 */
import type { Uuid } from '../base/uuid.ts';
import { formatUuid, parseUuid } from '../base/uuid.ts';
import type { BrokerImage, Configs, Endpoint, PartitionImage } from './image.ts';

export class StoredDataError extends Error {
  override readonly name = 'StoredDataError';

  constructor(path: string, what: string) {
    super(`metadata store, ${path}: ${what}`);
  }
}

type Fields = Record<string, unknown>;

function parse(path: string, data: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new StoredDataError(path, 'is not JSON');
  }
  return object(path, 'the node', value);
}

function object(path: string, what: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new StoredDataError(path, `${what} is not an object`);
}

function text(path: string, fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new StoredDataError(path, `${name} is not a string`);
}

function whole(path: string, what: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new StoredDataError(path, `${what} is not a whole number`);
}

function brokerIds(path: string, what: string, value: unknown): number[] {
  if (!Array.isArray(value)) throw new StoredDataError(path, `${what} is not a list`);
  return value.map((id) => whole(path, what, id));
}

function uuid(path: string, what: string, value: unknown): Uuid {
  const id = typeof value === 'string' ? parseUuid(value) : null;
  if (id === null) throw new StoredDataError(path, `${what} is not an id`);
  return id;
}

export function encodeClusterId(id: string): string {
  return JSON.stringify({ version: '1', id });
}

export function decodeClusterId(path: string, data: string): string {
  return text(path, parse(path, data), 'id');
}

export function encodeController(brokerId: number, now: number): string {
  return JSON.stringify({ version: 1, brokerid: brokerId, timestamp: String(now) });
}

export function decodeController(path: string, data: string): number {
  return whole(path, 'brokerid', parse(path, data).brokerid);
}

export function encodeControllerEpoch(epoch: number): string {
  return String(epoch);
}

export function decodeControllerEpoch(path: string, data: string): number {
  return whole(path, 'the controller epoch', data === '' ? Number.NaN : Number(data));
}

export function encodeBroker(endpoints: readonly Endpoint[], rack: string | null, now: number): string {
  const first = endpoints[0];
  return JSON.stringify({
    version: 5,
    host: first?.host ?? null,
    port: first?.port ?? -1,
    jmx_port: -1,
    timestamp: String(now),
    endpoints: endpoints.map(
      ({ listener, host, port }) => `${listener}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ),
    listener_security_protocol_map: Object.fromEntries(endpoints.map(({ listener, protocol }) => [listener, protocol])),
    rack,
    features: {},
  });
}

/** `epoch` is the transaction that created the node. */
export function decodeBroker(path: string, id: number, data: string, epoch: number): BrokerImage {
  const fields = parse(path, data);
  const protocols = object(path, 'listener_security_protocol_map', fields.listener_security_protocol_map);
  if (!Array.isArray(fields.endpoints)) throw new StoredDataError(path, 'endpoints is not a list');
  const endpoints = fields.endpoints.map((endpoint): Endpoint => {
    const parts = /^([^:]+):\/\/(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(String(endpoint));
    if (parts === null) throw new StoredDataError(path, `${endpoint} is not an endpoint`);
    const listener = parts[1] as string;
    return {
      listener,
      protocol: text(path, protocols, listener),
      host: parts[2] ?? (parts[3] as string),
      port: Number(parts[4]),
    };
  });
  const rack = typeof fields.rack === 'string' ? fields.rack : null;
  return { id, epoch, endpoints, rack, fenced: false };
}

export function encodeTopic(id: Uuid, replicas: readonly (readonly number[])[]): string {
  return JSON.stringify({
    version: 3,
    topic_id: formatUuid(id),
    partitions: Object.fromEntries(replicas.entries()),
    adding_replicas: {},
    removing_replicas: {},
  });
}

export function decodeTopic(path: string, data: string): { id: Uuid; replicas: number[][] } {
  const fields = parse(path, data);
  const partitions = object(path, 'partitions', fields.partitions);
  const count = Object.keys(partitions).length;
  const replicas: number[][] = [];
  for (let partition = 0; partition < count; partition++) {
    replicas.push(brokerIds(path, `the replica list of partition ${partition}`, partitions[partition]));
  }
  return { id: uuid(path, 'topic_id', fields.topic_id), replicas };
}

export function encodePartitionState(state: PartitionImage, controllerEpoch: number): string {
  return JSON.stringify({
    controller_epoch: controllerEpoch,
    leader: state.leader,
    version: 1,
    leader_epoch: state.leaderEpoch,
    isr: state.isr,
  });
}

export function decodePartitionState(path: string, data: string, version: number, replicas: number[]): PartitionImage {
  const fields = parse(path, data);
  return {
    leader: whole(path, 'leader', fields.leader),
    leaderEpoch: whole(path, 'leader_epoch', fields.leader_epoch),
    partitionEpoch: version,
    replicas,
    isr: brokerIds(path, 'isr', fields.isr),
  };
}

export function encodeConfigs(configs: Configs): string {
  return JSON.stringify({ version: 1, config: Object.fromEntries(configs) });
}

export function decodeConfigs(path: string, data: string): Configs {
  const config = object(path, 'config', parse(path, data).config);
  return new Map(Object.keys(config).map((name) => [name, text(path, config, name)]));
}

/** Ids of the topics that had this name and whose files are still to be deleted. */
export function encodeDeleted(ids: readonly Uuid[]): string {
  return JSON.stringify({ version: 1, topic_ids: ids.map(formatUuid) });
}

export function decodeDeleted(path: string, data: string): Uuid[] {
  const ids = parse(path, data).topic_ids;
  if (!Array.isArray(ids)) throw new StoredDataError(path, 'topic_ids is not a list');
  return ids.map((id) => uuid(path, 'a topic id', id));
}

/** The block ends with `end`, which belongs to it. Kafka keeps both as text. */
export function encodeProducerIdBlock(brokerId: number, start: number, end: number): string {
  return JSON.stringify({ version: 1, broker: brokerId, block_start: String(start), block_end: String(end) });
}

export function decodeProducerIdBlock(path: string, data: string): { end: number } {
  return { end: whole(path, 'block_end', Number(text(path, parse(path, data), 'block_end'))) };
}
