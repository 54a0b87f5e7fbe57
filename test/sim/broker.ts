/**
 * One process of a broker on the simulated disk: its roles (`crew.ts`), and what the main thread does for them. Nothing runs
 * unless it is told to.
 */
import type { Clock } from '../../src/base/clock.ts';
import type { ClosedPartition, RunningOffset } from '../../src/host/data.ts';
import { openBatch } from '../../src/jobs/open-batch.ts';
import type { LogConfig } from '../../src/log/config.ts';
import { newPartitionView, type PartitionView, PublishedPartitions, SLOT_BYTES } from '../../src/replica/published.ts';
import type { ControlMessage, FromThread, FrozenPartition } from '../../src/runtime/control.ts';
import type { Handler } from '../../src/runtime/handler/handler.ts';
import type { Role } from '../../src/runtime/role.ts';
import { must } from '../runtime/net/sockets.ts';
import { ask, SimulatedCrew } from './crew.ts';
import type { SimulatedDisk } from './disk.ts';
import { Home, TOPIC, TOPIC_ID } from './home.ts';
import type { Settings } from './settings.ts';

export const PARTITIONS_MAX = 3;
/** The descriptors that the process itself keeps: of its lock and its store. */
export const OWN_DESCRIPTORS = 2;
const ROUNDS_MAX = 400;

