/**
 * A broker in this process: `await startBroker()` gives one that serves, `close()` leaves nothing behind. The one place where
 * everything is put together: settings, data, store, controller, threads, listeners.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Logger, SILENT } from './base/logger.ts';
import { SeededRandom } from './base/random.ts';
import { StartError } from './base/start-error.ts';
import { changesOf } from './cluster/changes.ts';
import type { Settings } from './config/broker-table.ts';
import type { Listener } from './config/listeners.ts';
import { LiveSettings } from './config/live-settings.ts';
import { type ParsedSettings, parseSettings, type SettingEntry } from './config/settings.ts';
import { assemble } from './host/assembly.ts';
import { brokerRules } from './host/broker-rules.ts';
import { ControllerHost } from './host/controller-host.ts';
import type { Crew } from './host/crew.ts';
import { Data } from './host/data.ts';
import { Directories } from './host/directories.ts';
import { groupRules } from './host/group-rules.ts';
import { internalTopics } from './host/internal-topics.ts';
import { closeLeftOpen } from './host/left-open.ts';
import { fileHandles } from './host/limits.ts';
import { listen, type OpenListener } from './host/listening.ts';
import { LoopDelay } from './host/loop-delay.ts';
import { MainDesk } from './host/main-desk.ts';
import { type BrokerMetrics, readMetrics, requestTimesOf } from './host/metrics.ts';
import type { PartitionHost } from './host/partition-host.ts';
import { describe, type PoolSizes } from './host/placement.ts';
import type { Pools } from './host/pools.ts';
import { startProblem } from './host/start-problem.ts';
import { entriesOf as threadEntriesOf, type WithEntries } from './host/thread-entries.ts';
import { topicRules } from './host/topic-rules.ts';
import { recall, type Tuning } from './host/tuning.ts';
import { Jobs } from './jobs/jobs.ts';
import { FileTable } from './log/leases.ts';
import { PARTITIONS_MAX, PublishedPartitions } from './replica/published.ts';
import { addonProblem, loadAddon } from './runtime/addon.ts';
import type { FromThread, ImageMessage } from './runtime/control.ts';
import { countersMemory } from './runtime/counters.ts';
import { kernelId, openGround } from './runtime/ground.ts';
import { startProfile, writeAnew } from './runtime/profile.ts';
import { requestTimesMemory } from './runtime/request-times.ts';
import { FILE_STRIPE, HANDLERS_MAX, type Shared, systemClock } from './runtime/shared.ts';
import { EmbeddedStore } from './stores/embedded.ts';

export type { Logger } from './base/logger.ts';
export { StartError } from './base/start-error.ts';
export type { BrokerMetrics } from './host/metrics.ts';

export interface BrokerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Where the data lies; a temporary one that goes with `close()` when not given. */
  readonly directory?: string;
  /** Kafka's names and values. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The same with their origins, strongest last; for the command line. */
  readonly entries?: readonly SettingEntry[];
  readonly logger?: Logger;
  /** Cores to count on for `auto` thread numbers; the machine's when not given. */
  readonly cores?: number;
  /** A folder for V8's CPU profile of every thread, written when the broker closes. */
  readonly profile?: string;
}

export interface Broker {
  readonly host: string;
  readonly port: number;
  readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[];
  readonly transport: 'native' | 'portable';
  /** Why the transport is not native, null when it is. */
  readonly transportProblem: string | null;
  /** Which roles live on which threads. */
  readonly layout: string;
  readonly directory: string;
  readonly clusterId: string;
  readonly warnings: readonly string[];
  metrics(): Promise<BrokerMetrics>;
  /** Changes the sizes of the pools while everything goes on. */
  resize(threads: { readonly network: number; readonly io: number }): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the broker has failed: a thread has died, its store is lost. It is closed by then. */
  readonly failed: Promise<Error>;
}

const PARTITIONS_PER_REQUEST_MAX = 10_000;

export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const parsed = parseSettings(entriesOf(options));
  const temporary = directoriesOf(options, parsed.settings) === null;
  const directories = directoriesOf(options, parsed.settings) ?? [mkdtempSync(join(tmpdir(), 'odradek-'))];
  const running = new RunningBroker(options, parsed, directories, temporary);
  try {
    await running.start();
  } catch (problem) {
    await running.abandon();
    throw startProblem(problem);
  }
  return running;
}

function entriesOf(options: BrokerOptions): SettingEntry[] {
  const { host, port, settings = {}, entries = [] } = options;
  const given: SettingEntry[] = Object.entries(settings).map(([name, value]) => ({ name, value, origin: 'flag' }));
  const all = [...entries, ...given];
  const named = all.some(({ name }) => name === 'listeners');
  if (host !== undefined || port !== undefined || !named) {
    all.push({ name: 'listeners', value: `PLAINTEXT://${host ?? '127.0.0.1'}:${port ?? 0}`, origin: 'flag' });
  }
  return all;
}

