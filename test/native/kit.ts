/** What the tests of the addon share: the addon where there is one, memory, a folder that goes away, sockets in pairs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { loadAddon } from '../../src/runtime/ground/addon.ts';
import { EVENT_READ, EVENT_WRITE } from '../../src/runtime/ground/layout.ts';
import type { Native } from '../../src/runtime/ground/native.ts';
import { nativeMemory } from '../../src/runtime/ground/native-disk.ts';

const addon = loadAddon();

/** Only within `describeNative`, which leaves its tests out where no addon can be: build.test.ts holds that to machines without a compiler. */
export const native = addon as Native;
export const describeNative = describe.runIf(addon !== null);

export function sharedMemory(bytes: number): Memory {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes));
  return addon === null ? memoryOver(shared) : nativeMemory(addon, shared);
}

/** A folder for this test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The result of a call that must not fail. */
export function good(result: number): number {
  if (result < 0) throw new Error(`unexpected ${native.errorName(result)}`);
  return result;
}

const events = sharedMemory(64);

/** Waits until the socket can be read, or written; fails after ten seconds. */
export function awaitSocket(socket: number, what: 'read' | 'write'): void {
  const poll = good(native.pollCreate());
  good(native.pollControl(poll, 1, socket, what === 'read' ? EVENT_READ : EVENT_WRITE, 1));
  const count = native.pollWait(poll, events.id, 0, 1, 10_000);
  native.close(poll);
  if (count !== 1) throw new Error(`the socket did not become ready to ${what}`);
}

export interface Pair {
  readonly client: number;
  readonly server: number;
  readonly port: number;
}

/** Two ends of one connection. Small buffers on the sender's side make short counts. */
export function connectedPair(bufferBytes = 0, host = '127.0.0.1'): Pair {
  const listener = good(native.listen(host, 0, 8));
  good(native.setBuffers(listener, bufferBytes, bufferBytes));
  const port = good(native.localPort(listener));
  const client = good(native.connect(host, port));
  good(native.setBuffers(client, bufferBytes, bufferBytes));
  awaitSocket(listener, 'read');
  const server = good(native.accept(listener));
  awaitSocket(client, 'write');
  good(native.close(listener));
  return { client, server, port };
}
