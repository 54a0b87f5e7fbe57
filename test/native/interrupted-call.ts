/** Makes one call of the addon, named on the command line. Exit code 0: it did what it should. */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { EVENT_READ } from '../../src/runtime/ground/layout.ts';
import { type Native, OPEN_READ_WRITE } from '../../src/runtime/ground/native.ts';

const native = createRequire(import.meta.url)('../../build/Release/addon.node') as Native;
const [name, path] = process.argv.slice(2) as [string, string];
writeFileSync(path, 'x'.repeat(100));
const memory = native.register(new Uint8Array(100));
const table = Int32Array.of(memory, 0, 10);
const file = native.open(path, OPEN_READ_WRITE);

const poll = native.pollCreate();
function readable(socket: number): void {
  native.pollControl(poll, 1, socket, EVENT_READ, 0);
  if (native.pollWait(poll, memory, 0, 1, 5000) !== 1) throw new Error('nothing to read');
}

const listener = native.listen('127.0.0.1', 0, 1);
const client = native.connect('127.0.0.1', native.localPort(listener));

function accepted(): number {
  readable(listener);
  return native.accept(listener);
}

function sent(): number {
  const server = accepted();
  native.send(server, memory, 0, 10);
  readable(client);
  return client;
}

const calls: Record<string, () => boolean> = {
  write: () => native.write(file, memory, 0, 10, 0) === 10,
  writePieces: () => native.writePieces(file, table, 0, 1, 0) === 10,
  read: () => native.read(file, memory, 0, 10, 0) === 10,
  readNoWait: () => native.readNoWait(file, memory, 0, 10, 0) === 10,
  truncate: () => native.truncate(file, 5) === 0,
  allocate: () => native.allocate(file, 0, 4096, true) === 0,
  syncData: () => native.syncData(file) === 0,
  syncAll: () => native.syncAll(file) === 0,
  startWriteback: () => native.startWriteback(file, 0, 100) === 0,
  accept: () => accepted() > 0,
  send: () => native.send(accepted(), memory, 0, 10) === 10,
  sendPieces: () => native.sendPieces(accepted(), table, 0, 1) === 10,
  sendFile: () => native.sendFile(accepted(), file, 0, 10) === 10,
  receive: () => native.receive(sent(), memory, 0, 50, memory, 0, 0) === 10,
  receiveTwo: () => native.receive(sent(), memory, 0, 50, memory, 50, 50) === 10,
};

process.exitCode = (calls[name] as () => boolean)() ? 0 : 1;