export class SimulatedBroker {
  readonly home: Home;
  readonly crew: SimulatedCrew;
  readonly published = new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES * PARTITIONS_MAX));
  /** Why the process must end: its disk has failed it. */
  failed: string | null = null;
  readonly #config: LogConfig;
  readonly #epoch: number;
  readonly #posted: FromThread[] = [];
  readonly #owners: number[] = [];
  readonly #view = newPartitionView();

  constructor(settings: Settings, disk: SimulatedDisk, clock: Clock, config: LogConfig, epoch: number) {
    this.#config = config;
    this.#epoch = epoch;
    this.home = new Home(disk, settings.seed);
    const post = (message: FromThread): void => void this.#posted.push(message);
    this.crew = new SimulatedCrew({ settings, disk, clock, published: this.published, post });
    for (let partition = 0; partition < this.home.partitions; partition++) this.openPartition(partition);
  }

  get partitions(): number {
    return this.#owners.length;
  }

  view(partition: number): PartitionView {
    this.published.read(partition, this.#view);
    return this.#view;
  }

  online(partition: number): boolean {
    return this.published.online(partition);
  }

  /** The ends of the logs with what has been staged, by partition. */
  stagedEnds(): number[] {
    const ends: number[] = [];
    for (const handler of this.crew.handlers) {
      const sizes = ask(handler, { kind: 'sizes' }) as Float64Array;
      for (let at = 0; at < sizes.length; at += 3) ends[sizes[at] as number] = sizes[at + 2] as number;
    }
    return ends;
  }

  openPartition(partition: number): void {
    const owner = partition % this.crew.handlers.length;
    this.#owners[partition] = owner;
    const message = this.home.partition(partition, this.#epoch, this.#config);
    const offline = ask(this.crew.handlers[owner] as Handler, { kind: 'open', partitions: [message] }) as {
      why: string;
    }[];
    for (const { why } of offline) this.failed ??= why;
    this.#route();
  }

  #route(): void {
    const routes = [{ name: TOPIC, id: TOPIC_ID, slots: Array.from({ length: this.partitions }, (_, slot) => slot) }];
    for (const one of this.crew.processors) ask(one, { kind: 'changes', changes: [], add: routes, remove: [] });
  }

  /** Everybody works until nobody has anything to do at this moment. */
  settle(): void {
    for (let idle = 0, round = 0; idle < 3; round++) {
      must(round < ROUNDS_MAX, 'a broker comes to rest');
      this.crew.round();
      this.main();
      idle = this.#posted.length > 0 || this.crew.pending ? 0 : idle + 1;
    }
  }

  /** The main thread's work on what the others have posted. */
  main(): void {
    for (const message of this.#posted.splice(0)) {
      if (message.kind === 'openBatch') {
        const { offset, length, opening, token, processor } = message;
        const memory = this.crew.intakeOf(processor);
        ask(this.crew.handler(message.from), {
          kind: 'opened',
          token,
          opened: openBatch({ memory, offset, length, opening }),
        });
      } else if (message.kind === 'keepStart') {
        const kept = this.home.data.keepStarts(this.#offsets().map((one) => ({ ...one, offset: one.logStartOffset })));
        if (kept.length > 0) this.failed ??= 'a start was not kept';
        ask(this.crew.handler(message.from), { kind: 'startKept', token: message.token, kept: kept.length === 0 });
      } else if (message.kind === 'offline') {
        this.home.data.distrust(0);
        this.failed ??= message.why;
      } else if (message.kind === 'log') {
        must(
          message.level !== 'error',
          `nothing is logged as an error: ${message.event} ${JSON.stringify(message.values)}`,
        );
        must(
          message.event !== 'request.malformed',
          `what clients send is understood: ${JSON.stringify(message.values)}`,
        );
      } else must(false, `main hears nothing of ${message.kind}`);
    }
  }

  checkpoint(): void {
    if (this.home.data.checkpoint(this.#offsets()).length > 0) this.failed ??= 'a checkpoint was not written';
  }

  /** What the main thread keeps of each: of one that is out of service where it started, and that all of it is to be scanned. */
  #offsets(): RunningOffset[] {
    return this.#owners.map((_, partition) => {
      const { durableEndOffset, logStartOffset } = this.view(partition);
      const left = this.home.data.leftBehind(TOPIC_ID, partition);
      const kept = this.online(partition) ? 0 : (left?.logStartOffset ?? 0);
      const offset = this.online(partition) ? durableEndOffset : (left?.recoveryPoint ?? 0);
      return { topic: TOPIC, partition, directory: 0, offset, logStartOffset: Math.max(kept, logStartOffset) };
    });
  }

  /** A partition goes to another handler while it is used. */
  move(partition: number): void {
    const from = this.crew.handlers[this.#owners[partition] as number] as Handler;
    const owner = ((this.#owners[partition] as number) + 1) % this.crew.handlers.length;
    const slots = [partition];
    for (const processor of this.crew.processors) this.#await(processor, { kind: 'hold', slots });
    const [frozen] = this.#await(from, { kind: 'freeze', slots }) as [FrozenPartition];
    const message = { ...this.home.partition(partition, this.#epoch, this.#config), bytes: frozen.bytes };
    ask(this.crew.handlers[owner] as Handler, { kind: 'thaw', partitions: [message] });
    this.#owners[partition] = owner;
    for (const processor of this.crew.processors) ask(processor, { kind: 'resume', slots });
  }

  /** An answer that comes when others have gone on. */
  #await(role: Role, message: ControlMessage): unknown {
    const answers: unknown[] = [];
    role.control(message, (value) => answers.push(value));
    for (let round = 0; answers.length === 0; round++) {
      must(round < ROUNDS_MAX, `${role.name} answers ${message.kind} in time`);
      this.crew.round();
      this.main();
    }
    return answers[0];
  }

  /** A clean end. False when the disk did not let it be one. */
  close(): boolean {
    for (const processor of this.crew.processors) processor.stop();
    this.settle();
    const closed = this.crew.handlers.flatMap((handler) => ask(handler, { kind: 'close' }) as ClosedPartition[]);
    const offsets = closed.map(({ slot, recoveryPoint, logStartOffset, highWatermark }) => ({
      topic: TOPIC,
      partition: slot,
      directory: 0,
      offset: recoveryPoint,
      logStartOffset,
      highWatermark,
    }));
    const clean = closed.every(({ error }) => error === null) && this.failed === null;
    const unwritten = this.home.data.checkpoint(offsets);
    if (clean && unwritten.length === 0) {
      this.home.data.markClean(
        0,
        offsets.map((entry) => ({ ...entry, offset: entry.highWatermark })),
        1,
      );
    }
    for (const handler of this.crew.handlers) handler.stop();
    this.home.store.endSession();
    this.home.store.commit();
    this.home.close();
    return clean && unwritten.length === 0;
  }
}
