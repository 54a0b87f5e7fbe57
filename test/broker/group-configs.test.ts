/** Settings of a single group: taken within bounds, honoured by its coordinator at once, and there when the broker starts anew. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERROR } from '../../src/wire/errors.ts';
import { BeatingMember } from '../kit/beating-member.ts';
import { BrokerHome, TWO_BY_ONE } from '../kit/broker.ts';
import type { RawClient } from '../kit/client.ts';
import { APPEND, change, DELETE, describedOf, GROUP, SET, settingOf } from '../kit/configs.ts';
import { coordinated } from '../kit/group-calls.ts';
import { createTopic } from '../kit/requests.ts';

const SESSION = 'consumer.session.timeout.ms';
const INTERVAL = 'consumer.heartbeat.interval.ms';
const NAME = 'payments/é, 1';

const home = new BrokerHome(TWO_BY_ONE);
let client: RawClient;
beforeAll(async () => {
  await home.start();
  client = await home.connect();
});
afterAll(() => home.end());

const alter = async (name: string, ...operations: Parameters<typeof change>[3]) =>
  (await change(client, GROUP, name, operations))[0];

test('a group has the times that are set for it, and others have not', async () => {
  const { name: topic } = await createTopic(client);
  await coordinated(client, NAME);
  const member = await BeatingMember.join(home.port, NAME, { names: [topic] });
  const other = await BeatingMember.join(home.port, 'other', { names: [topic] });
  expect(member.intervalMs).toBe(5000);
  expect(await alter(NAME, [INTERVAL, SET, '7000'], [SESSION, SET, '50000'])).toBe(ERROR.NONE);
  for (const one of [member, other]) expect(await one.beat()).toBe(ERROR.NONE);
  expect([member.intervalMs, other.intervalMs]).toEqual([7000, 5000]);
  expect(await settingOf(client, GROUP, NAME, SESSION)).toEqual({
    value: '50000',
    from: [`${SESSION}=50000@8`, 'group.consumer.session.timeout.ms=45000@5'],
  });
  expect([...(await describedOf(client, GROUP, 'nobody')).values()].map(({ value }) => value)).toEqual([
    '45000',
    '5000',
  ]);

  await client.close();
  await home.restart();
  client = await home.connect();
  await member.comeBack(home.port);
  expect(await member.beat()).toBe(ERROR.NONE);
  expect(member.intervalMs).toBe(7000);
  expect(await alter(NAME, [INTERVAL, DELETE], [SESSION, DELETE])).toBe(ERROR.NONE);
  expect(await member.beat()).toBe(ERROR.NONE);
  expect(member.intervalMs).toBe(5000);
  expect((await settingOf(client, GROUP, NAME, SESSION)).from).toEqual(['group.consumer.session.timeout.ms=45000@5']);
  for (const one of [member, other]) await one.close();
});

test('what is no setting of a group, out of bounds or nameless is refused', async () => {
  expect(await alter(NAME, [SESSION, SET, '44999'])).toBe(ERROR.INVALID_CONFIG);
  expect(await alter(NAME, [SESSION, SET, '60001'])).toBe(ERROR.INVALID_CONFIG);
  expect(await alter(NAME, [INTERVAL, SET, 'often'])).toBe(ERROR.INVALID_CONFIG);
  expect(await alter(NAME, ['retention.ms', SET, '1'])).toBe(ERROR.INVALID_CONFIG);
  expect(await alter(NAME, [SESSION, APPEND, '50000'])).toBe(ERROR.INVALID_CONFIG);
  expect(await alter(NAME, [SESSION, SET])).toBe(ERROR.INVALID_REQUEST);
  expect(await alter('', [SESSION, SET, '50000'])).toBe(ERROR.INVALID_REQUEST);
  await expect(describedOf(client, GROUP, '')).rejects.toThrow(`${ERROR.INVALID_REQUEST}`);
});
