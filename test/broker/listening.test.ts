/** What stands in the way of a listener is said in a sentence that names it and says what to do. */
import { expect, test } from 'vitest';
import { StartError, startBroker } from '../../src/broker.ts';
import { BrokerHome, ONE_THREAD } from '../kit/broker.ts';
import { RawClient } from '../kit/client.ts';
import { metadata } from '../kit/requests.ts';

async function problem(listeners: string): Promise<string> {
  const start = startBroker({ cores: 2, entries: [{ name: 'listeners', value: listeners, origin: 'flag' }] });
  const error = await start.then(
    () => null,
    (why: Error) => why,
  );
  expect(error).toBeInstanceOf(StartError);
  return (error as Error).message;
}

test('a port that is taken', async () => {
  const home = new BrokerHome(ONE_THREAD);
  await home.start();
  expect(await problem(`PLAINTEXT://127.0.0.1:${home.port}`)).toBe(
    `Port ${home.port} on 127.0.0.1 is taken: stop what listens there, or choose another port for PLAINTEXT.`,
  );
  await home.end();
});

test('an address that this machine does not have', async () => {
  expect(await problem('PLAINTEXT://192.0.2.1:0')).toBe(
    'The listener PLAINTEXT cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL): correct its address.',
  );
});

test('several listeners: each client is told the addresses of the one it came through', async () => {
  const settings = {
    listeners: 'INSIDE://127.0.0.1:0,OUTSIDE://127.0.0.1:0',
    'advertised.listeners': 'OUTSIDE://broker.example:443',
    'listener.security.protocol.map': 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT',
  };
  const entries = Object.entries(settings).map(([name, value]) => ({ name, value, origin: 'flag' as const }));
  const broker = await startBroker({ cores: 2, entries });
  const told = await Promise.all(
    broker.listeners.map(async ({ port }) => {
      const client = await RawClient.connect(port);
      const { brokers } = await metadata(client, []);
      await client.close();
      return brokers.map((one) => `${one.host}:${one.port}`);
    }),
  );
  expect(told).toEqual([[`127.0.0.1:${broker.listeners[0]?.port}`], ['broker.example:443']]);
  await broker.close();
});
