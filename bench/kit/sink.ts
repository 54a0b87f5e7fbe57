/** The other end of the zero-copy bench, a process of its own: connects to a port and reads all that comes into one small warm buffer, as a consumer would. */
import { loadAddon } from '../../src/runtime/addon.ts';
import { EVENT_BYTES, EVENT_READ } from '../../src/runtime/layout.ts';
import { EAGAIN } from '../../src/runtime/native.ts';

const BUFFER_BYTES = 256 << 10;

function drain(port: number): void {
  const native = loadAddon();
  if (native === null) throw new Error('the sink needs the addon');
  const memory = native.register(new Uint8Array(new SharedArrayBuffer(BUFFER_BYTES + EVENT_BYTES)));
  const socket = native.connect('127.0.0.1', port);
  if (socket < 0) throw new Error(`connect: ${native.errorName(socket)}`);
  const poll = native.pollCreate();
  native.pollControl(poll, 1, socket, EVENT_READ, 0);
  for (;;) {
    native.pollWait(poll, memory, BUFFER_BYTES, 1, -1);
    const got = native.receive(socket, memory, 0, BUFFER_BYTES, memory, 0, 0);
    if (got === 0) break;
    if (got < 0 && got !== EAGAIN) throw new Error(`receive: ${native.errorName(got)}`);
  }
  native.close(socket);
  native.close(poll);
}

drain(Number(process.argv[2]));
