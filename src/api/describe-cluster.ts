/** DescribeCluster: the brokers by the address of the listener that was used, and who the controller is. */
import { endpointOf } from '../cluster/image.ts';
import { ERROR } from '../wire/errors.ts';
import { type DescribeCluster, ENDPOINT_TYPE } from '../wire/messages/describe-cluster.ts';
import { OPERATIONS_NOT_ASKED } from '../wire/messages/metadata.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { CLUSTER_OPERATIONS } from './authorized-operations.ts';
import type { ApiCall, Floor } from './floor.ts';

type Response = ResponseInput<typeof DescribeCluster>;

/** Since then a client says what kind of endpoint it takes this one for. */
const ENDPOINT_TYPE_SINCE = 1;
const FENCED_SINCE = 2;

function refused(errorCode: number, errorMessage: string): Response {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage,
    endpointType: ENDPOINT_TYPE.BROKERS,
    clusterId: '',
    controllerId: -1,
    brokers: [],
    clusterAuthorizedOperations: OPERATIONS_NOT_ASKED,
  };
}

function wrongEndpoint(endpointType: number): Response | null {
  if (endpointType === ENDPOINT_TYPE.BROKERS) return null;
  return endpointType === ENDPOINT_TYPE.CONTROLLERS
    ? refused(ERROR.MISMATCHED_ENDPOINT_TYPE, 'This endpoint is a broker, the request wants a controller.')
    : refused(ERROR.UNSUPPORTED_ENDPOINT_TYPE, `There is no endpoint type ${endpointType}.`);
}

export function describeCluster(call: ApiCall, request: RequestOf<typeof DescribeCluster>, floor: Floor): void {
  const { image, limits } = floor;
  const wrong = call.version >= ENDPOINT_TYPE_SINCE ? wrongEndpoint(request.endpointType) : null;
  if (wrong !== null) return call.answer(wrong);
  const withFenced = call.version >= FENCED_SINCE && request.includeFencedBrokers;
  const brokers: Response['brokers'][number][] = [];
  for (const broker of image.brokers.values()) {
    const endpoint = broker.fenced && !withFenced ? undefined : endpointOf(broker, limits.listeners[call.listener]);
    if (endpoint === undefined) continue;
    const { host, port } = endpoint;
    brokers.push({ brokerId: broker.id, host, port, rack: broker.rack, isFenced: broker.fenced });
  }
  call.answer({
    throttleTimeMs: 0,
    errorCode: ERROR.NONE,
    errorMessage: null,
    endpointType: ENDPOINT_TYPE.BROKERS,
    clusterId: image.clusterId,
    controllerId: image.controllerId,
    brokers,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : OPERATIONS_NOT_ASKED,
  } satisfies Response);
}
