/**
 * The threads of one broker, seen from the main thread: starts and ends them, hosts roles on them, joins roles by rings,
 * and carries questions and answers. A thread that dies unasked fails the broker.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Logger } from '../base/logger.ts';
import type { BellAddress, ControlMessage, FromThread, RoleMessage, ThreadMessage } from '../runtime/control.ts';
import { loadAddon } from '../runtime/ground/addon.ts';
import type { SocketSettings } from '../runtime/ground/ground.ts';
import type { Native } from '../runtime/ground/native.ts';
import type { Shared } from '../runtime/shared.ts';
import { Links } from './links.ts';
import type { ThreadEntries } from './thread-entries.ts';

export interface CrewParts {
  readonly kind: 'native' | 'portable';
  readonly entries: ThreadEntries;
  readonly shared: Shared;
  readonly sockets: SocketSettings;
  readonly connectionsMax: number;
  /** Where threads write their CPU profiles; null for none. */
  readonly profile: string | null;
  readonly logger: Logger;
  /** What threads say unasked: questions to the controller, moved connections, partitions that went offline. */
  heard(message: FromThread): void;
  failed(problem: Error): void;
}

interface Member {
  readonly name: string;
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly bell: BellAddress;
  readonly flag: Int32Array;
  readonly ended: Promise<void>;
  /** The blocker's: it answers when its call has come back. */
  readonly blocks: boolean;
  stopping: boolean;
}

interface Waiting {
  readonly thread: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (problem: Error) => void;
}

const STOP_WITHIN_MS = 5_000;
/** What was sampled has to be put together and written first. */
const PROFILED_STOP_WITHIN_MS = 60_000;

export class Crew {
  readonly #parts: CrewParts;
  readonly #native: Native | null;
  readonly #members = new Map<string, Member>();
  /** Role to thread. */
  readonly #places = new Map<string, string>();
  readonly #intakes = new Map<string, SharedArrayBuffer>();
  readonly #links = new Links();
  readonly #waiting = new Map<number, Waiting>();
  #sequence = 1;
  #failed = false;

  constructor(parts: CrewParts) {
    this.#parts = parts;
    this.#native = parts.kind === 'native' ? loadAddon() : null;
  }

  get threads(): readonly string[] {
    return Array.from(this.#members.keys());
  }

  rolesOn(thread: string): string[] {
    return Array.from(this.#places.keys()).filter((role) => this.#places.get(role) === thread);
  }

  /** The memory that a processor receives into. */
  intakeOf(processor: string): SharedArrayBuffer | undefined {
    return this.#intakes.get(processor);
  }

  threadOf(role: string): string | undefined {
    return this.#places.get(role);
  }

  /** Starts a thread. The blocker's is of its own kind: it has one role, its row says which counters are its own. */
  async addThread(name: string, blockerRow: number | null = null): Promise<void> {
    const { kind, entries, shared, sockets, connectionsMax, profile } = this.#parts;
    const flagMemory = new SharedArrayBuffer(4);
    const event = this.#native === null || blockerRow !== null ? -1 : this.#native.eventCreate();
    const bell = { flag: flagMemory, event };
    const { port1, port2 } = new MessageChannel();
    const { board } = entries;
    const workerData = {
      name,
      kind,
      shared,
      bell,
      port: port2,
      sockets,
      connectionsMax,
      board,
      profile,
      row: blockerRow,
    };
    const worker = new Worker(blockerRow === null ? entries.thread : entries.blocker, {
      workerData,
      transferList: [port2],
      name,
      // Log files travel between threads by number: whoever holds the last lease closes them.
      trackUnmanagedFds: false,
    });
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const member: Member = {
      name,
      worker,
      port: port1,
      bell,
      flag: new Int32Array(flagMemory),
      ended,
      blocks: blockerRow !== null,
      stopping: false,
    };
    this.#members.set(name, member);
    if (blockerRow !== null) this.#places.set(name, name);
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('error', (problem) => {
        reject(problem);
        this.#fail(new Error(`thread ${name} died: ${(problem as Error).stack ?? problem}`));
      });
      worker.on('exit', (code) => {
        reject(new Error(`thread ${name} ended while starting`));
        if (!member.stopping) this.#fail(new Error(`thread ${name} ended unasked with code ${code}`));
      });
      port1.on('message', (message: FromThread) => {
        if (message.kind === 'ready') resolve();
        else this.#hear(message);
      });
    });
    await ready;
  }

  async host(thread: string, role: RoleMessage): Promise<void> {
    await this.#send(thread, '', { kind: 'host', role });
    this.#places.set(role.name, thread);
    if (role.role === 'processor') this.#intakes.set(role.name, role.intake);
  }

