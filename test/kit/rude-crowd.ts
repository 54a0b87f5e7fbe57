/**
 * A crowd of bad clients in a process of its own, so that its memory is nobody else's: run with a port, it is told what to
 * open and says what has become of it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const CONNECTING_AT_ONCE = 250;
const DRIBBLE_MS = 500;
/** ApiVersions, version 0, without a client id. */
const SMALLEST = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

/** What one of them does once it is connected. */
export type Manner =
  | 'silent'
  | 'dribbles'
  | 'half-open'
  | 'reset'
  | 'never-reads'
  | 'pipelines'
  | 'announces'
  | 'tls'
  | 'http'
  | 'knocks';

interface Order {
  readonly manner: Manner;
  readonly count: number;
}

export interface Report {
  readonly manner: Manner;
  readonly connected: number;
  readonly refused: number;
  readonly closed: number;
}

function sized(bytes: number, rest: readonly number[]): Buffer {
  const start = Buffer.alloc(4);
  start.writeInt32BE(bytes);
  return Buffer.concat([start, Buffer.from(rest)]);
}

/** The start of a Produce request of that size. */
function announced(bytes: number): Buffer {
  return sized(bytes, [0, 0, 0, 9, 0, 0, 0, 1]);
}

const CLIENT_HELLO = Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3]);

const BEHAVIOUR: Record<Manner, (socket: Socket) => void> = {
  silent() {},
  dribbles(socket) {
    const bytes = announced(60_000);
    let at = 0;
    const timer = setInterval(() => socket.write(bytes.subarray(at, ++at)), DRIBBLE_MS);
    socket.on('close', () => clearInterval(timer));
  },
  'half-open': (socket) => socket.end(SMALLEST.subarray(0, 6)),
  reset(socket) {
    socket.write(announced(500_000), () => socket.resetAndDestroy());
  },
  'never-reads'(socket) {
    socket.pause();
    socket.write(Buffer.concat(Array(2_000).fill(SMALLEST)));
  },
  pipelines(socket) {
    socket.pause();
    socket.write(Buffer.concat(Array(10_000).fill(SMALLEST)));
  },
  announces: (socket) => socket.write(announced(100_000_000)),
  tls: (socket) => socket.write(CLIENT_HELLO),
  http: (socket) => socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n'),
  knocks: (socket) => socket.resetAndDestroy(),
};

/** The crowd as the one who starts it sees it. */
export class RudeCrowd {
  readonly #child: ChildProcess;
  readonly #reports = new Map<Manner, Report>();

  constructor(port: number) {
    const child = fork(fileURLToPath(import.meta.url), [String(port)]);
    this.#child = child;
    child.on('message', (report: Report) => this.#reports.set(report.manner, report));
  }

  report(manner: Manner): Report {
    return this.#reports.get(manner) ?? { manner, connected: 0, refused: 0, closed: 0 };
  }

  /** Resolves when each of them is connected, or was refused. */
  async open(manner: Manner, count: number): Promise<Report> {
    this.#child.send({ manner, count } satisfies Order);
    return this.#until(manner, ({ connected, refused }) => connected + refused >= count);
  }

  /** Resolves when all of them have been closed. */
  gone(manner: Manner): Promise<Report> {
    return this.#until(manner, ({ connected, closed }) => closed === connected);
  }

  /** All of them leave at once. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  async #until(manner: Manner, pleases: (report: Report) => boolean): Promise<Report> {
    while (!pleases(this.report(manner))) await once(this.#child, 'message');
    return this.report(manner);
  }
}

/** The child's side. */
class Mob {
  readonly #port: number;
  readonly #counts = new Map<Manner, { connected: number; refused: number; closed: number }>();
  readonly #changed = new Set<Manner>();

  constructor(port: number) {
    this.#port = port;
    setInterval(() => this.#say(), 50);
  }

  async open({ manner, count }: Order): Promise<void> {
    for (let left = count; left > 0; left -= CONNECTING_AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(left, CONNECTING_AT_ONCE) }, () => this.#one(manner)));
    }
  }

  #one(manner: Manner): Promise<void> {
    const counts = this.#counts.get(manner) ?? { connected: 0, refused: 0, closed: 0 };
    this.#counts.set(manner, counts);
    const socket = connect({ port: this.#port, host: '127.0.0.1' });
    socket.setNoDelay(true);
    return new Promise((done) => {
      let isConnected = false;
      // A reset shows as a close.
      socket.on('error', () => {});
      socket.on('connect', () => {
        isConnected = true;
        counts.connected += 1;
        this.#changed.add(manner);
        socket.resume();
        BEHAVIOUR[manner](socket);
        done();
      });
      socket.on('close', () => {
        if (isConnected) counts.closed += 1;
        else counts.refused += 1;
        this.#changed.add(manner);
        done();
      });
    });
  }

  #say(): void {
    for (const manner of this.#changed) process.send?.({ manner, ...this.#counts.get(manner) });
    this.#changed.clear();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mob = new Mob(Number(process.argv[2]));
  process.on('message', (order: Order) => void mob.open(order));
  process.on('disconnect', () => process.exit());
}
