/**
 * One life of a broker and its clients, from one seed: a step is one thing that somebody does, and after each step all that
 * must hold is looked at. The same seed and number of steps give the same life, so a failure names both.
 */
import { SeededRandom } from '../../src/base/random.ts';
import { StartError } from '../../src/base/start-error.ts';
import { DiskError } from '../../src/log/disk.ts';
import { HandClock } from '../kit/hand-clock.ts';
import { config } from '../log/fixture.ts';
import { must } from '../runtime/net/sockets.ts';
import { ACTIONS, type Action } from './actions.ts';
import { PARTITIONS_MAX, SimulatedBroker } from './broker.ts';
import { Client, type ClientDesk } from './client.ts';
import type { Before, Bounds, CrashStates, End } from './crash-states.ts';
import { SimulatedDisk } from './disk.ts';
import { armFault } from './faults.ts';
import { DATA } from './home.ts';
import { Invariants } from './invariants.ts';
import { Ledger, NOBODYS } from './ledger.ts';
import { drawSettings, type Settings } from './settings.ts';

const CLIENTS = 4;
const SEGMENTS = { segmentBytes: 4_000, indexIntervalBytes: 300, segmentIndexBytes: 480 };
/** A life that is over comes to rest in so many rounds of a second. */
const REST_ROUNDS_MAX = 60;

export class Life implements ClientDesk {
  readonly ledger = new Ledger();
  readonly random: SeededRandom;
  readonly trace: string[] = [];
  readonly happened = new Map<string, number>();
  readonly #settings: Settings;
  readonly #states: CrashStates;
  readonly #disk = new SimulatedDisk();
  readonly #clock = new HandClock();
  readonly #clients: Client[];
  #broker: SimulatedBroker;
  #invariants: Invariants;
  #bounds: Bounds[] = [];
  #armed = false;
  #faulted = false;
  #epoch = 0;
  #ids = 0;
  #holes = 0;
  #stampPromised = -1;
  #stampAsked = -1;
  step = 0;

  constructor(seed: number, states: CrashStates) {
    this.random = new SeededRandom(seed);
    this.#states = states;
    this.#settings = drawSettings(seed, this.random);
    this.note(JSON.stringify(this.#settings));
    this.#disk.makeDirectory(DATA);
    this.#disk.syncDirectory('/');
    this.#clients = Array.from({ length: CLIENTS }, (_, id) => new Client(id, id % 2 === 0, this));
    this.#broker = this.#open();
    this.#invariants = this.#watch();
    this.#addPartition();
    this.#look();
  }

  // ---- What clients see

  get partitions(): number {
    return this.#broker.partitions;
  }

  get ackIsDurable(): boolean {
    return this.#settings.flush !== 'default';
  }

  get readIsDurable(): boolean {
    return this.#settings.flush === 'group';
  }

  get inTrouble(): boolean {
    return this.#faulted;
  }

  highWatermark(partition: number): number {
    return this.#broker.view(partition).highWatermark;
  }

  now(): number {
    return this.#clock.now();
  }

  nextId(): number {
    this.#ids += 1;
    return this.#ids;
  }

  note(what: string): void {
    this.trace.push(`${this.step}: ${what}`);
  }

  // ---- Steps

  run(steps: number): void {
    for (this.step = 1; this.step <= steps; this.step++) this.#step();
    this.#finish();
  }

  #step(): void {
    const action = ACTIONS[this.random.below(ACTIONS.length)] as Action;
    this.happened.set(action, (this.happened.get(action) ?? 0) + 1);
    if (this.#broker.failed !== null && this.random.below(12) === 0) {
      this.note(`the process ends: ${this.#broker.failed}`);
      this.#end('kill');
    } else this.#act(action);
    this.#look();
    if (this.random.below(5) === 0) this.#crashState();
  }

  #act(action: Action): void {
    const { random } = this;
    const broker = this.#broker;
    const client = this.#clients[random.below(CLIENTS)] as Client;
    const partition = random.below(broker.partitions);
    switch (action) {
      case 'produce':
      case 'fetch':
      case 'list':
      case 'deleteRecords':
      case 'junk':
        return this.#ask(client, action, partition);
      case 'deliver':
        return this.#deliver(client, random.below(4) === 0 ? Number.POSITIVE_INFINITY : 1 + random.below(2_000));
      case 'turn':
        return broker.crew.turn(random.below(8));
      case 'block':
        return broker.crew.block();
      case 'main':
        return broker.main();
      case 'pass':
        return this.#clock.advance(random.below(10) === 0 ? random.below(40_000) : random.below(300));
      case 'room':
        if (client.transport !== null)
          client.transport.room = random.below(2) === 0 ? random.below(400) : Number.POSITIVE_INFINITY;
        return;
      case 'reset':
        this.note(`client ${client.id} resets its connection`);
        client.transport?.reset();
        return client.lost();
      case 'finish':
        this.note(`client ${client.id} has nothing more to say`);
        if (client.transport !== null) client.transport.room = Number.POSITIVE_INFINITY;
        client.transport?.finish();
        return client.lost();
      case 'cool':
        return broker.crew.cool();
      case 'checkpoint':
        return broker.checkpoint();
      case 'stamp':
        return this.#store(() => this.#stamp());
      case 'addPartition':
        if (broker.partitions < PARTITIONS_MAX) this.#store(() => this.#addPartition());
        return;
      case 'move':
        if (this.#settings.handlers > 1) {
          this.note(`partition ${partition} moves`);
          broker.move(partition);
        }
        return;
      case 'settle':
        this.#arriveAll();
        return this.#settle();
      case 'fault':
        return this.#armFault();
      case 'kill':
      case 'power':
      case 'clean':
        return this.#end(action);
    }
  }