  /** Two rings between two roles, one each way. */
  async link(a: string, b: string): Promise<void> {
    const { there, back, letters } = this.#links.add(a, b);
    await this.#linkOne(a, b, there, back, letters);
    await this.#linkOne(b, a, back, there, letters);
  }

  /** Takes a role out: nobody speaks to it any more, what it holds is closed. */
  async retire(role: string): Promise<void> {
    for (const peer of this.#links.peersOf(role)) await this.ask(peer, { kind: 'unlink', peer: role });
    this.#intakes.delete(role);
    const thread = this.#places.get(role) as string;
    await this.#send(thread, '', { kind: 'retire', role });
    this.#links.remove(role);
    this.#places.delete(role);
  }

  /** Asks a role and waits for its answer. What is moved is the role's from then on. */
  ask(role: string, message: ControlMessage, moved: readonly ArrayBuffer[] = []): Promise<unknown> {
    const thread = this.#places.get(role);
    if (thread === undefined) return Promise.reject(new Error(`no role ${role}`));
    return this.#send(thread, role, message, moved);
  }

  /**
   * Brings all counters up to date. A thread that is let go meanwhile has nothing more to say; the blocker's are always
   * up to date, and it may stand in a call that does not come back.
   */
  async count(): Promise<void> {
    const counting = Array.from(this.#members.values()).filter(({ blocks }) => !blocks);
    await Promise.all(
      counting.map((member) =>
        this.#send(member.name, '', { kind: 'count' }).catch((problem: Error) => {
          if (!member.stopping) throw problem;
        }),
      ),
    );
  }

  /** Ends one thread that has no roles any more, or all of them. */
  async removeThread(name: string): Promise<void> {
    const member = this.#members.get(name);
    if (member === undefined) return;
    member.stopping = true;
    const stopped = this.#send(name, '', { kind: 'stop' });
    const late = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#parts.profile === null ? STOP_WITHIN_MS : PROFILED_STOP_WITHIN_MS);
      member.ended.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    await Promise.race([stopped.then(() => member.ended), late]).catch(() => {});
    await this.#end(member);
  }

  async stop(): Promise<void> {
    await Promise.all(this.threads.map((name) => this.removeThread(name)));
  }

  /** Ends all threads without asking: after a failure. */
  async abort(): Promise<void> {
    await Promise.all(Array.from(this.#members.values(), (member) => this.#end(member)));
  }

  async #end(member: Member): Promise<void> {
    member.stopping = true;
    const terminated = member.worker.terminate();
    this.#alarm(member);
    await terminated;
    member.port.close();
    this.#members.delete(member.name);
    if (member.bell.event >= 0) this.#native?.close(member.bell.event);
    this.#forgetQuestions(member.name, `thread ${member.name} has ended`);
  }

  async #linkOne(
    role: string,
    peer: string,
    out: SharedArrayBuffer,
    back: SharedArrayBuffer,
    letters: SharedArrayBuffer | null,
  ): Promise<void> {
    const bell = this.#members.get(this.#places.get(peer) as string)?.bell;
    if (bell === undefined) throw new Error(`no role ${peer}`);
    await this.ask(role, {
      kind: 'link',
      link: { peer, out, in: back, bell, intake: this.#intakes.get(peer) ?? null, letters },
    });
  }

  #send(
    thread: string,
    to: string,
    message: ControlMessage | ThreadMessage,
    moved: readonly ArrayBuffer[] = [],
  ): Promise<unknown> {
    const member = this.#members.get(thread);
    if (member === undefined) return Promise.reject(new Error(`no thread ${thread}`));
    const sequence = this.#sequence++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(sequence, { thread, resolve, reject });
      member.port.postMessage({ sequence, to, message }, moved);
      this.#alarm(member);
    });
  }

  #alarm(member: Member): void {
    Atomics.store(member.flag, 0, 0);
    if (member.bell.event >= 0) this.#native?.eventSignal(member.bell.event);
    else Atomics.notify(member.flag, 0);
  }

  #hear(message: FromThread): void {
    if (message.kind === 'reply') {
      const waiting = this.#waiting.get(message.sequence);
      this.#waiting.delete(message.sequence);
      if (message.error === null) waiting?.resolve(message.value);
      else waiting?.reject(new Error(message.error));
    } else if (message.kind === 'log') this.#parts.logger[message.level](message.event, message.values);
    else this.#parts.heard(message);
  }

  #forgetQuestions(thread: string, why: string): void {
    for (const [sequence, waiting] of this.#waiting) {
      if (waiting.thread !== thread) continue;
      this.#waiting.delete(sequence);
      waiting.reject(new Error(why));
    }
  }

  #fail(problem: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#parts.failed(problem);
  }
}