function directoriesOf(options: BrokerOptions, settings: Settings): string[] | null {
  if (options.directory !== undefined) return [resolve(options.directory)];
  if (settings.logDirs !== null) return settings.logDirs.map((path) => resolve(path));
  return settings.logDir === null ? null : [resolve(settings.logDir)];
}

class RunningBroker implements Broker {
  readonly transport: 'native' | 'portable';
  readonly transportProblem: string | null;
  readonly warnings: readonly string[];
  readonly failed: Promise<Error>;
  listeners: readonly OpenListener[] = [];
  layout = '';
  readonly #options: BrokerOptions & WithEntries;
  /** As they were at the start; what can change is asked of `#live`. */
  readonly #settings: Settings;
  readonly #live: LiveSettings;
  readonly #wanted: readonly Listener[];
  readonly #directories: readonly string[];
  readonly #temporary: boolean;
  readonly #logger: Logger;
  readonly #shared: Shared;
  readonly #published: PublishedPartitions;
  readonly #dice: SeededRandom;
  readonly #jobs = new Jobs();
  readonly #delay = new LoopDelay();
  readonly #startedAt = systemClock.monotonic();
  #fail: (problem: Error) => void = () => {};
  #data: Data | null = null;
  #store: EmbeddedStore | null = null;
  #writeProfile: (() => void) | null = null;
  #crew: Crew | null = null;
  #pools: Pools | null = null;
  #host: PartitionHost | null = null;
  #directoryDesk: Directories | null = null;
  #controller: ControllerHost | null = null;
  #desk: MainDesk | null = null;
  #checkpoints: ReturnType<typeof setInterval> | null = null;
  #closing: Promise<void> | null = null;
  #abandoning: Promise<void> | null = null;
  #gone = false;
  #lostAtStart: string | null = null;

