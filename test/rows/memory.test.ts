/** Hot data is served from the page cache: the process keeps no copy of it, and the disk is not read. */
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { Fetch } from '../../src/wire/messages/fetch.ts';
import { LAYOUTS, TRANSPORT, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { produceMany } from '../kit/filling.ts';
import { filledBatch } from '../kit/records.ts';
import { createTopic, FETCH_VERSION, fetchRequest } from '../kit/requests.ts';

const MIB = 1_048_576;
const KEPT_BYTES = 64 * MIB;
/** What may come and go in a process that keeps nothing: chunks of the intake, young objects, pages of code. */
const SLACK_BYTES = 64 * MIB;
const directory = temporaryDirectory();

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function numberIn(path: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(path, 'utf8'));
  if (found === null) throw new Error(`${path} does not say ${name}`);
  return Number(found[1]);
}

/** Sends the same request again and again, and only counts what comes: how many bytes came. */
async function drain(port: number, frame: Buffer, bytesMin: number): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let received = 0;
  /** Of the answer that is under way; its size comes first. */
  let left = 0;
  let size = Buffer.alloc(0);
  await new Promise<void>((done, fail) => {
    socket.on('error', fail);
    socket.on('connect', () => socket.write(frame));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      for (let at = 0; at < chunk.length; ) {
        if (left === 0) {
          size = Buffer.concat([size, chunk.subarray(at, at + 4 - size.length)]);
          at = Math.min(chunk.length, at + 4);
          if (size.length < 4) return;
          left = size.readInt32BE(0);
          size = Buffer.alloc(0);
        }
        const some = Math.min(left, chunk.length - at);
        left -= some;
        at += some;
        if (left > 0) continue;
        if (received >= bytesMin) done();
        else socket.write(frame);
      }
    });
  });
  socket.destroy();
  return received;
}

test.skipIf(process.platform !== 'linux' || TRANSPORT !== 'native').each(LAYOUTS)(
  'S038: ten times its memory is served from what was just written without growing and without reading the disk ($name)',
  async (layout) => {
    const broker = await new BrokerProcess(`${directory}/${layout.name}`, layout).listening();
    const { pid } = broker.child;
    const residentBytes = () => numberIn(`/proc/${pid}/status`, 'VmRSS') * 1_024;
    const diskBytes = () => numberIn(`/proc/${pid}/io`, 'read_bytes');
    const client = await RawClient.connect(broker.port);
    const { name } = await createTopic(client);
    const batch = filledBatch('x', 10, 50_000);
    await produceMany(client, name, Math.ceil(KEPT_BYTES / batch.length), () => batch);
    const { bytes: frame } = client.frame(Fetch, FETCH_VERSION, fetchRequest(name));
    await drain(broker.port, frame, KEPT_BYTES);
    const [resident, read] = [residentBytes(), diskBytes()];
    const served = await drain(broker.port, frame, 10 * resident);
    expect(served).toBeGreaterThanOrEqual(10 * resident);
    expect(residentBytes() - resident).toBeLessThan(SLACK_BYTES);
    // Next to nothing: a page of the program may have to be read again.
    expect(diskBytes() - read).toBeLessThan(KEPT_BYTES / 8);
    await client.close();
    await broker.stop();
  },
  120_000,
);
