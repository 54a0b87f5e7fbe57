/**
 * A broker's life as a process: start, one line when it listens, stop at a signal, exit codes. A first signal stops it
 * cleanly, a second one at once. What a person can cure is one sentence; only our own faults show a stack. It outlives
 * whoever reads what it says.
 */
import type { Logger } from '../base/logger.ts';
import { StartError } from '../base/start-error.ts';
import { banner, listeningLine, type Running } from './banner.ts';

export interface LiveBroker extends Running {
  /** Sentences about settings that mean nothing here. */
  readonly warnings: readonly string[];
  /** Why the transport is not native, null when it is. */
  readonly transportProblem: string | null;
  /** Resolves when something the broker cannot live without has broken. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
}

export const EXIT_START = 1;
export const EXIT_USAGE = 64;
export const EXIT_BROKEN = 70;
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;
const EXIT_SIGNAL = 128;
const SAME_SIGNAL_MS = 250;
/** How long a broken broker may take to close what still works. */
const BROKEN_CLOSE_MS = 5000;

export async function live(start: () => Promise<LiveBroker>, version: string, logger: Logger): Promise<number> {
  goOnUnheard();
  const stopped = stopSignal();
  let broker: LiveBroker;
  try {
    broker = await start();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    complain(error.message);
    return EXIT_START;
  }
  for (const warning of broker.warnings) logger.warn('setting.ignored', { warning });
  if (broker.transportProblem !== null)
    logger.warn('transport.portable', { reason: broker.transportProblem, ...cure() });
  process.stdout.write(
    process.stdout.isTTY ? `${banner(broker, version)}\n${listeningLine(broker)}\n` : `${listeningLine(broker)}\n`,
  );
  const failure = await Promise.race([stopped, broker.failed]);
  if (failure instanceof Error) return broken(broker, failure, logger);
  logger.info('stopping', { signal: failure });
  try {
    await broker.close();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    logger.error('close failed', { error: why });
    complain(`the broker did not end in order, the next start checks its logs: ${why}`);
    return EXIT_BROKEN;
  }
  return 0;
}

/** Clients need the broker, not its log: a reader that has gone or a disk without room ends the saying, and there is no other place to say so. */
function goOnUnheard(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/** What to type for the native transport, where it exists and was not refused. */
function cure(): { cure?: string } {
  if (process.platform !== 'linux' || process.env.ODRADEK_TRANSPORT) return {};
  const build = import.meta.url.includes('/node_modules/') ? 'npm rebuild odradek' : 'npm run build';
  return { cure: `with a C++ compiler on the machine: ${build}` };
}

/**
 * Resolves with the first signal; the second ends the process there and then. Ctrl+C under `npm start` reaches us twice,
 * from the terminal and from npm, so what follows at once counts as the same signal.
 */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let first = Number.NaN;
    for (const [signal, number] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        if (Number.isNaN(first)) first = performance.now();
        else if (performance.now() - first > SAME_SIGNAL_MS) process.exit(EXIT_SIGNAL + number);
        resolve(signal);
      });
    }
  });
}

async function broken(broker: LiveBroker, failure: Error, logger: Logger): Promise<number> {
  logger.error('broken', { error: failure.stack ?? failure.message });
  complain(`the broker has broken and stops: ${failure.message}`);
  const timer = setTimeout(() => process.exit(EXIT_BROKEN), BROKEN_CLOSE_MS);
  try {
    await broker.close();
  } catch (error) {
    logger.error('close failed', { error: error instanceof Error ? error.message : String(error) });
  }
  clearTimeout(timer);
  return EXIT_BROKEN;
}

export function complain(message: string): void {
  for (const line of message.split('\n')) process.stderr.write(`odradek: ${line}\n`);
}