  constructor(options: BrokerOptions, parsed: ParsedSettings, directories: readonly string[], temporary: boolean) {
    this.#options = options;
    this.#settings = parsed.settings;
    this.#live = new LiveSettings(parsed);
    this.#wanted = parsed.listeners;
    this.#directories = directories;
    this.#temporary = temporary;
    this.#logger = options.logger ?? SILENT;
    this.warnings = parsed.warnings;
    this.transport = loadAddon() === null ? 'portable' : 'native';
    this.transportProblem = addonProblem();
    this.#dice = new SeededRandom(crypto.getRandomValues(new Uint32Array(1))[0] as number);
    this.#shared = {
      published: PublishedPartitions.memory(),
      files: FileTable.memory(HANDLERS_MAX * FILE_STRIPE),
      counters: countersMemory(),
      connections: new SharedArrayBuffer(4),
      times: this.#options.profile === undefined ? null : requestTimesMemory(),
    };
    this.#published = new PublishedPartitions(this.#shared.published);
    this.failed = new Promise((done) => {
      this.#fail = (problem) => {
        this.#logger.error('broker.failed', { why: problem.message });
        this.abandon()
          .catch((trouble: Error) => this.#logger.error('broker.abandon', { why: trouble.message }))
          .finally(() => done(problem));
      };
    });
  }

  get host(): string {
    return (this.listeners[0] as { host: string }).host;
  }

  get port(): number {
    return (this.listeners[0] as { port: number }).port;
  }

  get directory(): string {
    return this.#directories[0] as string;
  }

  get clusterId(): string {
    return (this.#data as Data).clusterId;
  }

  async start(): Promise<void> {
    this.#delay.start();
    const { profile } = this.#options;
    if (profile !== undefined) {
      const write = startProfile(profile, 'main');
      this.#writeProfile = () => {
        write();
        writeAnew(profile, 'requests', 'json', `${JSON.stringify(requestTimesOf(this.#shared), null, 2)}\n`);
      };
    }
    const settings = this.#settings;
    const ground = openGround(this.transport);
    const { disk, kernels } = ground;
    const random = {
      below: (limit: number) => this.#dice.below(limit),
      bytes16: () => crypto.getRandomValues(new Uint8Array(16)),
    };
    const data = Data.open(this.#directories, settings.nodeId, disk, random, this.#logger, kernelId());
    this.#data = data;
    const store = EmbeddedStore.open({ disk, kernels, logger: this.#logger, directory: this.directory });
    this.#store = store;
    const live = this.#live;
    await recall(live, settings.nodeId, store, this.#logger);
    const tuning = await this.#startThreads();
    const { open, endpoints } = await listen(this.#crew as Crew, this.#wanted);
    this.listeners = open;
    const controller = await ControllerHost.start({
      store,
      clock: systemClock,
      logger: this.#logger,
      clusterId: data.clusterId,
      brokerId: settings.nodeId,
      endpoints,
      rack: settings.brokerRack,
      random,
      defaults: {
        numPartitions: settings.numPartitions,
        replicationFactor: settings.defaultReplicationFactor,
        internalTopics: internalTopics(settings),
        partitionsPerRequestMax: PARTITIONS_PER_REQUEST_MAX,
        partitionsMax: PARTITIONS_MAX,
      },
      topicRules: topicRules(live),
      groupRules: groupRules(live),
      brokerRules: brokerRules({ nodeId: settings.nodeId, live, sizes: () => (this.#pools as Pools).sizes }),
      onResigned: (reason) => this.#fail(reason),
      publish: async (changes, image) => {
        const follow = tuning.changed(changes, image);
        const gone = await (this.#host as PartitionHost).publish(changes, image);
        await follow();
        this.#erase(gone);
      },
    });
    this.#controller = controller;
    this.#directoryDesk = new Directories({
      data,
      host: this.#host as PartitionHost,
      disk,
      logger: this.#logger,
      image: () => controller.image,
      job: (step) => this.#jobs.movePartition(step),
      exclusive: (work) => controller.exclusive(work),
    });
    this.#desk = new MainDesk({
      nodeId: settings.nodeId,
      live,
      controller,
      host: this.#host as PartitionHost,
      directories: this.#directoryDesk,
      crew: this.#crew as Crew,
      logger: this.#logger,
      auto: () => this.#auto(),
    });
    data.survey(controller.image);
    const host = this.#host as PartitionHost;
    const pools = this.#pools as Pools;
    await host.openAll(controller.image);
    if (this.#lostAtStart !== null) {
      const why = this.#lostAtStart;
      throw new StartError(`No data directory can be used (${why}): look at its disk, or name another directory.`);
    }
    await this.#tellEverybody();
    const topicIds = Array.from(controller.image.deletedTopics.keys());
    if (topicIds.length > 0) await controller.ask('eraseTopics', { topicIds });
    await pools.openDoors();
    this.#checkpoints = setInterval(() => this.#checkpoint(), settings.logFlushOffsetCheckpointIntervalMs);
    this.#checkpoints.unref();
    this.#logger.info('broker.started', { layout: this.layout, transport: this.transport, directory: this.directory });
  }

  metrics(): Promise<BrokerMetrics> {
    return readMetrics({
      crew: this.#crew as Crew,
      pools: this.#pools as Pools,
      host: this.#host as PartitionHost,
      shared: this.#shared,
      published: this.#published,
      transport: this.transport,
      upMs: systemClock.monotonic() - this.#startedAt,
      delay: this.#delay,
    });
  }

  async resize({ network, io }: PoolSizes): Promise<void> {
    const controller = this.#controller as ControllerHost;
    await (this.#pools as Pools).resize(network, io, this.#host as PartitionHost, (work) => controller.exclusive(work));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends what was begun, without a promise kept: a start that failed, a broker that broke. Once, whoever asks. */
  abandon(): Promise<void> {
    this.#closing ??= Promise.resolve();
    this.#abandoning ??= this.#abandon();
    return this.#abandoning;
  }

  async #abandon(): Promise<void> {
    if (this.#checkpoints !== null) clearInterval(this.#checkpoints);
    this.#directoryDesk?.close();
    await this.#crew?.abort();
    await this.#jobs.close();
    const sockets = this.#pools?.descriptors.values() ?? [];
    closeLeftOpen({ transport: this.transport, files: this.#shared.files, sockets });
    await this.#store?.close().catch((problem: Error) => this.#logger.warn('store.close', { why: problem.message }));
    this.#letGo();
  }

  /** The directories are somebody else's from here on. */
  #letGo(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#delay.stop();
    this.#writeProfile?.();
    this.#data?.close();
    if (this.#temporary) rmSync(this.directory, { recursive: true, force: true });
  }

  async #close(): Promise<void> {
    if (this.#checkpoints !== null) clearInterval(this.#checkpoints);
    this.#directoryDesk?.close();
    // What is being decided or moved comes to its end first.
    const controller = this.#controller as ControllerHost;
    const crew = this.#crew as Crew;
    const pools = this.#pools as Pools;
    await controller.exclusive(async () => {
      await Promise.all(pools.acceptors.map((name) => crew.ask(name, { kind: 'close' })));
      await Promise.all(pools.processors.map((name) => crew.ask(name, { kind: 'close' })));
    });
    await pools.rest();
    const epoch = controller.brokerEpoch;
    await (this.#host as PartitionHost).kept.closeAll(pools.handlers, epoch);
    await crew.stop();
    await this.#jobs.close();
    try {
      await (this.#store as EmbeddedStore).close();
    } finally {
      this.#letGo();
    }
    this.#logger.info('broker.closed');
  }

  async #startThreads(): Promise<Tuning> {
    const { crew, pools, host, tuning } = assemble({
      live: this.#live,
      transport: this.transport,
      entries: threadEntriesOf(this.#options),
      cores: this.#options.cores ?? availableParallelism(),
      profile: this.#options.profile ?? null,
      listeners: this.#wanted,
      shared: this.#shared,
      published: this.#published,
      data: this.#data as Data,
      logger: this.#logger,
      seed: () => this.#dice.below(0x7fffffff),
      image: () => this.#image,
      heard: (message) => this.#heard(message),
      failed: (problem) => this.#fail(problem),
      resize: (sizes) => this.#resizeLater(sizes),
      lost: (why) => this.#lost(why),
    });
    this.#crew = crew;
    this.#pools = pools;
    const threads = tuning.plan();
    this.layout = describe(threads);
    await pools.start(threads);
    this.#host = host;
    host.handlers = pools.handlers;
    host.processors = pools.processors;
    return tuning;
  }

  /** Whoever asked for it has his answer first: connections that wait for one do not move. */
  #resizeLater(sizes: PoolSizes): void {
    if (this.#closing !== null) return;
    this.resize(sizes).then(
      () => this.#logger.info('threads.resized', { ...sizes }),
      (problem: Error) => {
        if (this.#closing === null) this.#fail(problem);
      },
    );
  }

  /** What stands behind `auto` at this moment. */
  #auto(): ReadonlyMap<string, string> {
    const { network, io } = (this.#pools as Pools).sizes;
    return new Map([
      ['num.network.threads', String(network)],
      ['num.io.threads', String(io)],
      ['file.handles.max', String(fileHandles(this.#settings))],
    ]);
  }

  /** No data directory is left. While the broker starts, the start says so. */
  #lost(why: string): void {
    if (this.#checkpoints === null) this.#lostAtStart = why;
    else this.#fail(new Error(`no data directory is left: ${why}`));
  }

  /** What is known, for a thread that knows nothing yet. */
  get #image(): ImageMessage {
    const image = this.#controller?.image;
    if (image === undefined) return { clusterId: (this.#data as Data).clusterId, changes: [] };
    return { clusterId: image.clusterId, changes: changesOf(image) };
  }

  /** Before the doors open: everybody knows everything. */
  async #tellEverybody(): Promise<void> {
    const image = this.#image;
    const add = (this.#host as PartitionHost).map.routes();
    const message = { kind: 'image', image, add } as const;
    const crew = this.#crew as Crew;
    const { processors, handlers } = this.#pools as Pools;
    await Promise.all([...processors, ...handlers].map((name) => crew.ask(name, message)));
  }

  /** Deleted topics whose files have been renamed need not be remembered. Those that are, after a crash, are erased by the next start. */
  #erase(topicIds: readonly string[]): void {
    if (topicIds.length === 0) return;
    (this.#controller as ControllerHost)
      .ask('eraseTopics', { topicIds })
      .catch((problem: Error) => this.#logger.debug('topics.not.erased', { why: problem.message }));
  }

  #heard(message: FromThread): void {
    if (message.kind === 'ask') void this.#desk?.answer(message);
    else if (message.kind === 'move') this.#pools?.moved(message.connection);
    else if (message.kind === 'openBatch') this.#openBatch(message).catch((problem: Error) => this.#jobFailed(problem));
    else if (message.kind === 'keepStart') this.#host?.kept.keepStart(message.from, message.token, message.slot);
    else if (message.kind === 'offline') this.#host?.offline(message);
  }

  /** Opens a batch in the background pool: the handler's other work goes on. */
  async #openBatch({
    from,
    token,
    processor,
    offset,
    length,
    opening,
  }: Extract<FromThread, { kind: 'openBatch' }>): Promise<void> {
    const crew = this.#crew as Crew;
    const memory = crew.intakeOf(processor);
    if (memory === undefined) throw new Error(`no processor ${processor}`);
    const opened = await this.#jobs.openBatch({ memory, offset, length, opening });
    await crew.ask(from, { kind: 'opened', token, opened }, opened.bytes === null ? [] : [opened.bytes]);
  }

  /** Batches wait for the verdict that does not come: a running broker cannot go on, one that closes lets go of them anyway. */
  #jobFailed(problem: Error): void {
    if (this.#closing === null) this.#fail(problem);
    else this.#logger.debug('job.dropped', { why: problem.message });
  }

  /** A checkpoint that cannot be written leaves the one before: an unclean start then scans more, and loses nothing. */
  #checkpoint(): void {
    try {
      this.#host?.kept.checkpoint();
    } catch (problem) {
      this.#logger.error('checkpoint.failed', { why: (problem as Error).message });
    }
  }
}
