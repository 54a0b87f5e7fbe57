/**
 * A raw client: writes requests and reads answers with the broker's own tables, over one socket, as many at a time as the
 * test likes, cut as the test likes. Answers are matched by their order, and the correlation id must agree.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Memory, memoryOver } from '../../src/base/memory.ts';
import { FrameCutter } from '../../src/perf/frame-cutter.ts';
import { responseReader } from '../../src/wire/compiler.ts';
import { readResponseHeader } from '../../src/wire/headers.ts';
import { Reader } from '../../src/wire/reader.ts';
import type { Api, RequestInput, ResponseOf } from '../../src/wire/schema.ts';
import { requestFrame } from './frames.ts';

export interface Answer<T> {
  readonly body: T;
  /** The whole frame behind its size: where record bytes of the body lie. */
  readonly memory: Memory;
}

interface Waiting {
  readonly take: (memory: Memory) => void;
  readonly fail: (problem: Error) => void;
}

export class RawClient {
  readonly socket: Socket;
  /** Resolves when the connection is over, whoever ended it. */
  readonly ended: Promise<void>;
  readonly clientId: string;
  #correlation = 1;
  readonly #waiting: Waiting[] = [];
  readonly #cutter = new FrameCutter();
  #over = false;

  private constructor(socket: Socket, clientId: string) {
    this.socket = socket;
    this.clientId = clientId;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#cutter.take(chunk, (frame) => this.#give(memoryOver(new Uint8Array(frame)))));
    // A reset shows as a close; what waits is told below.
    socket.on('error', () => {});
    this.ended = new Promise((done) => {
      socket.on('close', () => {
        this.#over = true;
        for (const { fail } of this.#waiting.splice(0)) fail(new Error('the broker closed the connection'));
        done();
      });
    });
  }

  static async connect(port: number, clientId = 'raw'): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket, clientId);
  }

  get isOpen(): boolean {
    return !this.#over;
  }

  /** The bytes of a request and the number its answer will carry. */
  frame<A extends Api>(api: A, version: number, request: RequestInput<A>): { bytes: Buffer; correlationId: number } {
    const correlationId = this.#correlation++;
    return { bytes: requestFrame(api, version, correlationId, this.clientId, request), correlationId };
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Registers for the next answer in line, of a request that is sent by other means. */
  expect<A extends Api>(api: A, version: number, correlationId: number): Promise<Answer<ResponseOf<A>>> {
    if (this.#over) return Promise.reject(new Error('the connection is closed'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        take: (memory) => {
          const reader = new Reader();
          reader.reset(memory, 0, memory.bytes.length);
          const got = readResponseHeader(reader, api, version);
          if (got !== correlationId) throw new Error(`answer ${got} where ${correlationId} is due`);
          const body = responseReader(api, version)(reader);
          reader.expectEnd(api.name);
          resolve({ body, memory });
        },
        fail: reject,
      });
    });
  }

  ask<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<Answer<ResponseOf<A>>> {
    const { bytes, correlationId } = this.frame(api, version, request);
    const answer = this.expect(api, version, correlationId);
    this.write(bytes);
    return answer;
  }

  async call<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
    return (await this.ask(api, version, request)).body;
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.ended;
  }

  #give(memory: Memory): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.socket.destroy(new Error('an answer that nobody asked for'));
      return;
    }
    try {
      waiting.take(memory);
    } catch (problem) {
      waiting.fail(problem as Error);
    }
  }
}
