/**
 * A connection to one broker: requests go out in order, answers come back in order, and each must carry the number of its
 * request. Versions are those that both sides know. A connection that is lost fails everybody who waits for an answer.
 */
import { connect, type Socket } from 'node:net';
import { type Memory, memoryOver } from '../base/memory.ts';
import { requestWriter, responseReader } from '../wire/compiler.ts';
import { errorName } from '../wire/errors.ts';
import { beginFrame, endFrame, readResponseHeader, writeRequestHeader } from '../wire/headers.ts';
import { ApiVersions } from '../wire/messages/api-versions.ts';
import { Reader } from '../wire/reader.ts';
import type { Api, RequestInput, ResponseOf } from '../wire/schema.ts';
import { Writer } from '../wire/writer.ts';
import { FrameCutter } from './frame-cutter.ts';
import { EXIT_CONNECTION, EXIT_REFUSED, PerfProblem } from './problem.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A request in the pieces that go around bytes which are sent as they are. */
export interface Frame {
  readonly head: Buffer;
  readonly tail: Buffer;
}

export interface Answer<T> {
  readonly body: T;
  /** Where record bytes of the body lie. */
  readonly memory: Memory;
}

interface Waiting {
  readonly correlationId: number;
  readonly take: (memory: Memory) => void;
  readonly fail: (problem: PerfProblem) => void;
}

export const CLIENT_ID = 'odradek-perf';
const CONNECT_MS = 10_000;
/** Size, key and version stand before it. */
const CORRELATION_AT = 8;
/** The oldest version of ApiVersions: every broker answers it. */
const VERSIONS_VERSION = 0;
/** Below this a copy costs less than a second piece in the system call. */
const COPY_BYTES_MAX = 16 << 10;

