import { expect, test } from 'vitest';
import { Announcement, isSoftwareName } from '../../src/wire/api-versions.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { ALL_APIS } from '../../src/wire/messages/all.ts';
import { ApiVersions } from '../../src/wire/messages/api-versions.ts';
import { decode, encode } from './values.ts';

const SERVED = [
  { apiKey: 0, minVersion: 0, maxVersion: 13 },
  { apiKey: 1, minVersion: 4, maxVersion: 18 },
  { apiKey: 2, minVersion: 1, maxVersion: 11 },
  { apiKey: 3, minVersion: 0, maxVersion: 13 },
  { apiKey: 8, minVersion: 2, maxVersion: 10 },
  { apiKey: 9, minVersion: 1, maxVersion: 10 },
  { apiKey: 10, minVersion: 0, maxVersion: 6 },
  { apiKey: 11, minVersion: 0, maxVersion: 9 },
  { apiKey: 12, minVersion: 0, maxVersion: 4 },
  { apiKey: 13, minVersion: 0, maxVersion: 5 },
  { apiKey: 14, minVersion: 0, maxVersion: 5 },
  { apiKey: 15, minVersion: 0, maxVersion: 6 },
  { apiKey: 16, minVersion: 0, maxVersion: 5 },
  { apiKey: 18, minVersion: 0, maxVersion: 4 },
  { apiKey: 19, minVersion: 2, maxVersion: 7 },
  { apiKey: 20, minVersion: 1, maxVersion: 6 },
  { apiKey: 21, minVersion: 0, maxVersion: 2 },
  { apiKey: 22, minVersion: 0, maxVersion: 5 },
  { apiKey: 23, minVersion: 2, maxVersion: 4 },
  { apiKey: 32, minVersion: 1, maxVersion: 4 },
  { apiKey: 33, minVersion: 0, maxVersion: 2 },
  { apiKey: 34, minVersion: 1, maxVersion: 2 },
  { apiKey: 35, minVersion: 1, maxVersion: 5 },
  { apiKey: 37, minVersion: 0, maxVersion: 3 },
  { apiKey: 42, minVersion: 0, maxVersion: 2 },
  { apiKey: 44, minVersion: 0, maxVersion: 1 },
  { apiKey: 47, minVersion: 0, maxVersion: 0 },
  { apiKey: 60, minVersion: 0, maxVersion: 2 },
  { apiKey: 61, minVersion: 0, maxVersion: 0 },
  { apiKey: 68, minVersion: 0, maxVersion: 1 },
  { apiKey: 69, minVersion: 0, maxVersion: 1 },
  { apiKey: 75, minVersion: 0, maxVersion: 0 },
];

test.each([0, 1, 2, 3, 4])('version %i is answered in its own version', (version) => {
  const answer = new Announcement(ALL_APIS).answer(version);
  expect(answer.version).toBe(version);
  const bytes = encode(ApiVersions, 'response', answer.version, { ...answer.response });
  expect(decode(ApiVersions, 'response', version, bytes)).toMatchObject({ errorCode: ERROR.NONE, apiKeys: SERVED });
});

test.each([5, 99, 0x7fff, -1])('version %i is answered in version 0 with error 35 and the list', (version) => {
  const answer = new Announcement(ALL_APIS).answer(version);
  expect(answer.version).toBe(0);
  const bytes = encode(ApiVersions, 'response', 0, { ...answer.response });
  expect(decode(ApiVersions, 'response', 0, bytes)).toMatchObject({ errorCode: 35, apiKeys: SERVED });
});

test('names of client software', () => {
  for (const good of ['a', '7', 'apache-kafka-java', 'librdkafka', '4.3.0', 'a..b'])
    expect(isSoftwareName(good)).toBe(true);
  for (const bad of ['', '-', '-a', 'a-', '.a', 'a b', 'a_b', 'ž', 'a\n']) expect(isSoftwareName(bad)).toBe(false);
});