  #ask(client: Client, action: 'produce' | 'fetch' | 'list' | 'deleteRecords' | 'junk', partition: number): void {
    if (client.transport === null || client.transport.closed > 0) {
      client.lost();
      client.connected(this.#broker.crew.connect());
    }
    if (action === 'produce') client.produce(partition, this.random.below(3) - 1);
    else if (action === 'junk') client.junk(60_000 + this.random.below(900_000));
    else client[action](partition);
  }

  /** Some bytes of what a client has sent arrive. */
  #deliver(client: Client, most: number): void {
    const { transport, outgoing } = client;
    if (transport === null || transport.closed > 0) return;
    let left = most;
    while (left > 0 && outgoing.length > 0) {
      const first = outgoing[0] as Uint8Array;
      const piece = first.subarray(0, left);
      transport.arrive(piece);
      left -= piece.length;
      if (piece.length === first.length) outgoing.shift();
      else outgoing[0] = first.subarray(piece.length);
    }
  }

  /** All that clients have sent arrives, and they read. */
  #arriveAll(): void {
    for (const client of this.#clients) {
      if (client.transport !== null) client.transport.room = Number.POSITIVE_INFINITY;
      this.#deliver(client, Number.POSITIVE_INFINITY);
    }
  }

  #stamp(): void {
    this.#stampAsked += 1;
    this.#broker.home.writeStamp(this.#stampAsked);
    this.#stampPromised = this.#stampAsked;
  }

  #addPartition(): void {
    const partition = this.#broker.home.addPartition();
    this.#broker.openPartition(partition);
    this.note(`partition ${partition} is made`);
  }

  /** The store is of no more use when its disk fails it. */
  #store(work: () => void): void {
    if (this.#broker.failed !== null) return;
    try {
      work();
    } catch (problem) {
      if (!(problem instanceof DiskError)) throw problem;
      this.#broker.failed = problem.message;
    }
  }

  #armFault(): void {
    if (this.#armed) return;
    this.#armed = true;
    armFault(this.#disk, this.random, (what) => {
      this.#faulted = true;
      this.note(what);
    });
  }

  /** At rest whoever can be answered has been; what ran out meanwhile is seen in the next turn of its loop. */
  #settle(): void {
    this.#broker.settle();
    this.#look();
    if (this.#faulted || this.#broker.failed !== null) return;
    for (const { overdue } of this.#clients) must(overdue === null, `at rest ${overdue} has its answer`);
  }

  // ---- What must hold

  #look(): void {
    this.#withoutFaults(() => {
      this.#invariants.look();
      for (const client of this.#clients) if (client.transport !== null) client.receive(client.transport.taken());
      this.#note();
      if (this.step % 8 === 0) this.#invariants.bounds();
    });
  }

  /** What the process says of its partitions, should it end now. */
  #note(): void {
    const stagedEnds = this.#broker.stagedEnds();
    for (let partition = 0; partition < this.#broker.partitions; partition++) {
      const stagedEnd = stagedEnds[partition] ?? 0;
      const { durableEndOffset: durableEnd, logEndOffset: writtenEnd } = this.#broker.view(partition);
      // A log may be broken before anybody knows.
      if (this.#broker.online(partition))
        this.#bounds[partition] = { durableEnd, writtenEnd, stagedEnd, broken: this.#faulted };
      else {
        const last = this.#bounds[partition] ?? { durableEnd: 0, writtenEnd: 0, stagedEnd: 0, broken: true };
        const { max } = Math;
        this.#bounds[partition] = {
          durableEnd: max(last.durableEnd, durableEnd),
          writtenEnd: max(last.writtenEnd, writtenEnd),
          stagedEnd: max(last.stagedEnd, stagedEnd),
          broken: true,
        };
      }
    }
  }

  #withoutFaults(work: () => void): void {
    const { fault } = this.#disk;
    this.#disk.fault = null;
    work();
    this.#disk.fault = fault;
  }

  get #before(): Before {
    return {
      seed: this.#settings.seed,
      ledger: this.ledger,
      bounds: this.#bounds,
      stampPromised: this.#stampPromised,
      stampAsked: this.#stampAsked,
      segments: SEGMENTS,
    };
  }

  #crashState(): void {
    const end = this.random.below(5) === 0 ? 'kill' : 'power';
    this.#states.check(this.#disk, this.#before, end, this.random.below(0x7fffffff));
  }

  // ---- Processes

  #end(end: End): void {
    this.note(`end of the process: ${end}`);
    for (const client of this.#clients) client.lost();
    if (end === 'clean' && this.#close()) return this.#start();
    if (end === 'power') this.#disk.crash(this.random);
    else this.#disk.kill();
    this.#start(end === 'power');
  }

  /** False when the disk did not let it end well: then it is as if it had been killed. */
  #close(): boolean {
    if (this.#broker.failed !== null) return false;
    try {
      this.#broker.settle();
      this.#look();
      const clean = this.#broker.close();
      if (clean)
        must(this.#disk.openDescriptors === 0, `${this.#disk.openDescriptors} descriptors are open behind the end`);
      if (clean) must(this.#broker.crew.table.leased() === 0, 'no file is leased behind the end');
      return clean;
    } catch (problem) {
      if (!(problem instanceof DiskError)) throw problem;
      return false;
    }
  }

  #start(powerLost = false): void {
    if (powerLost && this.#settings.flush === 'default')
      for (const places of this.ledger.partitions) places.gaps = true;
    this.#epoch += this.random.below(2);
    this.#broker = this.#open();
    this.#faulted = this.#broker.failed !== null;
    for (let partition = 0; partition < this.#broker.partitions; partition++) this.#found(partition);
    this.#invariants = this.#watch();
  }

  /** What a power loss took is gone from the ledger, too. */
  #found(partition: number): void {
    if (!this.#broker.online(partition)) return;
    const places = this.ledger.places(partition);
    const { logEndOffset: end, logStartOffset: start } = this.#broker.view(partition);
    this.note(`${partition} begins with ${start} to ${end}, after ${places.endOffset}`);
    places.cut(end);
    if (start < end || places.endOffset === end) return;
    // The files ended below the start that was promised: nobody will ever see what was in between.
    this.#holes += 1;
    places.skip(end, { ...NOBODYS, id: -this.#holes, partition });
  }

  /** A process that cannot start is tried again on a disk that works. */
  #open(): SimulatedBroker {
    const limits = { ...SEGMENTS, ...this.#settings.retention, maxMessageBytes: 4_000, fileDeleteDelayMs: 5_000 };
    const flushMessages = this.#settings.flush === 'each' ? 1 : Number.MAX_SAFE_INTEGER;
    const settled = config({ ...limits, flushMessages });
    try {
      return new SimulatedBroker(this.#settings, this.#disk, this.#clock, settled, this.#epoch);
    } catch (problem) {
      if (this.#disk.fault === null || !(problem instanceof DiskError || problem instanceof StartError)) throw problem;
      this.note(`no start: ${problem.message}`);
      this.#disk.fault = null;
      this.#armed = false;
      this.#disk.kill();
      return new SimulatedBroker(this.#settings, this.#disk, this.#clock, settled, this.#epoch);
    }
  }

  #watch(): Invariants {
    return new Invariants(this.#broker, this.#disk, this.ledger, this.#settings, (what) => this.note(what));
  }

  /** The disk works, everybody reads, everything arrives: then everybody has an answer, and nobody holds anything. */
  #finish(): void {
    this.#disk.fault = null;
    if (this.#broker.failed !== null || this.#faulted) this.#end('kill');
    for (let round = 0; ; round++) {
      must(round < REST_ROUNDS_MAX, 'everybody has an answer in the end');
      for (const client of this.#clients) {
        if (client.transport === null || client.transport.closed > 0) {
          client.lost();
          client.connected(this.#broker.crew.connect());
        }
      }
      this.#arriveAll();
      this.#settle();
      this.#clock.advance(1_000);
      const isAnswered = this.#clients.every(({ waits, outgoing }) => waits === 0 && outgoing.length === 0);
      if (isAnswered && this.#broker.crew.connections === this.#clients.length) break;
    }
    this.#invariants.bounds();
    this.#withoutFaults(() => this.#invariants.rest());
    this.#crashState();
    this.#end('clean');
    this.#look();
  }
}
