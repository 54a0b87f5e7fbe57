/**
 * The one list of what is served on a client's connection: what the thread of the connection does itself, and what it hands
 * to the main thread (`decide.ts`). A request is read whole before anything of it is done; one that
 * cannot be read throws a WireError and costs its connection.
 */
import { Announcement } from '../wire/api-versions.ts';
import { requestReader } from '../wire/compiler.ts';
import { ALL_APIS } from '../wire/messages/all.ts';
import { ApiVersions } from '../wire/messages/api-versions.ts';
import { DeleteRecords } from '../wire/messages/delete-records.ts';
import { DescribeCluster } from '../wire/messages/describe-cluster.ts';
import { DescribeTopicPartitions } from '../wire/messages/describe-topic-partitions.ts';
import { Fetch } from '../wire/messages/fetch.ts';
import { FindCoordinator } from '../wire/messages/find-coordinator.ts';
import { ListOffsets } from '../wire/messages/list-offsets.ts';
import { Metadata } from '../wire/messages/metadata.ts';
import { OffsetForLeaderEpoch } from '../wire/messages/offset-for-leader-epoch.ts';
import { Produce } from '../wire/messages/produce.ts';
import { DECIDED_ELEMENTS_MAX, type Reader } from '../wire/reader.ts';
import { type Api, isAnnounced, isServed } from '../wire/schema.ts';
import { WireError } from '../wire/wire-error.ts';
import { apiVersions } from './api-versions.ts';
import { coordinate } from './coordinate.ts';
import { coordinatedOrNull } from './coordinated-apis.ts';
import { isDecided } from './decide.ts';
import { deleteRecords } from './delete-records.ts';
import { describeCluster } from './describe-cluster.ts';
import { describeTopicPartitions } from './describe-topic-partitions.ts';
import { fetch } from './fetch.ts';
import { findCoordinator } from './find-coordinator.ts';
import type { ApiCall, Floor } from './floor.ts';
import { listOffsets } from './list-offsets.ts';
import { metadata } from './metadata.ts';
import { offsetForLeaderEpoch } from './offset-for-leader-epoch.ts';
import { produce } from './produce.ts';

/** What is announced: all that has a table has a handler below. */
export const SERVED: readonly Api[] = ALL_APIS;
const ANNOUNCEMENT = new Announcement(SERVED);

export function dispatch(call: ApiCall, api: Api | null, reader: Reader, floor: Floor): void {
  if (api === null) throw new WireError('an API that this broker does not have');
  const { version } = call;
  if (api.key === ApiVersions.key) {
    apiVersions(call, isServed(api, version) ? requestReader(ApiVersions, version)(reader) : null, ANNOUNCEMENT);
    return;
  }
  if (!isAnnounced(api, version)) throw new WireError(`${api.name} in version ${version}, which is not served`);
  switch (api.key) {
    case Produce.key:
      return produce(call, requestReader(Produce, version)(reader), floor);
    case Fetch.key:
      return fetch(call, requestReader(Fetch, version)(reader), floor);
    case ListOffsets.key:
      return listOffsets(call, requestReader(ListOffsets, version)(reader), floor);
    case Metadata.key:
      return metadata(call, requestReader(Metadata, version)(reader), floor);
    case DeleteRecords.key:
      return deleteRecords(call, requestReader(DeleteRecords, version)(reader), floor);
    case OffsetForLeaderEpoch.key:
      return offsetForLeaderEpoch(call, requestReader(OffsetForLeaderEpoch, version)(reader), floor);
    case DescribeCluster.key:
      return describeCluster(call, requestReader(DescribeCluster, version)(reader), floor);
    case DescribeTopicPartitions.key:
      return describeTopicPartitions(call, requestReader(DescribeTopicPartitions, version)(reader), floor);
    case FindCoordinator.key:
      return findCoordinator(call, requestReader(FindCoordinator, version)(reader), floor);
    default: {
      const entry = coordinatedOrNull(api.key);
      if (entry !== null) return coordinate(call, entry, requestReader(api, version)(reader) as object, floor);
      if (!isDecided(api.key)) throw new WireError(`${api.name}, which has no handler`);
      reader.limitElements(DECIDED_ELEMENTS_MAX);
      return floor.askController(call, api.key, requestReader(api, version)(reader));
    }
  }
}
