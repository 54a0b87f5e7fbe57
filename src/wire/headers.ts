/**
 * What stands before every message. A frame is an int32 length and that many bytes: header, then body.
 *
 *   request header v1    key int16 | version int16 | correlation id int32 | client id nullable string (always with an int16 length)
 *   request header v2    the same, then tagged fields; used by flexible versions
 *   response header v0   correlation id int32
 *   response header v1   the same, then tagged fields; used by flexible versions, never by ApiVersions
 */
import { apiByKey } from './messages/all.ts';
import { ApiVersions } from './messages/api-versions.ts';
import type { Reader } from './reader.ts';
import type { Api } from './schema.ts';
import type { Writer } from './writer.ts';

/** The bytes in which key, version and correlation id are found whatever the API. */
export const REQUEST_HEADER_BYTES_MIN = 8;

/** Reusable: `readRequestHeader` fills it anew. */
export class RequestHeader {
  apiKey = -1;
  apiVersion = -1;
  correlationId = 0;
  clientId: string | null = null;
  /** Null when the key is unknown: then the client id was not looked at. */
  api: Api | null = null;
}

/** Leaves the reader at the body. A version outside the served ones is read by the same rule, so that an answer can be given. */
export function readRequestHeader(reader: Reader, header: RequestHeader): void {
  header.apiKey = reader.int16('request header.apiKey');
  header.apiVersion = reader.int16('request header.apiVersion');
  header.correlationId = reader.int32('request header.correlationId');
  const api = apiByKey(header.apiKey);
  header.api = api;
  header.clientId = null;
  if (api === null) return;
  header.clientId = reader.nullableString('request header.clientId');
  if (header.apiVersion >= api.flexibleFrom) reader.skipTags('request header');
}

export function writeRequestHeader(
  writer: Writer,
  api: Api,
  version: number,
  correlationId: number,
  clientId: string | null,
): void {
  writer.int16(api.key, 'request header.apiKey');
  writer.int16(version, 'request header.apiVersion');
  writer.int32(correlationId, 'request header.correlationId');
  writer.nullableString(clientId, 'request header.clientId');
  if (version >= api.flexibleFrom) writer.unsignedVarint(0);
}

function hasTaggedResponseHeader(api: Api, version: number): boolean {
  return version >= api.flexibleFrom && api !== (ApiVersions as Api);
}

/** Returns the correlation id. */
export function readResponseHeader(reader: Reader, api: Api, version: number): number {
  const correlationId = reader.int32('response header.correlationId');
  if (hasTaggedResponseHeader(api, version)) reader.skipTags('response header');
  return correlationId;
}

export function writeResponseHeader(writer: Writer, api: Api, version: number, correlationId: number): void {
  writer.int32(correlationId, 'response header.correlationId');
  if (hasTaggedResponseHeader(api, version)) writer.unsignedVarint(0);
}

const LENGTH_BYTES = 4;

/** Leaves room for the length of the frame; the writer must stand at its start. */
export function beginFrame(writer: Writer): void {
  writer.int32(0, 'frame length');
}

/** Fills in the length: all that was written since the start, holes included. */
export function endFrame(writer: Writer): void {
  writer.patchInt32(writer.start, writer.totalBytes - LENGTH_BYTES);
}
