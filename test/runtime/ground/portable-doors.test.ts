/** The portable doors: a connection that is over before anybody takes it is nobody's end but its own. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { memoryOver } from '../../../src/base/memory.ts';
import { Timers } from '../../../src/base/timers.ts';
import { PortableLoop } from '../../../src/runtime/ground/portable-loop.ts';
import { PortableDoors, PortableSockets, SocketTable } from '../../../src/runtime/ground/portable-sockets.ts';
import { Loop } from '../../../src/runtime/loop.ts';
import { WOULD_BLOCK } from '../../../src/runtime/net/transport.ts';
import { eventually } from '../../kit/broker.ts';
import { HandClock } from '../../kit/hand-clock.ts';

test('a connection that is reset before a processor takes it is broken for that one, who is told', async () => {
  const clock = new HandClock();
  const loop = new Loop(clock, new Timers(clock.monotonic()));
  const waiter = new PortableLoop(loop, new Int32Array(new SharedArrayBuffer(4)), () => false);
  const table = new SocketTable();
  const doors = new PortableDoors(table, 10);
  const accepted: number[] = [];
  const fail = (problem: string): never => {
    throw new Error(problem);
  };
  const port = await doors.listen(0, '127.0.0.1', 0, (descriptor) => void accepted.push(descriptor), fail);
  const client = connect(port, '127.0.0.1').on('error', () => {});
  await once(client, 'connect');
  await eventually(
    () => accepted.length,
    (count) => count === 1,
  );
  const [descriptor] = accepted as [number];
  const socket = table.take(descriptor) as Socket;
  client.resetAndDestroy();
  await eventually(
    () => socket.destroyed,
    (isDestroyed) => isDestroyed,
  );
  const again = table.add(socket);
  const told: string[] = [];
  const owner = {
    readable: () => void told.push('readable'),
    writable: () => void told.push('writable'),
    gone: () => void told.push('gone'),
  };
  const transport = new PortableSockets(table, waiter, () => owner).adopt(again, 1);
  const memory = memoryOver(new Uint8Array(16));
  expect(transport.receive(memory, 0, 16, 0, 0)).toBeLessThan(WOULD_BLOCK);
  await eventually(
    () => told.length,
    (count) => count === 2,
  );
  expect(told.sort()).toEqual(['gone', 'readable']);
  transport.close();
  doors.close();
});
