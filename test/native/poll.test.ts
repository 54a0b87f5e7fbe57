import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { EVENT_BYTES, EVENT_HANGUP, EVENT_READ, EVENT_WRITE } from '../../src/runtime/ground/layout.ts';
import { connectedPair, describeNative, good, native, sharedMemory } from './kit.ts';

const [ADD, MODIFY, REMOVE] = [1, 2, 3];

describeNative('waiting', () => {
  const memory = sharedMemory(16 * EVENT_BYTES);

  function ready(poll: number, timeoutMs = 0): [token: number, bits: number][] {
    const count = good(native.pollWait(poll, memory.id, EVENT_BYTES, 15, timeoutMs));
    return Array.from({ length: count }, (_, i) => [
      memory.view.getInt32((i + 1) * EVENT_BYTES, true),
      memory.view.getInt32((i + 1) * EVENT_BYTES + 4, true),
    ]);
  }

  it('reports an event for as long as it holds, under its token', () => {
    const poll = good(native.pollCreate());
    const event = good(native.eventCreate());
    good(native.pollControl(poll, ADD, event, EVENT_READ, -7));
    expect(ready(poll)).toEqual([]);
    expect(ready(poll, 1.5)).toEqual([]);
    good(native.eventSignal(event));
    expect(ready(poll, -1)).toEqual([[-7, EVENT_READ]]);
    expect(ready(poll)).toEqual([[-7, EVENT_READ]]);
    good(native.eventClear(event));
    expect(ready(poll)).toEqual([]);
    good(native.close(event));
    good(native.close(poll));
  });

  it('counts signals, and clears them all at once', () => {
    const event = good(native.eventCreate());
    expect(native.eventClear(event)).toBe(0);
    good(native.eventSignal(event));
    good(native.eventSignal(event));
    expect(native.eventClear(event)).toBe(2);
    expect(native.eventClear(event)).toBe(0);
    good(native.close(event));
  });

  it('changes and removes what is waited for, and sees the other side hang up', () => {
    const poll = good(native.pollCreate());
    const { client, server } = connectedPair();
    good(native.pollControl(poll, ADD, server, EVENT_READ, 1));
    expect(ready(poll)).toEqual([]);
    good(native.pollControl(poll, MODIFY, server, EVENT_READ | EVENT_WRITE, 2));
    expect(ready(poll)).toEqual([[2, EVENT_WRITE]]);
    good(native.shutdown(server, 1));
    good(native.close(client));
    good(native.pollControl(poll, MODIFY, server, 0, 3));
    const [token, bits] = ready(poll, 10_000)[0] as [number, number];
    expect(token).toBe(3);
    expect(bits & EVENT_HANGUP).toBe(EVENT_HANGUP);
    good(native.pollControl(poll, REMOVE, server, 0, 0));
    expect(ready(poll)).toEqual([]);
    expect(native.errorName(native.pollControl(poll, REMOVE, server, 0, 0))).toBe('ENOENT');
    good(native.close(server));
    good(native.close(poll));
  });

  it('refuses places outside of memory, unknown operations and events', () => {
    const poll = good(native.pollCreate());
    expect(() => native.pollWait(poll, memory.id, EVENT_BYTES, 16, 0)).toThrow(TypeError);
    expect(() => native.pollWait(poll, memory.id, 0, 0, 0)).toThrow(TypeError);
    expect(() => native.pollWait(poll, memory.id, 0, 1, Number.NaN)).toThrow(TypeError);
    expect(() => native.pollControl(poll, 4, poll, EVENT_READ, 0)).toThrow(TypeError);
    expect(() => native.pollControl(poll, ADD, poll, 1 << 30, 0)).toThrow(TypeError);
    good(native.close(poll));
    expect(native.errorName(native.pollWait(poll, memory.id, 0, 1, 0))).toBe('EBADF');
  });

  it('ends without an event when a signal cuts in', async () => {
    const script = new URL('./interrupted-wait.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    // The first may come before the wait begins.
    const again = setInterval(() => child.kill('SIGUSR2'), 20);
    const [code] = await ended;
    clearInterval(again);
    expect(code).toBe(42);
  });
});
