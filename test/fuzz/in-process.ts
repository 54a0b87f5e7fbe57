/**
 * One broker without threads or sockets: a real processor and a real handler joined by their rings, the real controller on
 * its store, over a simulated disk and a clock that is turned by hand. What threads would do meanwhile is done in turns,
 * whose number is bounded; what main is asked goes through a structured clone, as between threads.
 */
import type { ControllerDesk } from '../../src/api/controller-desk.ts';
import { decide } from '../../src/api/decide.ts';
import { AUTO_CREATE } from '../../src/api/floor.ts';
import { SILENT } from '../../src/base/logger.ts';
import { memoryOver } from '../../src/base/memory.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { Timers } from '../../src/base/timers.ts';
import { randomUuid } from '../../src/base/uuid.ts';
import { changesOf } from '../../src/cluster/changes.ts';
import { GROUP_LOG } from '../../src/cluster/internal-topics.ts';
import type { RequestOf } from '../../src/cluster/requests.ts';
import { describeAllBrokers, describeBroker, describeGroupSettings, describeTopic } from '../../src/config/describe.ts';
import { LiveSettings } from '../../src/config/live-settings.ts';
import { parseSettings } from '../../src/config/settings.ts';
import { brokerRules } from '../../src/host/broker-rules.ts';
import { groupRules } from '../../src/host/group-rules.ts';
import { topicRules } from '../../src/host/topic-rules.ts';
import { openBatch } from '../../src/jobs/open-batch.ts';
import type { ControlMessage, FromThread } from '../../src/runtime/control.ts';
import { Counters, countersMemory } from '../../src/runtime/counters.ts';
import type { Connection } from '../../src/runtime/net/connection.ts';
import { intakeBytes } from '../../src/runtime/net/intake.ts';
import type { Processor } from '../../src/runtime/processor/processor.ts';
import { ACCEPTED, BLOCKED_DONE } from '../../src/runtime/rings/messages.ts';
import { Inbox, newRing, Outbox } from '../../src/runtime/rings/ring.ts';
import { ActiveController } from '../../src/stores/active-controller.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { DEFAULTS, ENDPOINTS } from '../cluster/kit.ts';
import { batchOf, utf8 } from '../kit/records.ts';
import { NOW } from '../log/fixture.ts';
import { HandlerBench, silent } from '../runtime/handler/handler-kit.ts';
import { INTAKE_LIMITS } from '../runtime/kit.ts';
import { FakeFiles, FakeTransport, must } from '../runtime/net/sockets.ts';
import { NO_SOCKETS, newProcessor, PROCESSOR_LIMITS } from '../runtime/processor/new-processor.ts';
import { SimulatedDisk } from '../sim/disk.ts';
import { openStore } from '../stores/kit.ts';
import type { Victim } from './frames.ts';

const PARTITIONS = 3;
const RING_SLOTS = 8;
const DESCRIPTOR = 5;
const TURNS_MAX = 20_000;
/** Turns in which nothing was done: a promise of main may need some more to come to its end. */
const IDLE_TURNS = 3;
const STEP_MS = 5_000;
/** A frame's time, and some more for its bytes. */
const RECEIVE_MS = 100_000;
const NODE = 1;

export class InProcess {
  readonly victim: Victim;
  /** Faults that the broker reported of itself. */
  readonly faults: string[] = [];
  readonly #bench: HandlerBench;
  readonly #processor: Processor;
  readonly #timers = new Timers(0);
  readonly #counters = new Counters(countersMemory(), 0);
  readonly #accepted: Outbox;
  readonly #posted: FromThread[] = [];
  readonly #desk: ControllerDesk;
  #transport = new FakeTransport(new FakeFiles());
  /** Questions to main that are not answered. */
  #asked = 0;
  #connections = 0;

  static async start(): Promise<InProcess> {
    const live = new LiveSettings(parseSettings([]));
    const disk = new SimulatedDisk();
    disk.makeDirectory('/data');
    const world: { broker: InProcess | null } = { broker: null };
    const controller = await ActiveController.start({
      store: openStore(disk),
      clock: { now: () => NOW, monotonic: () => 0 },
      logger: SILENT,
      clusterId: 'fuzzed',
      brokerId: NODE,
      endpoints: ENDPOINTS,
      rack: null,
      random: new SeededRandom(5),
      defaults: { ...DEFAULTS, partitionsMax: 3_000 },
      topicRules: topicRules(live),
      groupRules: groupRules(live),
      brokerRules: brokerRules({ nodeId: NODE, live, sizes: () => ({ network: 1, io: 1 }) }),
      onChanges: (changes) => {
        const told = { kind: 'changes', changes: structuredClone(changes), add: [], remove: [] } as const;
        if (world.broker !== null) world.broker.#control(told);
      },
      onResigned: (reason) => world.broker?.faults.push(`the controller resigned: ${reason.message}`),
    });
    world.broker = new InProcess(controller, live, disk);
    return world.broker;
  }

