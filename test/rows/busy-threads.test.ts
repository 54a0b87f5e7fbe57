/** IO threads that do not come round for a while: who else waits, and where the bytes of eager clients stay. */
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Produce } from '../../src/wire/messages/produce.ts';
import { type Layout, TRANSPORT, temporaryDirectory } from '../kit/broker.ts';
import { BrokerProcess } from '../kit/broker-process.ts';
import { RawClient } from '../kit/client.ts';
import { batchOf, filledBatch } from '../kit/records.ts';
import { createTopic, listOffset, PRODUCE_VERSION, produce, producedOf, produceRequest } from '../kit/requests.ts';
import { hasTool } from '../kit/tools.ts';

const WRITES = 'pwrite64,pwritev,pwritev2,write,writev';
const HELD_US = 2_000_000;
const BATCH_BYTES = 65_536;
const BATCHES = 400;
const QUEUED_MAX = 40;
/** What the queue may hold, the buffers of three sockets, and a start's worth of memory: a third of what is sent. */
const TAKEN_BYTES_MAX = 25_000_000;

let directory = '';
let broker: BrokerProcess | null = null;

afterEach(async () => {
  await broker?.kill();
  broker = null;
  rmSync(directory, { recursive: true, force: true });
});

function apart(network: number, io: number): Layout {
  const settings = { 'num.network.threads': String(network), 'num.io.threads': String(io) };
  return { name: `${network}×${io}`, settings };
}

/** A broker whose first write to the log of partition 0 of `slow` holds its IO thread for two seconds. */
async function held(layout: Layout, settings: Readonly<Record<string, string>> = {}): Promise<BrokerProcess> {
  directory = temporaryDirectory();
  const log = join(directory, 'data', 'slow-0', '00000000000000000000.log');
  const trace = ['-e', `trace=${WRITES}`, '-e', `inject=${WRITES}:delay_enter=${HELD_US}:when=1`];
  const words = ['strace', '-f', '-qq', '-o', join(directory, 'trace'), '-P', log, ...trace];
  broker = new BrokerProcess(join(directory, 'data'), layout, settings, words);
  return broker.listening();
}

/** The broker itself, below its tracer. */
function pidOf({ child }: BrokerProcess): string {
  return readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')[0] as string;
}

function threadNames(pid: string): string[] {
  return readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim());
}

function residentBytes(pid: string): number {
  return 1_024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

describe.skipIf(process.platform !== 'linux' || !hasTool('strace'))(`threads that are held (${TRANSPORT})`, () => {
  test('S028: IO threads have their names, and one that is busy holds up only its own partitions', async () => {
    const { port } = await held(apart(1, 2));
    const names = threadNames(pidOf(broker as BrokerProcess)).filter((name) => /^(net|io)-\d+$|^b0$/.test(name));
    expect(names.sort()).toEqual(['b0', 'io-0', 'io-1', 'net-0']);
    const clients = await Promise.all(Array.from({ length: 5 }, () => RawClient.connect(port)));
    const [first] = clients as [RawClient];
    // Partitions go to the handlers in turn: two of these live with the slow one, two do not.
    await createTopic(first, { name: 'slow' });
    await createTopic(first, { name: 'quick', partitions: 4 });
    const order: string[] = [];
    await Promise.all(
      clients.map(async (client, index) => {
        const [topic, partition] = index === 0 ? ['slow', 0] : ['quick', index - 1];
        expect((await produce(client, topic, batchOf(['v']), { partition })).errorCode).toBe(0);
        order.push(topic);
      }),
    );
    expect(order.indexOf('slow')).toBeGreaterThanOrEqual(2);
    expect(order).toHaveLength(5);
    await Promise.all(clients.map((client) => client.close()));
  });

  test('S027: while IO threads stand still processors stop reading at queued.max.requests, and memory stays flat', async () => {
    const { port } = await held(apart(1, 1), {
      'queued.max.requests': String(QUEUED_MAX),
      'connection.requests.in.flight.max': '100',
      'socket.receive.buffer.bytes': '65536',
    });
    const pid = pidOf(broker as BrokerProcess);
    const setter = await RawClient.connect(port);
    await createTopic(setter, { name: 'slow' });
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(port)));
    const records = filledBatch('x', 1, BATCH_BYTES);
    let takenBytes = 0;
    let resident = 0;
    let answered = 0;
    const before = residentBytes(pid);
    let blocked = 0;
    const all = clients.map(async (client) => {
      const answers: Promise<number>[] = [];
      for (let index = 0; index < BATCHES; index++) {
        const { bytes, correlationId } = client.frame(Produce, PRODUCE_VERSION, produceRequest('slow', records));
        answers.push(
          client.expect(Produce, PRODUCE_VERSION, correlationId).then(({ body }) => {
            if (answered++ === 0) resident = residentBytes(pid);
            return producedOf(body).errorCode;
          }),
        );
        if (!client.socket.write(bytes)) {
          blocked += 1;
          await once(client.socket, 'drain');
        }
        if (answered === 0) takenBytes += bytes.length;
      }
      return Promise.all(answers);
    });
    for (const codes of await Promise.all(all)) expect(codes).toEqual(Array(BATCHES).fill(0));
    expect(blocked).toBeGreaterThan(0);
    expect(takenBytes).toBeGreaterThan(0);
    expect(takenBytes).toBeLessThan(TAKEN_BYTES_MAX);
    expect(resident - before).toBeLessThan(TAKEN_BYTES_MAX);
    expect((await listOffset(setter, 'slow', -1)).offset).toBe(clients.length * BATCHES);
    await Promise.all([setter, ...clients].map((client) => client.close()));
  });
});
