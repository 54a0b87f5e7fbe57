/**
 * A broker in this process: `await startBroker()` gives one that serves, `close()` leaves nothing behind. The one place where
 * everything is put together: settings, data, store, controller, threads, listeners.
 */
import { lookup } from 'node:dns/promises';
import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ControllerDesk } from './api/controller-desk.ts';
import { createTopics } from './api/create-topics.ts';
import { AUTO_CREATE } from './api/floor.ts';
import { initProducerId } from './api/init-producer-id.ts';
import { type Logger, SILENT } from './base/logger.ts';
import { SeededRandom } from './base/random.ts';
import { StartError } from './base/start-error.ts';
import { type Endpoint, emptyImage } from './cluster/image.ts';
import type { CallName, RequestOf as ControllerRequest } from './cluster/requests.ts';
import type { Settings } from './config/broker-table.ts';
import type { Listener } from './config/listeners.ts';
import { parseSettings, type SettingEntry } from './config/settings.ts';
import { topicConfig } from './config/topic-settings.ts';
import { Jobs } from './jobs/jobs.ts';
import { FileTable } from './log/leases.ts';
import { PublishedPartitions } from './replica/published.ts';
import { addonProblem, loadAddon } from './runtime/addon.ts';
import type { FromThread } from './runtime/control.ts';
import { ControllerHost } from './runtime/controller-host.ts';
import { countersMemory } from './runtime/counters.ts';
import { Crew } from './runtime/crew.ts';
import { Data } from './runtime/data.ts';
import { openFilesLimit, openGround } from './runtime/ground.ts';
import { type BrokerMetrics, readMetrics } from './runtime/metrics.ts';
import { PartitionHost } from './runtime/partition-host.ts';
import { ACCEPTOR, describe, place } from './runtime/placement.ts';
import { Pools } from './runtime/pools.ts';
import { FILE_STRIPE, HANDLERS_MAX, type Shared, systemClock } from './runtime/shared.ts';
import { brokerRules, effectiveConfigs, topicRules } from './runtime/topic-rules.ts';
import { EmbeddedStore } from './stores/embedded.ts';
import { CreateTopics } from './wire/messages/create-topics.ts';
import { InitProducerId } from './wire/messages/init-producer-id.ts';

