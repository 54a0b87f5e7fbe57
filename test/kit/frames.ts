/** A request as it travels: its size, its header and its body, by the broker's own tables. */
import { requestWriter } from '../../src/wire/compiler.ts';
import { beginFrame, endFrame, writeRequestHeader } from '../../src/wire/headers.ts';
import type { Api, RequestInput } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';

export function requestFrame<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string,
  request: RequestInput<A>,
): Buffer {
  const writer = new Writer();
  beginFrame(writer);
  writeRequestHeader(writer, api, version, correlationId, clientId);
  requestWriter(api, version)(writer, request);
  endFrame(writer);
  return Buffer.from(writer.memory.bytes.subarray(0, writer.writtenBytes));
}
