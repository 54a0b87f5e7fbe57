/**
 * A broker in this process: `await startBroker()` gives one that serves, `close()` leaves nothing behind. The one place where
 * everything is put together: settings, data, store, controller, threads, listeners.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, SILENT } from './base/logger.ts';
import { SeededRandom } from './base/random.ts';
import { StartError } from './base/start-error.ts';
import type { Settings } from './config/broker-table.ts';
import type { Listener } from './config/listeners.ts';
import { LiveSettings } from './config/live-settings.ts';
import { type ParsedSettings, parseSettings } from './config/settings.ts';
import { assemble } from './host/assembly.ts';
import { type BrokerOptions, directoriesOf, entriesOf } from './host/broker-options.ts';
import { brokerRules } from './host/broker-rules.ts';
import { Checkpoints } from './host/checkpoints.ts';
import { ControllerHost } from './host/controller-host.ts';
import type { Crew } from './host/crew.ts';
import { Data } from './host/data.ts';
import { Directories } from './host/directories.ts';
import { endInOrder } from './host/ending.ts';
import { imageMessage, tellEverybody } from './host/first-image.ts';
import { groupRules } from './host/group-rules.ts';
import { hear } from './host/hearing.ts';
import { internalTopics } from './host/internal-topics.ts';
import { closeLeftOpen } from './host/left-open.ts';
import { fileHandles } from './host/limits.ts';
import { listen, type OpenListener } from './host/listening.ts';
import { LoopDelay } from './host/loop-delay.ts';
import { MainDesk } from './host/main-desk.ts';
import { startMainProfile } from './host/main-profile.ts';
import { type BrokerMetrics, readMetrics } from './host/metrics.ts';
import type { PartitionHost } from './host/partition-host.ts';
import { describe, type PoolSizes } from './host/placement.ts';
import type { Pools } from './host/pools.ts';
import { sharedMemory } from './host/shared-memory.ts';
import { startProblem } from './host/start-problem.ts';
import { entriesOf as threadEntriesOf, type WithEntries } from './host/thread-entries.ts';
import { topicRules } from './host/topic-rules.ts';
import { recall, type Tuning } from './host/tuning.ts';
import { Jobs } from './jobs/jobs.ts';
import { PARTITIONS_MAX, PublishedPartitions } from './replica/published.ts';
import type { ImageMessage } from './runtime/control.ts';
import { addonProblem, loadAddon } from './runtime/ground/addon.ts';
import { kernelId, openGround } from './runtime/ground/ground.ts';
import { type Shared, systemClock } from './runtime/shared.ts';
import { EmbeddedStore } from './stores/embedded.ts';

export type { Logger } from './base/logger.ts';
export { StartError } from './base/start-error.ts';
export type { BrokerOptions } from './host/broker-options.ts';
export type { BrokerMetrics } from './host/metrics.ts';

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
  readonly #checkpoints: Checkpoints;
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
    this.#checkpoints = new Checkpoints(this.#logger);
    this.#shared = sharedMemory(options.profile !== undefined);
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
    if (profile !== undefined) this.#writeProfile = startMainProfile(profile, this.#shared);
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
        (this.#controller as ControllerHost).erase(gone);
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
    await tellEverybody(this.#image, { crew: this.#crew as Crew, pools, host });
    const topicIds = Array.from(controller.image.deletedTopics.keys());
    if (topicIds.length > 0) await controller.ask('eraseTopics', { topicIds });
    await pools.openDoors();
    this.#checkpoints.start(host.kept, settings.logFlushOffsetCheckpointIntervalMs);
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
    this.#checkpoints.stop();
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
    this.#checkpoints.stop();
    this.#directoryDesk?.close();
    await endInOrder({
      controller: this.#controller as ControllerHost,
      crew: this.#crew as Crew,
      pools: this.#pools as Pools,
      host: this.#host as PartitionHost,
    });
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
      heard: (message) =>
        hear(message, {
          desk: this.#desk,
          pools: this.#pools,
          crew: this.#crew,
          host: this.#host,
          openInPool: (job) => this.#jobs.openBatch(job),
          jobFailed: (problem) => this.#jobFailed(problem),
        }),
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
    if (this.#checkpoints.running) this.#fail(new Error(`no data directory is left: ${why}`));
    else this.#lostAtStart = why;
  }

  /** What is known, for a thread that knows nothing yet. */
  get #image(): ImageMessage {
    return imageMessage((this.#data as Data).clusterId, this.#controller?.image);
  }

  /** Batches wait for the verdict that does not come: a running broker cannot go on, one that closes lets go of them anyway. */
  #jobFailed(problem: Error): void {
    if (this.#closing === null) this.#fail(problem);
    else this.#logger.debug('job.dropped', { why: problem.message });
  }
}
