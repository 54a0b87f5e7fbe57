/** The other end of the zero-copy bench, a process of its own: `sink.ts PORT [CONNECTIONS]` connects and reads all that comes into one small warm buffer, as consumers would. */
import { loadAddon } from '../../src/runtime/ground/addon.ts';
import { EVENT_BYTES, EVENT_READ } from '../../src/runtime/ground/layout.ts';
import { EAGAIN } from '../../src/runtime/ground/native.ts';

const BUFFER_BYTES = 256 << 10;
const EVENTS_MAX = 64;

function drain(port: number, connections: number): void {
  const native = loadAddon();
  if (native === null) throw new Error('the sink needs the addon');
  const events = new Int32Array(new SharedArrayBuffer(EVENTS_MAX * EVENT_BYTES));
  const memory = native.register(new Uint8Array(new SharedArrayBuffer(BUFFER_BYTES)));
  const eventsMemory = native.register(new Uint8Array(events.buffer));
  const poll = native.pollCreate();
  const sockets = Array.from({ length: connections }, (_, token) => {
    const socket = native.connect('127.0.0.1', port);
    if (socket < 0) throw new Error(`connect: ${native.errorName(socket)}`);
    native.pollControl(poll, 1, socket, EVENT_READ, token);
    return socket;
  });
  for (let open = connections; open > 0; ) {
    const ready = native.pollWait(poll, eventsMemory, 0, EVENTS_MAX, -1);
    for (let i = 0; i < ready; i++) {
      const socket = sockets[events[(i * EVENT_BYTES) / 4] as number] as number;
      const got = native.receive(socket, memory, 0, BUFFER_BYTES, memory, 0, 0);
      if (got < 0 && got !== EAGAIN) throw new Error(`receive: ${native.errorName(got)}`);
      if (got !== 0) continue;
      native.close(socket);
      open -= 1;
    }
  }
  native.close(poll);
}

drain(Number(process.argv[2]), Number(process.argv[3] ?? 1));
