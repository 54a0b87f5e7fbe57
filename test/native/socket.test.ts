import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Pieces } from '../../src/base/memory.ts';
import { EAGAIN, OPEN_READ } from '../../src/runtime/ground/native.ts';
import {
  awaitSocket,
  connectedPair,
  describeNative,
  good,
  native,
  type Pair,
  sharedMemory,
  temporaryFolder,
} from './kit.ts';

const SMALL = 8 * 1024;
const LARGE = 4 * 1024 * 1024;

const folder = temporaryFolder();

describeNative('sockets', () => {
  const source = sharedMemory(LARGE);
  const sink = sharedMemory(LARGE);
  for (let i = 0; i < LARGE; i++) source.bytes[i] = Math.imul(i, 2654435761) >>> 24;

  function close(pair: Pair): void {
    good(native.close(pair.client));
    good(native.close(pair.server));
  }

  /** Sends all by turns with a slow reader; returns the counts of the single sends. */
  function sendAll(pair: Pair, send: (done: number) => number, total = LARGE): number[] {
    const counts: number[] = [];
    let blocked = 0;
    let [done, received] = [0, 0];
    while (received < total) {
      while (done < total) {
        const count = send(done);
        if (count === EAGAIN) {
          blocked += 1;
          break;
        }
        counts.push(good(count));
        done += count;
      }
      awaitSocket(pair.server, 'read');
      received += good(native.receive(pair.server, sink.id, received, LARGE - received, sink.id, 0, 0));
    }
    expect(done).toBe(total);
    expect(blocked).toBeGreaterThan(0);
    expect(Buffer.compare(sink.bytes.subarray(0, total), source.bytes.subarray(0, total))).toBe(0);
    return counts;
  }

  it('have nothing to accept or receive: EAGAIN', () => {
    const listener = good(native.listen('127.0.0.1', 0, 8));
    expect(native.accept(listener)).toBe(EAGAIN);
    good(native.close(listener));
    const pair = connectedPair();
    expect(native.receive(pair.server, sink.id, 0, 10, sink.id, 0, 0)).toBe(EAGAIN);
    expect(native.receive(pair.server, sink.id, 0, 10, sink.id, 20, 10)).toBe(EAGAIN);
    close(pair);
  });

  it('fill the second place when the first is full', () => {
    const pair = connectedPair();
    expect(native.send(pair.client, source.id, 100, 10)).toBe(10);
    awaitSocket(pair.server, 'read');
    sink.bytes.fill(0, 0, 100);
    expect(native.receive(pair.server, sink.id, 0, 4, sink.id, 50, 20)).toBe(10);
    expect([...sink.bytes.subarray(0, 5)]).toEqual([...source.bytes.subarray(100, 104), 0]);
    expect([...sink.bytes.subarray(50, 57)]).toEqual([...source.bytes.subarray(104, 110), 0]);
    close(pair);
  });

  it('refuse to receive into nothing, which would read as the end', () => {
    const pair = connectedPair();
    expect(() => native.receive(pair.server, sink.id, 0, 0, sink.id, 0, 0)).toThrow('no room to receive');
    close(pair);
  });

  it('send short counts and then EAGAIN to a slow reader', () => {
    const pair = connectedPair(SMALL);
    const counts = sendAll(pair, (done) => native.send(pair.client, source.id, done, LARGE - done));
    expect(counts.length).toBeGreaterThan(1);
    close(pair);
  });

  it('gather pieces and report how far they came', () => {
    const pair = connectedPair(SMALL);
    const pieces = new Pieces();
    const pieceBytes = 4001;
    for (let i = 0; i < 1024; i++) pieces.add(source, i * pieceBytes, pieceBytes);
    const rest = new Pieces();
    const send = (done: number): number => {
      const [first, within] = [Math.floor(done / pieceBytes), done % pieceBytes];
      if (within === 0) return native.sendPieces(pair.client, pieces.table, first, 1024 - first);
      rest.clear();
      rest.add(source, done, pieceBytes - within);
      return native.sendPieces(pair.client, rest.table, 0, 1);
    };
    const counts = sendAll(pair, send, pieces.totalBytes);
    expect(counts.some((count) => count % pieceBytes !== 0)).toBe(true);
    close(pair);
  });

  it('refuse pieces outside of a memory or of the table', () => {
    const pair = connectedPair();
    const pieces = new Pieces();
    pieces.add(source, LARGE - 5, 6);
    expect(() => native.sendPieces(pair.client, pieces.table, 0, 1)).toThrow('lie outside memory');
    expect(() => native.sendPieces(pair.client, pieces.table, 1024, 1)).toThrow(TypeError);
    expect(() => native.sendPieces(pair.client, pieces.table, -1, 1)).toThrow(TypeError);
    pieces.clear();
    pieces.add({ ...source, id: 4000 }, 0, 1);
    expect(() => native.sendPieces(pair.client, pieces.table, 0, 1)).toThrow('memory 4000 is not registered');
    expect(native.receive(pair.server, sink.id, 0, 10, sink.id, 0, 0)).toBe(EAGAIN);
    close(pair);
  });

  it('send a file in parts, and nothing behind its end', () => {
    const path = join(folder, 'sent');
    writeFileSync(path, source.bytes);
    const file = good(native.open(path, OPEN_READ));
    const pair = connectedPair(SMALL);
    const counts = sendAll(pair, (done) => native.sendFile(pair.client, file, done, LARGE - done));
    expect(counts.length).toBeGreaterThan(1);
    expect(native.sendFile(pair.client, file, LARGE - 3, 100)).toBe(3);
    expect(native.sendFile(pair.client, file, LARGE, 100)).toBe(0);
    close(pair);
    good(native.close(file));
  });

  it('read the end when the other side has closed, and fail to write without a signal', () => {
    const path = join(folder, 'unsent');
    writeFileSync(path, 'x'.repeat(1000));
    const file = good(native.open(path, OPEN_READ));
    const pieces = new Pieces();
    pieces.add(source, 0, 10);
    const sends = [
      (socket: number) => native.send(socket, source.id, 0, 10),
      (socket: number) => native.sendPieces(socket, pieces.table, 0, 1),
      (socket: number) => native.sendFile(socket, file, 0, 10),
    ];
    for (const send of sends) {
      const { client, server } = connectedPair();
      good(native.close(server));
      awaitSocket(client, 'read');
      expect(native.receive(client, sink.id, 0, 10, sink.id, 0, 0)).toBe(0);
      // The first goes out and is answered by a reset.
      good(send(client));
      awaitSocket(client, 'read');
      expect(['EPIPE', 'ECONNRESET']).toContain(native.errorName(send(client)));
      expect(native.errorName(send(client))).toBe('EPIPE');
      good(native.close(client));
    }
    good(native.close(file));
  });

  it('see a reset when the other side closed with bytes unread', () => {
    const { client, server } = connectedPair();
    good(native.send(client, source.id, 0, 100));
    awaitSocket(server, 'read');
    good(native.close(server));
    awaitSocket(client, 'read');
    expect(native.errorName(native.receive(client, sink.id, 0, 10, sink.id, 0, 0))).toBe('ECONNRESET');
    good(native.close(client));
  });

  it('close one direction', () => {
    const pair = connectedPair();
    good(native.shutdown(pair.client, 1));
    awaitSocket(pair.server, 'read');
    expect(native.receive(pair.server, sink.id, 0, 10, sink.id, 0, 0)).toBe(0);
    expect(native.send(pair.server, source.id, 0, 10)).toBe(10);
    awaitSocket(pair.client, 'read');
    expect(native.receive(pair.client, sink.id, 0, 99, sink.id, 0, 0)).toBe(10);
    expect(() => native.shutdown(pair.client, 3)).toThrow(TypeError);
    close(pair);
  });

  it('learn later that nobody listens', () => {
    const listener = good(native.listen('127.0.0.1', 0, 1));
    const port = good(native.localPort(listener));
    good(native.close(listener));
    const client = good(native.connect('127.0.0.1', port));
    awaitSocket(client, 'write');
    expect(native.errorName(native.socketError(client))).toBe('ECONNREFUSED');
    expect(native.socketError(client)).toBe(0);
    expect(native.peer(client)).toBe('');
    good(native.close(client));
  });

  it('name the other end', () => {
    const pair = connectedPair();
    expect(native.peer(pair.client)).toBe(`127.0.0.1:${pair.port}`);
    expect(native.peer(pair.server)).toBe(`127.0.0.1:${good(native.localPort(pair.client))}`);
    close(pair);
  });

  it('refuse a taken port, a name in place of an address, a port out of range', () => {
    const listener = good(native.listen('127.0.0.1', 0, 8));
    const port = good(native.localPort(listener));
    expect(native.errorName(native.listen('127.0.0.1', port, 8))).toBe('EADDRINUSE');
    good(native.close(listener));
    expect(() => native.listen('localhost', 0, 8)).toThrow("'localhost' is not an address");
    expect(() => native.listen('127.0.0.1', 65536, 8)).toThrow(TypeError);
    expect(() => native.connect('127.0.0.1\0', 80)).toThrow(TypeError);
    expect(native.errorName(native.accept(-1))).toBe('EBADF');
  });
});
