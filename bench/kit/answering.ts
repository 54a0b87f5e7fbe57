/**
 * Parts of a file as answers on several connections at once, as a reactor sends them: whichever socket has room gets the next
 * piece of its answer. Each connection has memory of its own for what it copies; all go through the file in turn.
 */
import { EVENT_BYTES, EVENT_TOKEN, EVENT_WRITE } from '../../src/runtime/ground/layout.ts';
import { EAGAIN, type Native } from '../../src/runtime/ground/native.ts';
import type { Round } from './rounds.ts';

const EVENTS_MAX = 64;
/** What is to become of a descriptor in the poll set. */
const ADD = 1;
const MODIFY = 2;

export type Means = 'copy' | 'sendFile';

interface Line {
  readonly socket: number;
  readonly memory: number;
  /** Of the answer under way, its head included. */
  sent: number;
  /** Where its part of the file begins; negative while there is no answer. */
  position: number;
  isFull: boolean;
}

export class Answering {
  readonly #native: Native;
  readonly #file: number;
  readonly #fileBytes: number;
  readonly #headBytes: number;
  readonly #poll: number;
  readonly #events = new Int32Array(new SharedArrayBuffer(EVENTS_MAX * EVENT_BYTES));
  readonly #eventsMemory: number;
  readonly #lines: readonly Line[];
  #position = 0;
  #reads = 0;
  #sends = 0;
  #sendFiles = 0;
  #waits = 0;

  /** Answers have at most `sizeMax` bytes behind their head. */
  constructor(
    native: Native,
    file: number,
    fileBytes: number,
    sockets: readonly number[],
    headBytes: number,
    sizeMax: number,
  ) {
    this.#native = native;
    this.#file = file;
    this.#fileBytes = fileBytes;
    this.#headBytes = headBytes;
    this.#poll = this.#checked(native.pollCreate());
    this.#eventsMemory = native.register(new Uint8Array(this.#events.buffer));
    this.#lines = sockets.map((socket, token) => {
      const bytes = new Uint8Array(new SharedArrayBuffer(headBytes + sizeMax));
      this.#checked(native.pollControl(this.#poll, ADD, socket, 0, token));
      return { socket, memory: native.register(bytes), sent: 0, position: -1, isFull: false };
    });
  }

  /** CPU of this thread per 1e9 bytes, switches of this process, which does nothing else, and calls per answer. */
  round(means: Means, size: number, bytes = this.#fileBytes): Round {
    const answers = Math.max(this.#lines.length, Math.floor(bytes / size));
    if (bytes < this.#fileBytes) this.#position = 0;
    this.#reads = this.#sends = this.#sendFiles = this.#waits = 0;
    const usage = process.resourceUsage();
    const startMs = performance.now();
    const cpu = this.#native.threadCpuSeconds();
    let toStart = answers;
    for (let left = answers; left > 0; ) {
      let moved = false;
      for (let token = 0; token < this.#lines.length; token++) {
        const line = this.#lines[token] as Line;
        if (line.isFull) continue;
        if (line.position < 0) {
          if (toStart === 0) continue;
          toStart -= 1;
          this.#begin(line, means, size);
        }
        moved = true;
        if (this.#isSent(line, means, size)) left -= 1;
        else this.#watch(line, token, true);
      }
      if (!moved && left > 0) this.#wait();
    }
    const gigabytes = (answers * size) / 1e9;
    const cpuSeconds = this.#native.threadCpuSeconds() - cpu;
    const after = process.resourceUsage();
    return {
      cpu: cpuSeconds / gigabytes,
      rate: (gigabytes * 1e6) / (performance.now() - startMs),
      voluntary: (after.voluntaryContextSwitches - usage.voluntaryContextSwitches) / gigabytes,
      involuntary: (after.involuntaryContextSwitches - usage.involuntaryContextSwitches) / gigabytes,
      reads: this.#reads / answers,
      sends: this.#sends / answers,
      sendFiles: this.#sendFiles / answers,
      waits: this.#waits / answers,
    };
  }

  #begin(line: Line, means: Means, size: number): void {
    if (this.#position + size > this.#fileBytes) this.#position = 0;
    line.position = this.#position;
    line.sent = 0;
    this.#position += size;
    if (means === 'sendFile') return;
    this.#reads += 1;
    const got = this.#checked(this.#native.read(this.#file, line.memory, this.#headBytes, size, line.position));
    if (got !== size) throw new Error(`read ${got} of ${size} bytes`);
  }

  /** False when the socket is full before the answer's end. */
  #isSent(line: Line, means: Means, size: number): boolean {
    const total = this.#headBytes + size;
    while (line.sent < total) {
      const inMemory = means === 'copy' ? total : this.#headBytes;
      const moved = line.sent < inMemory ? this.#send(line, inMemory) : this.#sendFile(line, total);
      if (moved === EAGAIN) return false;
      line.sent += this.#checked(moved);
    }
    line.position = -1;
    return true;
  }

  #send({ socket, memory, sent }: Line, end: number): number {
    this.#sends += 1;
    return this.#native.send(socket, memory, sent, end - sent);
  }

  #sendFile({ socket, position, sent }: Line, end: number): number {
    this.#sendFiles += 1;
    return this.#native.sendFile(socket, this.#file, position + sent - this.#headBytes, end - sent);
  }

  #watch(line: Line, token: number, isFull: boolean): void {
    line.isFull = isFull;
    this.#checked(this.#native.pollControl(this.#poll, MODIFY, line.socket, isFull ? EVENT_WRITE : 0, token));
  }

  #wait(): void {
    this.#waits += 1;
    const ready = this.#checked(this.#native.pollWait(this.#poll, this.#eventsMemory, 0, EVENTS_MAX, -1));
    for (let i = 0; i < ready; i++) {
      const token = this.#events[(i * EVENT_BYTES + EVENT_TOKEN) / 4] as number;
      this.#watch(this.#lines[token] as Line, token, false);
    }
  }

  #checked(result: number): number {
    if (result < 0) throw new Error(this.#native.errorName(result));
    return result;
  }

  close(): void {
    for (const { socket, memory } of this.#lines) {
      this.#native.close(socket);
      this.#native.unregister(memory);
    }
    this.#native.close(this.#poll);
    this.#native.unregister(this.#eventsMemory);
  }
}
