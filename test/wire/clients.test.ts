/** Requests as real clients wrote them (golden/capture.ts): read whole, and written again the same. */
import { expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { requestReader, requestWriter } from '../../src/wire/compiler.ts';
import { RequestHeader, readRequestHeader, writeRequestHeader } from '../../src/wire/headers.ts';
import { ALL_APIS } from '../../src/wire/messages/all.ts';
import { Reader } from '../../src/wire/reader.ts';
import type { Api } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';
import { readGolden } from './golden.ts';
import { type Value, withRecordBytes } from './values.ts';

interface Captured {
  readonly client: string;
  readonly api: string;
  readonly version: number;
  /** Bytes that the client sends behind what the version has: librdkafka 2.15 does. */
  readonly behind: number;
  readonly hex: string;
}

const captured = readGolden<Captured>('clients.jsonl');

test('every API that is served has been asked by a client', () => {
  const asked = new Set(captured.map(({ api }) => api));
  expect(ALL_APIS.map(({ name }) => name).filter((name) => !asked.has(name))).toEqual(UNASKED);
});

/** No client at hand sends them to a broker that is alone. */
const UNASKED = ['OffsetForLeaderEpoch', 'AlterReplicaLogDirs'];

test.each(
  captured.map(
    (line) => [`${line.client} ${line.api} ${line.version}${line.behind > 0 ? ' and more' : ''}`, line] as const,
  ),
)('%s', (_, line) => {
  const bytes = new Uint8Array(Buffer.from(line.hex, 'hex'));
  const memory = memoryOver(bytes);
  const reader = new Reader();
  reader.reset(memory, 0, bytes.length);
  const header = new RequestHeader();
  readRequestHeader(reader, header);
  expect([header.api?.name, header.apiVersion]).toEqual([line.api, line.version]);
  const api = header.api as Api;
  const request = requestReader(api, line.version)(reader) as Value;
  expect(bytes.length - reader.offset).toBe(line.behind);

  const writer = new Writer();
  writeRequestHeader(writer, api, line.version, header.correlationId, header.clientId);
  requestWriter(api, line.version)(writer, withRecordBytes(api.request, request, bytes) as never);
  const again = Buffer.from(writer.memory.bytes.subarray(0, writer.writtenBytes)).toString('hex');
  expect(again).toBe(line.hex.slice(0, line.hex.length - 2 * line.behind));
});
