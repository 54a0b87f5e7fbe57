import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const FAKE = fileURLToPath(new URL('fake-broker.ts', import.meta.url));
let child: ChildProcess;
let output = '';

afterEach(() => {
  child.kill('SIGKILL');
});

function start(kind: string): Promise<[number | null, NodeJS.Signals | null]> {
  output = '';
  child = spawn(process.execPath, [FAKE, kind], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  return once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
}

const PRINTED_WITHIN_MS = 20_000;

async function printed(text: string): Promise<void> {
  const deadline = performance.now() + PRINTED_WITHIN_MS;
  while (!output.includes(text)) {
    if (performance.now() > deadline) throw new Error(`not printed in time: ${text}`);
    await sleep(5);
  }
}

describe("a broker's life", () => {
  test('two signals at once are one, and it stops cleanly', async () => {
    const end = start('healthy');
    await printed('listening on 127.0.0.1:9');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(await end).toEqual([0, null]);
  });

  test('a second signal ends one that does not get to its end', async () => {
    const end = start('stuck');
    await printed('listening on');
    child.kill('SIGTERM');
    await printed('stopping');
    expect(child.exitCode).toBeNull();
    await sleep(300);
    child.kill('SIGTERM');
    expect(await end).toEqual([143, null]);
  });

  test('one that breaks says so and ends with 70', async () => {
    expect(await start('breaks')).toEqual([70, null]);
    expect(output).toContain('odradek: the broker has broken and stops: a thread has died');
  });

  test('what it has to say about settings and transport goes to the log', async () => {
    start('healthy');
    await printed('listening on');
    expect(output).toContain('this means nothing.');
    expect(output).toContain('it is a fake');
  });
});
