import { expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { responseWriter } from '../../src/wire/compiler.ts';
import {
  beginFrame,
  endFrame,
  RequestHeader,
  readRequestHeader,
  readResponseHeader,
  writeRequestHeader,
  writeResponseHeader,
} from '../../src/wire/headers.ts';
import { apiByKey } from '../../src/wire/messages/all.ts';
import { ApiVersions } from '../../src/wire/messages/api-versions.ts';
import { InitProducerId } from '../../src/wire/messages/init-producer-id.ts';
import { Produce } from '../../src/wire/messages/produce.ts';
import { Reader } from '../../src/wire/reader.ts';
import type { Api } from '../../src/wire/schema.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { Writer } from '../../src/wire/writer.ts';
import { readGolden } from './golden.ts';

interface Golden {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly request: string;
  readonly response: string;
}

const goldens = readGolden<Golden>('headers.jsonl');

function readerOver(hex: string): Reader {
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
  const reader = new Reader();
  reader.reset(memoryOver(bytes), 0, bytes.length);
  return reader;
}

const hexOf = (writer: Writer) =>
  Buffer.from(writer.memory.bytes.subarray(writer.start, writer.offset)).toString('hex');

test('headers are those of Kafka, for every API, version and kind of client id', () => {
  const header = new RequestHeader();
  for (const { apiKey, version, correlationId, clientId, request, response } of goldens) {
    const api = apiByKey(apiKey) as Api;
    const requestReader = readerOver(request);
    readRequestHeader(requestReader, header);
    expect(header).toEqual({ apiKey, apiVersion: version, correlationId, clientId, api });
    expect(requestReader.remaining).toBe(0);

    const responseReader = readerOver(response);
    expect(readResponseHeader(responseReader, api, version)).toBe(correlationId);
    expect(responseReader.remaining).toBe(0);

    const writer = new Writer();
    writeRequestHeader(writer, api, version, correlationId, clientId);
    expect(hexOf(writer)).toBe(request);
    writer.reset();
    writeResponseHeader(writer, api, version, correlationId);
    expect(hexOf(writer)).toBe(response);
  }
});

test('of an unknown API key, version and correlation id are read and nothing more', () => {
  const header = new RequestHeader();
  header.clientId = 'of the request before';
  const reader = readerOver('03e7 0005 00000007 0003 616263'.replaceAll(' ', ''));
  readRequestHeader(reader, header);
  expect(header).toEqual({ apiKey: 999, apiVersion: 5, correlationId: 7, clientId: null, api: null });
  expect(reader.remaining).toBe(5);
});

test('a version that is not served is read by the rule of flexible versions', () => {
  const header = new RequestHeader();
  const reader = readerOver('0012 0063 00000007 0003 616263 01 05 02 ffff 0461'.replaceAll(' ', ''));
  readRequestHeader(reader, header);
  expect(header).toMatchObject({ apiVersion: 99, clientId: 'abc', api: ApiVersions });
  expect(reader.remaining).toBe(2);
});

test('a short header is refused', () => {
  for (const hex of [
    '',
    '00',
    '0000',
    '000000',
    '0000000900000007',
    '00000009000000070003',
    '000000090000000700036162',
  ]) {
    expect(() => readRequestHeader(readerOver(hex), new RequestHeader())).toThrow(WireError);
  }
  expect(() => readRequestHeader(readerOver('0000000900000007000361626301'), new RequestHeader())).toThrow(WireError);
});

test('a frame announces its length: header, body and holes', () => {
  const writer = new Writer();
  beginFrame(writer);
  writeResponseHeader(writer, InitProducerId, 5, 9);
  const response = { throttleTimeMs: 0, errorCode: 0, producerId: 4_000_000_000, producerEpoch: 3 };
  responseWriter(InitProducerId, 5)(writer, response);
  endFrame(writer);
  expect(hexOf(writer)).toBe('00000016' + '00000009' + '00' + '00000000' + '0000' + '00000000ee6b2800' + '0003' + '00');

  writer.reset();
  beginFrame(writer);
  writer.records({ length: 1000 });
  endFrame(writer);
  expect(hexOf(writer)).toBe('000003e8');
});

test('the answer to ApiVersions never has tagged fields in its header, others do from their flexible version on', () => {
  const writer = new Writer();
  writeResponseHeader(writer, ApiVersions, 4, 1);
  expect(hexOf(writer)).toBe('00000001');
  writer.reset();
  writeResponseHeader(writer, Produce, 9, 1);
  expect(hexOf(writer)).toBe('0000000100');
});