  private constructor(controller: ActiveController, live: LiveSettings, disk: SimulatedDisk) {
    const intake = memoryOver(new Uint8Array(new SharedArrayBuffer(intakeBytes(INTAKE_LIMITS))));
    this.#bench = new HandlerBench({ disk, intake, ringSlots: RING_SLOTS, fullValidation: true });
    const { clock, published, files } = this.#bench;
    const [first, ...others] = Array.from({ length: PARTITIONS }, (_, slot) => this.#bench.partition(slot));
    must(first !== undefined, 'there are partitions');
    const name = first.topic;
    // The same in each run: a frame that names it is the same, too.
    const id = randomUuid(new SeededRandom(1));
    const partitions = [first, ...others].map((one) => ({ ...one, topicId: id }));
    const groups = { ...this.#bench.partition(PARTITIONS), topic: GROUP_LOG, directory: `/data/${GROUP_LOG}-0` };
    this.#bench.control({ kind: 'open', partitions: [...partitions, groups] });
    for (const { slot } of [...partitions, groups]) must(published.online(slot), 'a partition is online');
    const records = ['a', 'b'].map((text) => ({ timestamp: NOW, key: null, value: utf8(text) }));
    this.victim = { name, id, partitions: PARTITIONS, batch: batchOf(records) };
    this.#processor = newProcessor({
      clock,
      published,
      intake,
      files,
      timers: this.#timers,
      counters: this.#counters,
      sockets: {
        ...NO_SOCKETS,
        adopt: () => this.#transport,
        readWarm: (descriptor, memory, offset, length, position) =>
          disk.read(descriptor, position, memory, offset, length),
        closeFile: (descriptor) => disk.close(descriptor),
      },
      limits: { ...PROCESSOR_LIMITS, autoCreateTopics: true, nodeId: NODE, zeroCopyMinBytes: 0x7fffffff },
      post: (message) => this.#posted.push(message),
    });
    const image = { clusterId: controller.image.clusterId, changes: changesOf(controller.image) };
    const routes = [
      { name, id, slots: partitions.map(({ slot }) => slot) },
      { name: GROUP_LOG, id: groups.topicId, slots: [groups.slot] },
    ];
    this.#control({ kind: 'image', image, add: routes });
    const connections = newRing(RING_SLOTS);
    this.#accepted = new Outbox(connections, silent());
    this.#processor.linked('a0', new Inbox(connections), new Outbox(newRing(RING_SLOTS), silent()));
    this.#processor.linked('h0', this.#bench.fromHandler, this.#bench.toHandler, this.#bench.letters);
    this.#desk = this.#deskOver(controller, live);
  }

  /** A client connects, sends the segments, closes its sending side, and takes what comes back. */
  async serve(segments: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const transport = new FakeTransport(new FakeFiles());
    this.#transport = transport;
    this.#accepted.send(ACCEPTED, DESCRIPTOR, 0, 0, 0, 0, 0, 0);
    this.#processor.drain(this.#now);
    this.#connections += 1;
    const connection = this.#processor.connection(this.#connections);
    must(connection !== undefined, 'a connection is accepted');
    for (const segment of segments) transport.arrive(segment);
    transport.finish();
    await this.#run(connection, transport);
    connection.gone(this.#now);
    await this.#run(connection, transport);
    // What is left is a frame that never ends.
    for (let waited = 0; !connection.closed && waited < RECEIVE_MS; waited += STEP_MS) {
      this.#bench.clock.advance(STEP_MS);
      this.#timers.advance(this.#now);
      await this.#run(connection, transport);
    }
    must(connection.closed, 'a connection whose client has said all ends');
    this.#expectRest();
    return framesOf(transport.sent);
  }

  get #now(): number {
    return this.#bench.clock.monotonic();
  }

