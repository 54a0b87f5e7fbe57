/**
 * FindCoordinator: the broker that leads the partition a group's name hashes to. The first one who asks has the group log
 * made, and is answered when its leaders take writes.
 */
import { endpointOf } from '../cluster/image.ts';
import { GROUP_LOG } from '../cluster/internal-topics.ts';
import { coordinatorPartition } from '../coordinator/partitioning.ts';
import { ERROR } from '../wire/errors.ts';
import type { FindCoordinator } from '../wire/messages/find-coordinator.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { type ApiCall, AUTO_CREATE, type AutoCreateAnswer, type Floor } from './floor.ts';

type Request = RequestOf<typeof FindCoordinator>;
type Response = ResponseInput<typeof FindCoordinator>;
type Found = Response['coordinators'][number];

/** What a key names. */
export const KEY_TYPE = { GROUP: 0, TRANSACTION: 1, SHARE: 2 } as const;

const MANY_SINCE = 4;
/** What stands in the place of the one where there may be many. */
const NOBODY = { errorCode: ERROR.NONE, errorMessage: null, nodeId: 0, host: '', port: 0 };

function notFound(key: string, errorCode: number, errorMessage: string): Found {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage };
}

function leaderOf(key: string, call: ApiCall, floor: Floor): Found {
  const { image, limits } = floor;
  const partitions = image.topics.get(GROUP_LOG)?.partitions ?? [];
  const leader = partitions[coordinatorPartition(key, partitions.length)]?.leader;
  const broker = leader === undefined ? undefined : image.brokers.get(leader);
  const endpoint = broker === undefined ? undefined : endpointOf(broker, limits.listeners[call.listener]);
  if (broker === undefined || endpoint === undefined) {
    return notFound(key, ERROR.COORDINATOR_NOT_AVAILABLE, 'The coordinator is not available.');
  }
  const { host, port } = endpoint;
  return { key, nodeId: broker.id, host, port, errorCode: ERROR.NONE, errorMessage: null };
}

/** Why nobody coordinates such a thing, or null when somebody does. */
function refused(key: string, keyType: number): Found | null {
  if (keyType === KEY_TYPE.GROUP) return null;
  if (keyType === KEY_TYPE.TRANSACTION) {
    return notFound(key, ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'This broker has no transactions.');
  }
  return notFound(key, ERROR.INVALID_REQUEST, `Nothing of key type ${keyType} is coordinated here.`);
}

function answer(call: ApiCall, keys: readonly string[], find: (key: string) => Found): void {
  const coordinators = keys.map(find);
  const { errorCode, errorMessage, nodeId, host, port } =
    call.version < MANY_SINCE ? (coordinators[0] as Found) : NOBODY;
  const many = call.version < MANY_SINCE ? [] : coordinators;
  const one = { errorCode, errorMessage, nodeId, host, port };
  call.answer({ throttleTimeMs: 0, ...one, coordinators: many } satisfies Response);
}

export function findCoordinator(call: ApiCall, request: Request, floor: Floor): void {
  const keys = call.version >= MANY_SINCE ? request.coordinatorKeys : [request.key];
  const { keyType } = request;
  const find = (key: string): Found => refused(key, keyType) ?? leaderOf(key, call, floor);
  if (keyType !== KEY_TYPE.GROUP || floor.image.topics.has(GROUP_LOG)) return answer(call, keys, find);
  floor.askController(call, AUTO_CREATE, { names: [GROUP_LOG] }, (body) => {
    const [made] = (body as AutoCreateAnswer).topics;
    const why = `The topic ${GROUP_LOG} could not be created (error ${made?.errorCode}).`;
    const failed = made === undefined || made.errorCode !== ERROR.NONE;
    answer(call, keys, (key) => (failed ? notFound(key, ERROR.COORDINATOR_NOT_AVAILABLE, why) : find(key)));
  });
}