export type { Logger } from './base/logger.ts';
export { StartError } from './base/start-error.ts';
export type { BrokerMetrics } from './runtime/metrics.ts';

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
const WILDCARDS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const parsed = parseSettings(entriesOf(options));
  const temporary = directoriesOf(options, parsed.settings) === null;
  const directories = directoriesOf(options, parsed.settings) ?? [mkdtempSync(join(tmpdir(), 'odradek-'))];
  const running = new RunningBroker(
    options,
    parsed.settings,
    parsed.listeners,
    directories,
    temporary,
    parsed.warnings,
  );
  try {
    await running.start();
  } catch (problem) {
    await running.abandon();
    throw problem;
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

/** `auto` leaves half of what the process may open to connections. */
function fileHandles({ fileHandlesMax }: Settings): number {
  return fileHandlesMax === 'auto' ? Math.floor(openFilesLimit() / 2) : fileHandlesMax;
}

class RunningBroker implements Broker {
  readonly transport: 'native' | 'portable';
  readonly transportProblem: string | null;
  readonly warnings: readonly string[];
  readonly failed: Promise<Error>;
  listeners: { readonly name: string; readonly host: string; readonly port: number }[] = [];
  layout = '';
  readonly #options: BrokerOptions;
  readonly #settings: Settings;
  readonly #wanted: readonly Listener[];
  readonly #directories: readonly string[];
  readonly #temporary: boolean;
  readonly #logger: Logger;
  readonly #shared: Shared;
  readonly #published: PublishedPartitions;
  readonly #dice: SeededRandom;
  readonly #jobs = new Jobs();
  readonly #startedAt = systemClock.monotonic();
  #fail: (problem: Error) => void = () => {};
  #data: Data | null = null;
  #store: EmbeddedStore | null = null;
  #crew: Crew | null = null;
  #pools: Pools | null = null;
  #host: PartitionHost | null = null;
  #controller: ControllerHost | null = null;
  #checkpoints: ReturnType<typeof setInterval> | null = null;
  #closing: Promise<void> | null = null;
  #abandoning: Promise<void> | null = null;
  #gone = false;

  constructor(
    options: BrokerOptions,
    settings: Settings,
    listeners: readonly Listener[],
    directories: readonly string[],
    temporary: boolean,
    warnings: readonly string[],
  ) {
    this.#options = options;
    this.#settings = settings;
    this.#wanted = listeners;
    this.#directories = directories;
    this.#temporary = temporary;
    this.#logger = options.logger ?? SILENT;
    this.warnings = warnings;
    this.transport = loadAddon() === null ? 'portable' : 'native';
    this.transportProblem = addonProblem();
    this.#dice = new SeededRandom(crypto.getRandomValues(new Uint32Array(1))[0] as number);
    this.#shared = {
      published: PublishedPartitions.memory(),
      files: FileTable.memory(HANDLERS_MAX * FILE_STRIPE),
      counters: countersMemory(),
      connections: new SharedArrayBuffer(4),
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
    const settings = this.#settings;
    const ground = openGround(this.transport);
    const { disk, kernels } = ground;
    const random = {
      below: (limit: number) => this.#dice.below(limit),
      bytes16: () => crypto.getRandomValues(new Uint8Array(16)),
    };
    const data = Data.open(this.#directories, settings.nodeId, disk, random, this.#logger);
    this.#data = data;
    const store = EmbeddedStore.open({ disk, kernels, logger: this.#logger, directory: this.directory });
    this.#store = store;
    await this.#startThreads();
    const controller = await ControllerHost.start({
      store,
      clock: systemClock,
      logger: this.#logger,
      clusterId: data.clusterId,
      brokerId: settings.nodeId,
      endpoints: await this.#listen(),
      rack: settings.brokerRack,
      random,
      defaults: {
        numPartitions: settings.numPartitions,
        replicationFactor: settings.defaultReplicationFactor,
        partitionsPerRequestMax: PARTITIONS_PER_REQUEST_MAX,
      },
      topicRules: topicRules(() => settings),
      brokerRules: brokerRules(() => settings),
      onResigned: (reason) => this.#fail(reason),
      publish: (changes, image) => (this.#host as PartitionHost).publish(changes, image),
    });
    this.#controller = controller;
    data.survey(controller.image);
    const host = this.#host as PartitionHost;
    const pools = this.#pools as Pools;
    await host.openAll(controller.image);
    await this.#tellProcessors();
    await this.#eraseDeleted();
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
    });
  }

  resize({ network, io }: { readonly network: number; readonly io: number }): Promise<void> {
    const pools = this.#pools as Pools;
    const host = this.#host as PartitionHost;
    return (this.#controller as ControllerHost).exclusive(() => pools.resize(network, io, host));
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
    await this.#crew?.abort();
    await this.#jobs.close();
    this.#closeDescriptors();
    await this.#store?.close().catch((problem: Error) => this.#logger.warn('store.close', { why: problem.message }));
    this.#letGo();
  }

  /** The directories are somebody else's from here on. */
  #letGo(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#data?.close();
    if (this.#temporary) rmSync(this.directory, { recursive: true, force: true });
  }

  async #close(): Promise<void> {
    if (this.#checkpoints !== null) clearInterval(this.#checkpoints);
    // What is being decided or moved comes to its end first.
    await (this.#controller as ControllerHost).exclusive(async () => {});
    const crew = this.#crew as Crew;
    const pools = this.#pools as Pools;
    await crew.ask(ACCEPTOR, { kind: 'close' });
    await Promise.all(pools.processors.map((name) => crew.ask(name, { kind: 'close' })));
    const epoch = (this.#controller as ControllerHost).brokerEpoch;
    await (this.#host as PartitionHost).closeAll(pools.handlers, epoch);
    await crew.stop();
    await this.#jobs.close();
    await (this.#store as EmbeddedStore).close();
    this.#letGo();
    this.#logger.info('broker.closed');
  }

  async #startThreads(): Promise<void> {
    const settings = this.#settings;
    const portable = this.transport === 'portable';
    const crew = new Crew({
      kind: this.transport,
      shared: this.#shared,
      sockets: {
        receiveBytes: settings.socketReceiveBufferBytes,
        sendBytes: settings.socketSendBufferBytes,
        backlog: settings.socketListenBacklogSize,
      },
      connectionsMax: settings.maxConnections,
      logger: this.#logger,
      heard: (message) => this.#heard(message),
      failed: (problem) => this.#fail(problem),
    });
    this.#crew = crew;
    const cores = this.#options.cores ?? availableParallelism();
    const threads = place(settings.numNetworkThreads, settings.numIoThreads, cores, portable);
    this.layout = describe(threads);
    const handlers = threads.flatMap(({ roles }) => roles).filter((role) => role.startsWith('h')).length;
    const processors = threads.flatMap(({ roles }) => roles).filter((role) => role.startsWith('p')).length;
    const pools = new Pools({
      crew,
      portable,
      limits: {
        connection: {
          frameBytesMax: settings.socketRequestMaxBytes,
          inFlightMax: settings.connectionRequestsInFlightMax,
          idleMs: settings.connectionsMaxIdleMs,
          receiveTimeoutMs: settings.requestReceiveTimeoutMs,
        },
        zeroCopyMinBytes: settings.zeroCopyMinBytes,
        fetchBytesMax: settings.fetchMaxBytes,
        autoCreateTopics: settings.autoCreateTopicsEnable,
        queuedRequestsMax: settings.queuedMaxRequests,
        sessionSlotsMax: settings.maxIncrementalFetchSessionCacheSlots,
        nodeId: settings.nodeId,
        listeners: this.#wanted.map(({ name }) => name),
      },
      queuedBytesMax: Math.ceil(settings.queuedMaxRequestBytes / processors),
      groupCommit: settings.flushGroupCommit,
      fullValidation: settings.compressedBatchValidation === 'full',
      retentionCheckMs: settings.logRetentionCheckIntervalMs,
      filesMax: Math.max(16, Math.floor(fileHandles(settings) / handlers)),
      seed: () => this.#dice.below(0x7fffffff),
      image: () => this.#controller?.image ?? emptyImage((this.#data as Data).clusterId),
      routes: () => this.#host?.map.routes() ?? [],
    });
    this.#pools = pools;
    await pools.start(threads);
    this.#host = new PartitionHost({
      crew,
      data: this.#data as Data,
      published: this.#published,
      nodeId: settings.nodeId,
      logger: this.#logger,
      config: (topic) => {
        const { log, settings: effective } = topicConfig(topic.configs, settings);
        return { config: log, minInsyncReplicas: effective.minInsyncReplicas };
      },
    });
    this.#host.handlers = pools.handlers;
    this.#host.processors = pools.processors;
  }

  async #listen(): Promise<Endpoint[]> {
    const endpoints: Endpoint[] = [];
    for (const [index, listener] of this.#wanted.entries()) {
      const port = await this.#listenOn(index, listener);
      const shown = WILDCARDS.has(listener.host) ? hostname() : listener.host;
      this.listeners.push({ name: listener.name, host: listener.host === '' ? '0.0.0.0' : listener.host, port });
      const { host, port: advertisedPort } = listener.advertised ?? { host: shown, port };
      endpoints.push({ listener: listener.name, protocol: listener.protocol, host, port: advertisedPort });
    }
    return endpoints;
  }

  async #listenOn(index: number, { name, host, port }: Listener): Promise<number> {
    const crew = this.#crew as Crew;
    const address =
      host === ''
        ? '0.0.0.0'
        : await lookup(host).then(
            (found) => found.address,
            () => host,
          );
    try {
      return (await crew.ask(ACCEPTOR, { kind: 'listen', listener: index, host: address, port })) as number;
    } catch (problem) {
      const why = (problem as Error).message;
      if (why === 'EADDRINUSE') {
        throw new StartError(
          `Port ${port} on ${address} is taken: stop what listens there, or choose another port for ${name}.`,
        );
      }
      if (why === 'EACCES')
        throw new StartError(`Port ${port} may not be used by this user (EACCES): choose one above 1023 for ${name}.`);
      throw new StartError(`The listener ${name} cannot listen on ${host}:${port} (${why}): correct its address.`);
    }
  }

  /** Before the doors open: everybody knows everything. */
  async #tellProcessors(): Promise<void> {
    const image = (this.#controller as ControllerHost).image;
    const add = (this.#host as PartitionHost).map.routes();
    const message = { kind: 'image', image, add } as const;
    const crew = this.#crew as Crew;
    await Promise.all((this.#pools as Pools).processors.map((name) => crew.ask(name, message)));
  }

  /** Topics whose deletion was decided in an earlier life: their files are gone now. */
  async #eraseDeleted(): Promise<void> {
    const controller = this.#controller as ControllerHost;
    for (const topicId of Array.from(controller.image.deletedTopics.keys()))
      await controller.ask('eraseTopic', { topicId });
  }

  #heard(message: FromThread): void {
    if (message.kind === 'ask') void this.#answer(message);
    else if (message.kind === 'move') this.#pools?.moved(message.connection);
    else if (message.kind === 'check') this.#check(message).catch((problem: Error) => this.#jobFailed(problem));
    else if (message.kind === 'offline') this.#host?.offline(message.slot, message.why);
  }

  /** Opens a compressed batch in the background pool: the handler's other work goes on. */
  async #check({
    from,
    token,
    processor,
    offset,
    length,
    needKeys,
  }: Extract<FromThread, { kind: 'check' }>): Promise<void> {
    const crew = this.#crew as Crew;
    const memory = crew.intakeOf(processor);
    if (memory === undefined) throw new Error(`no processor ${processor}`);
    const verdict = await this.#jobs.checkBatch({ memory, offset, length, needKeys });
    await crew.ask(from, { kind: 'checked', token, verdict });
  }

  /** Batches wait for the verdict that does not come: a running broker cannot go on, one that closes lets go of them anyway. */
  #jobFailed(problem: Error): void {
    if (this.#closing === null) this.#fail(problem);
    else this.#logger.debug('job.dropped', { why: problem.message });
  }

  /** A checkpoint that cannot be written leaves the one before: an unclean start then scans more, and loses nothing. */
  #checkpoint(): void {
    try {
      this.#host?.checkpoint();
    } catch (problem) {
      this.#logger.error('checkpoint.failed', { why: (problem as Error).message });
    }
  }

  async #answer({ from, token, api, request }: Extract<FromThread, { kind: 'ask' }>): Promise<void> {
    let body: unknown = null;
    let error: string | null = null;
    try {
      body = await this.#decide(api, request);
    } catch (problem) {
      error = (problem as Error).message;
      this.#logger.error('controller.failed', { api, why: error });
    }
    const crew = this.#crew as Crew;
    // The processor may have been retired meanwhile: then nobody waits for the answer.
    await crew.ask(from, { kind: 'answer', token, body, error }).catch(() => {});
  }

  #decide(api: number, request: unknown): Promise<unknown> {
    const desk = this.#desk;
    if (api === AUTO_CREATE) return desk.ask('autoCreateTopics', request as ControllerRequest<'autoCreateTopics'>);
    if (api === CreateTopics.key) return createTopics(request as Parameters<typeof createTopics>[0], desk);
    if (api === InitProducerId.key) return initProducerId(request as Parameters<typeof initProducerId>[0], desk);
    return Promise.reject(new Error(`the controller does not serve API ${api}`));
  }

  get #desk(): ControllerDesk {
    const controller = this.#controller as ControllerHost;
    return {
      nodeId: this.#settings.nodeId,
      ask: <K extends CallName>(name: K, request: ControllerRequest<K>) => controller.ask(name, request),
      effectiveConfigs: (topic) =>
        effectiveConfigs(controller.image.topics.get(topic)?.configs ?? new Map(), this.#settings),
      nextProducerId: () => controller.nextProducerId(),
    };
  }

  /** Sockets and files of threads that died belong to the process and stay open unless somebody closes them. */
  #closeDescriptors(): void {
    const files = new FileTable(new Int32Array(this.#shared.files)).abandon();
    const native = this.transport === 'native' ? loadAddon() : null;
    if (native === null) {
      for (const descriptor of files) closeSync(descriptor);
      return;
    }
    for (const descriptor of files) native.close(descriptor);
    for (const memory of this.#pools?.descriptors.values() ?? []) {
      for (const descriptor of new Int32Array(memory)) if (descriptor >= 0) native.close(descriptor);
    }
  }
}