  #control(message: ControlMessage): void {
    const errors: string[] = [];
    this.#processor.control(message, (_, error) => {
      if (error !== undefined && error !== null) errors.push(error);
    });
    must(errors.length === 0, `a processor takes what it is told: ${errors}`);
  }

  /** Turns, until nobody has anything to do. */
  async #run(connection: Connection, transport: FakeTransport): Promise<void> {
    let idle = 0;
    for (let turn = 0; idle < IDLE_TURNS; turn++) {
      must(turn < TURNS_MAX, 'a frame is dealt with in a bounded number of turns');
      let any = false;
      if (!connection.closed && transport.isReadable) {
        any = true;
        connection.readable(this.#now);
      }
      if (!connection.closed && transport.isWritable) {
        any = true;
        connection.writable(this.#now);
      }
      if (this.#processor.drain(this.#now)) any = true;
      if (this.#processor.settle(this.#now)) any = true;
      this.#bench.turn();
      if (this.#blockerTurn() || this.#mainTurn() || this.#asked > 0) any = true;
      // Promises of the main thread go on here.
      await null;
      idle = any ? 0 : idle + 1;
    }
  }

  #blockerTurn(): boolean {
    const done = this.#bench.received(this.#bench.toBlocker);
    for (const { a } of done) this.#bench.fromBlocker.send(BLOCKED_DONE, a, 0, 0, 0, 0, 0, 0);
    return done.length > 0;
  }

  #mainTurn(): boolean {
    const posted = [...this.#posted.splice(0), ...this.#bench.posted.splice(0)];
    for (const message of posted) this.#heard(message);
    return posted.length > 0;
  }

  #heard(message: FromThread): void {
    switch (message.kind) {
      case 'ask':
        this.#asked += 1;
        this.#answer(structuredClone(message)).catch((problem: Error) => this.faults.push(`${problem.stack}`));
        return;
      case 'openBatch': {
        const { token, offset, length, opening } = message;
        const memory = this.#bench.intake.bytes.buffer as SharedArrayBuffer;
        this.#bench.control({ kind: 'opened', token, opened: openBatch({ memory, offset, length, opening }) });
        return;
      }
      case 'keepStart':
        this.#bench.control({ kind: 'startKept', token: message.token, kept: true });
        return;
      case 'log':
        if (message.level === 'error') this.faults.push(`${message.event} ${JSON.stringify(message.values)}`);
        return;
      default:
        this.faults.push(`main is told of ${message.kind}`);
    }
  }

  async #answer({ token, api, request, ...asked }: Extract<FromThread, { kind: 'ask' }>): Promise<void> {
    try {
      const body =
        api === AUTO_CREATE
          ? await this.#desk.ask('autoCreateTopics', request as RequestOf<'autoCreateTopics'>)
          : await decide(api, request, this.#desk, asked);
      this.#control({ kind: 'answer', token, body: structuredClone(body), error: null });
    } finally {
      this.#asked -= 1;
    }
  }

  /** Threads, directories and producers are described as if there were none: what is asked of them is all that counts. */
  #deskOver(controller: ActiveController, live: LiveSettings): ControllerDesk {
    let producerIds = 0;
    return {
      nodeId: NODE,
      deletesTopics: true,
      directories: { describe: async () => [], move: () => ERROR.LOG_DIR_NOT_FOUND },
      ask: (name, request) => controller.ask(name, request),
      effectiveConfigs: (own) => describeTopic(given(own), live),
      topicSettings: (topic) => {
        const found = controller.image.topics.get(topic);
        return found === undefined ? null : describeTopic(found.configs, live);
      },
      groupSettings: (group) => describeGroupSettings(controller.image.groupConfigs.get(group) ?? new Map(), live),
      brokerSettings: () => describeBroker(live, new Map()),
      allBrokersSettings: () => describeAllBrokers(live),
      nextProducerId: async () => producerIds++,
      producersOf: async (_, partitions) => partitions.map(() => null),
    };
  }

  #expectRest(): void {
    this.#processor.intake.rest();
    this.#processor.count();
    for (const name of [
      'connectionsOpen',
      'intakeBlocksHeld',
      'intakeBytesHeld',
      'framesWaiting',
      'callsOpen',
    ] as const) {
      must(this.#counters.get(name) === 0, `${this.#counters.get(name)} ${name} at rest`);
    }
    for (const name of ['fetchSessions', 'fetchesWaiting', 'requestsUnderWay'] as const) {
      must(this.#counters.get(name) === 0, `${this.#counters.get(name)} ${name} at rest`);
    }
    must(this.#bench.files.leased() === 0, 'no lease at rest');
    must(this.faults.length === 0, `the broker says of itself: ${this.faults}`);
  }
}

function given(own: readonly { readonly name: string; readonly value: string | null }[]): Map<string, string> {
  return new Map(own.flatMap(({ name, value }): [string, string][] => (value === null ? [] : [[name, value]])));
}

/** What was sent must be whole frames. */
function framesOf(sent: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const view = new DataView(sent.buffer, sent.byteOffset, sent.byteLength);
  for (let at = 0; at < sent.length; ) {
    const end = at + 4 + view.getInt32(at);
    must(end > at && end <= sent.length, 'an answer is a whole frame');
    frames.push(sent.slice(at + 4, end));
    at = end;
  }
  return frames;
}