export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export class Connection {
  readonly address: Address;
  readonly #socket: Socket;
  readonly #cutter = new FrameCutter();
  readonly #reader = new Reader();
  readonly #waiting: Waiting[] = [];
  readonly #versions = new Map<number, readonly [number, number]>();
  #correlation = 0;
  #lost: PerfProblem | null = null;
  #tell: (problem: PerfProblem) => void = () => {};

  private constructor(address: Address, socket: Socket) {
    this.address = address;
    this.#socket = socket;
  }

  static async open(address: Address): Promise<Connection> {
    const connection = new Connection(address, await connected(address));
    connection.#listen();
    const { errorCode, apiKeys } = await connection.call(ApiVersions, VERSIONS_VERSION, {
      clientSoftwareName: '',
      clientSoftwareVersion: '',
    });
    if (errorCode !== 0) throw connection.#refused(`ApiVersions: ${errorName(errorCode)}`);
    for (const { apiKey, minVersion, maxVersion } of apiKeys)
      connection.#versions.set(apiKey, [minVersion, maxVersion]);
    return connection;
  }

  get outstanding(): number {
    return this.#waiting.length;
  }

  /** The highest version that both know and that is not above `most`. */
  version(api: Api, most = Number.POSITIVE_INFINITY): number {
    const theirs = this.#versions.get(api.key);
    const version = Math.min(api.versions[1], theirs?.[1] ?? -1, most);
    if (theirs === undefined || version < Math.max(api.versions[0], theirs[0]))
      throw this.#refused(`it does not serve ${api.name} in a version that is known here`);
    return version;
  }

  async call<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
    const { head, tail } = requestFrame(api, version, request);
    return new Promise((resolve, reject) => {
      this.send(head, null, tail, api, version, ({ body }) => resolve(body), reject);
    });
  }

  /** `middle` belongs to the socket until the answer has come: nobody writes to it. */
  send<A extends Api>(
    head: Buffer,
    middle: Uint8Array | null,
    tail: Buffer,
    api: A,
    version: number,
    take: (answer: Answer<ResponseOf<A>>) => void,
    fail: (problem: PerfProblem) => void,
  ): void {
    if (this.#lost !== null) return fail(this.#lost);
    const read = responseReader(api, version);
    const correlationId = this.#write(head, middle, tail);
    this.#waiting.push({
      correlationId,
      take: (memory) => {
        const reader = this.#reader;
        reader.reset(memory, 0, memory.bytes.length);
        readResponseHeader(reader, api, version);
        const body = read(reader);
        reader.expectEnd(api.name);
        take({ body, memory });
      },
      fail,
    });
  }

  /** For a request that has no answer: resolves when the system has taken its bytes. */
  sendUnanswered(head: Buffer, middle: Uint8Array, tail: Buffer, taken: () => void): void {
    if (this.#lost === null) this.#write(head, middle, tail, taken);
  }

  /** Called once when the connection goes, unless it is closed here. */
  onLost(tell: (problem: PerfProblem) => void): void {
    this.#tell = tell;
    if (this.#lost !== null) tell(this.#lost);
  }

  close(): void {
    this.#tell = () => {};
    this.#socket.destroy();
  }

  #write(head: Buffer, middle: Uint8Array | null, tail: Buffer, taken?: () => void): number {
    const correlationId = this.#correlation;
    this.#correlation = (correlationId + 1) & 0x7fffffff;
    const parts = middle === null ? [head, tail] : [head, middle, tail];
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytes <= COPY_BYTES_MAX) {
      const frame = Buffer.concat(parts, bytes);
      frame.writeInt32BE(correlationId, CORRELATION_AT);
      this.#socket.write(frame, taken);
      return correlationId;
    }
    const front = Buffer.from(head);
    front.writeInt32BE(correlationId, CORRELATION_AT);
    this.#socket.cork();
    this.#socket.write(front);
    if (middle !== null) this.#socket.write(middle);
    this.#socket.write(tail, taken);
    this.#socket.uncork();
    return correlationId;
  }

  #listen(): void {
    const socket = this.#socket;
    let why = 'the broker closed it';
    socket.on('data', (piece) => this.#cutter.take(piece, (frame) => this.#answered(frame)));
    socket.on('error', (error) => (why = error.message));
    socket.on('close', () => {
      this.#lost ??= new PerfProblem(
        EXIT_CONNECTION,
        `The connection to ${addressText(this.address)} is gone: ${why}.`,
      );
      for (const { fail } of this.#waiting.splice(0)) fail(this.#lost);
      this.#tell(this.#lost);
    });
  }

  #answered(frame: Uint8Array): void {
    const memory = memoryOver(frame);
    const waiting = this.#waiting.shift();
    const correlationId = memory.view.getInt32(0);
    if (waiting?.correlationId !== correlationId) {
      this.#lost = this.#refused(`answer ${correlationId} came where ${waiting?.correlationId ?? 'none'} was due`);
      waiting?.fail(this.#lost);
      this.#socket.destroy();
      return;
    }
    try {
      waiting.take(memory);
    } catch (error) {
      this.#lost = error instanceof PerfProblem ? error : this.#refused(error instanceof Error ? error.message : '');
      waiting.fail(this.#lost);
      this.#socket.destroy();
    }
  }

  #refused(why: string): PerfProblem {
    return new PerfProblem(EXIT_REFUSED, `The broker at ${addressText(this.address)} cannot be used: ${why}.`);
  }
}

/** The frame with room for its number; a hole in the request parts head and tail. */
export function requestFrame<A extends Api>(api: A, version: number, request: RequestInput<A>): Frame {
  const writer = new Writer();
  beginFrame(writer);
  writeRequestHeader(writer, api, version, 0, CLIENT_ID);
  requestWriter(api, version)(writer, request);
  endFrame(writer);
  const bytes = Buffer.from(writer.memory.bytes.subarray(0, writer.writtenBytes));
  const at = writer.holes[0]?.at ?? bytes.length;
  return { head: bytes.subarray(0, at), tail: bytes.subarray(at) };
}

function connected(address: Address): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, noDelay: true });
    const refuse = (why: string): void => {
      socket.destroy();
      reject(
        new PerfProblem(
          EXIT_CONNECTION,
          `No connection to ${addressText(address)}: ${why}. Is a broker running there?`,
        ),
      );
    };
    const timer = setTimeout(() => refuse(`no answer within ${CONNECT_MS / 1000} s`), CONNECT_MS);
    socket.once('error', (error) => {
      clearTimeout(timer);
      refuse(error.message);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
