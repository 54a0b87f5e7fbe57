/**
 * The one list of what is served on a client's connection. A request is read whole before anything of it is done; one that
 * cannot be read throws a WireError and costs its connection.
 */
import { requestReader } from '../wire/compiler.ts';
import { ALL_APIS } from '../wire/messages/all.ts';
import { ApiVersions } from '../wire/messages/api-versions.ts';
import { CreateTopics } from '../wire/messages/create-topics.ts';
import { Fetch } from '../wire/messages/fetch.ts';
import { InitProducerId } from '../wire/messages/init-producer-id.ts';
import { ListOffsets } from '../wire/messages/list-offsets.ts';
import { Metadata } from '../wire/messages/metadata.ts';
import { Produce } from '../wire/messages/produce.ts';
import type { Reader } from '../wire/reader.ts';
import { type Api, isServed } from '../wire/schema.ts';
import { WireError } from '../wire/wire-error.ts';
import { apiVersions } from './api-versions.ts';
import { fetch } from './fetch.ts';
import type { ApiCall, Floor } from './floor.ts';
import { listOffsets } from './list-offsets.ts';
import { metadata } from './metadata.ts';
import { produce } from './produce.ts';

/** What is announced: all that has a table has a handler below. */
export const SERVED: readonly Api[] = ALL_APIS;

export function dispatch(call: ApiCall, api: Api | null, reader: Reader, floor: Floor): void {
  if (api === null) throw new WireError('an API that this broker does not have');
  const { version } = call;
  if (api.key === ApiVersions.key) {
    apiVersions(call, isServed(api, version) ? requestReader(ApiVersions, version)(reader) : null, SERVED);
    return;
  }
  if (!isServed(api, version)) throw new WireError(`${api.name} in version ${version}, which is not served`);
  switch (api.key) {
    case Produce.key:
      return produce(call, requestReader(Produce, version)(reader), floor);
    case Fetch.key:
      return fetch(call, requestReader(Fetch, version)(reader), floor);
    case ListOffsets.key:
      return listOffsets(call, requestReader(ListOffsets, version)(reader), floor);
    case Metadata.key:
      return metadata(call, requestReader(Metadata, version)(reader), floor);
    case CreateTopics.key:
      return floor.askController(call, api.key, requestReader(CreateTopics, version)(reader));
    case InitProducerId.key:
      return floor.askController(call, api.key, requestReader(InitProducerId, version)(reader));
    default:
      throw new WireError(`${api.name}, which has no handler`);
  }
}
