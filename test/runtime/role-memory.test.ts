/** What a role has made known to the addon is known for as long as the role, or its peer, is there: threads outlive both. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { parseSettings } from '../../src/config/settings.ts';
import { groupSettings } from '../../src/host/groups.ts';
import { FileTable } from '../../src/log/leases.ts';
import { PublishedPartitions } from '../../src/replica/published.ts';
import type { ControlMessage, RoleMessage, ThreadMessage } from '../../src/runtime/control.ts';
import { countersMemory } from '../../src/runtime/counters.ts';
import { type Ground, openGround } from '../../src/runtime/ground/ground.ts';
import { intakeBytes } from '../../src/runtime/net/intake.ts';
import { newLetters } from '../../src/runtime/rings/letters.ts';
import { newRing } from '../../src/runtime/rings/ring.ts';
import { DESCRIPTORS_MAX, FILE_STRIPE, systemClock } from '../../src/runtime/shared.ts';
import { Thread } from '../../src/runtime/thread.ts';
import { INTAKE_LIMITS } from './kit.ts';
import { NO_SOCKETS, PROCESSOR_LIMITS } from './processor/new-processor.ts';

const bell = () => ({ flag: new SharedArrayBuffer(4), event: -1 });
const image = { clusterId: 'c', changes: [] };

/** A thread without a loop of its own: it hears what it is told when it is told. */
class ToldThread {
  readonly known = new Set<Memory>();
  readonly #port: MessageChannel['port1'];
  #hear: () => boolean = () => false;
  #sequence = 0;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const shared = {
      published: PublishedPartitions.memory(),
      files: FileTable.memory(FILE_STRIPE),
      counters: countersMemory(),
      connections: new SharedArrayBuffer(4),
      times: null,
    };
    const sockets = { receiveBytes: 0, sendBytes: 0, backlog: 1 };
    const data = { name: 't', kind: 'portable', shared, bell: bell(), port: port2, sockets } as const;
    new Thread(
      { ...data, connectionsMax: 1, board: null, profile: null },
      { ground: this.#ground(), clock: systemClock, hosted() {} },
    );
  }

  tell(message: ControlMessage | ThreadMessage, to = ''): void {
    this.#sequence += 1;
    this.#port.postMessage({ sequence: this.#sequence, to, message });
    expect(this.#hear()).toBe(true);
    const heard: unknown[] = [];
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port))
      heard.push(next.message);
    expect(heard.at(-1)).toMatchObject({ kind: 'reply', sequence: this.#sequence, error: null });
  }

  close(): void {
    this.#port.close();
  }

  #ground(): Ground {
    const { kernels, disk, calls } = openGround('portable');
    const registry = {
      register: (bytes: Uint8Array) => {
        const memory = memoryOver(bytes);
        this.known.add(memory);
        return memory;
      },
      unregister: (memory: Memory) => {
        expect(this.known.delete(memory)).toBe(true);
      },
    };
    return {
      kind: 'portable',
      kernels,
      disk,
      calls,
      registry,
      waiter: (_loop, _event, _flag, control) => {
        this.#hear = control;
        return { start() {}, stop() {} };
      },
      sockets: () => ({
        ...NO_SOCKETS,
        adopt: () => {
          throw new Error('nobody connects');
        },
      }),
      doors: () => {
        throw new Error('nobody listens');
      },
      nameThread() {},
      signal() {},
    };
  }
}

const PROCESSOR: RoleMessage = {
  role: 'processor',
  name: 'p1',
  index: 1,
  row: 1,
  intake: new SharedArrayBuffer(intakeBytes(INTAKE_LIMITS)),
  descriptors: new SharedArrayBuffer(DESCRIPTORS_MAX * 4),
  queuedBytesMax: INTAKE_LIMITS.queuedBytesMax,
  limits: PROCESSOR_LIMITS,
  image,
  routes: [],
  seed: 1,
};

const HANDLER: RoleMessage = {
  role: 'handler',
  name: 'h0',
  index: 0,
  row: 2,
  groupCommit: false,
  fullValidation: false,
  retentionCheckMs: 300_000,
  checkpointMs: 60_000,
  filesMax: 16,
  groups: groupSettings(parseSettings([]).settings),
  groupExpiryCheckMs: 600_000,
  image,
  seed: 1,
};

function link(peer: string, intake: SharedArrayBuffer | null): ControlMessage {
  const letters = newLetters();
  return { kind: 'link', link: { peer, out: newRing(16), in: newRing(16), bell: bell(), intake, letters } };
}

test('a role that goes, and a peer that goes, leave nothing known behind', () => {
  const thread = new ToldThread();
  try {
    // Told apart by their sizes: a memory that was sent is another object.
    const intakes = [70_001, 70_002].map((bytes) => new SharedArrayBuffer(bytes));
    thread.tell({ kind: 'host', role: HANDLER });
    const alone = thread.known.size;
    expect(alone).toBeGreaterThan(0);
    for (const [index, intake] of intakes.entries()) thread.tell(link(`p${index}`, intake), 'h0');
    expect(thread.known.size).toBe(alone + intakes.length);
    thread.tell({ kind: 'unlink', peer: 'p0' }, 'h0');
    const intakesKnown = () =>
      intakes.map(({ byteLength }) => [...thread.known].some(({ bytes }) => bytes.length === byteLength));
    expect(intakesKnown()).toEqual([false, true]);
    const handler = thread.known.size;
    thread.tell({ kind: 'host', role: PROCESSOR });
    expect(thread.known.size).toBeGreaterThan(handler);
    thread.tell({ kind: 'retire', role: 'p1' });
    expect(thread.known.size).toBe(handler);
    thread.tell({ kind: 'retire', role: 'h0' });
    expect(thread.known.size).toBe(0);
  } finally {
    thread.close();
  }
});
