/** A program for tests: lives the life of a broker that, as its argument says, never closes or soon breaks. */
import { live } from '../../src/cli/broker-life.ts';
import { pinoLogger } from '../../src/cli/pino-logger.ts';

const [, , kind] = process.argv;
const idle = setInterval(() => {}, 60_000);

const broker = {
  host: '127.0.0.1',
  port: 9,
  transport: 'portable' as const,
  transportProblem: 'it is a fake',
  layout: 'none',
  directory: 'nowhere',
  warnings: ['this means nothing.'],
  failed: kind === 'breaks' ? Promise.resolve(new Error('a thread has died')) : new Promise<Error>(() => {}),
  close: () => (kind === 'stuck' ? new Promise<void>(() => {}) : Promise.resolve()),
};

const code = await live(async () => broker, '0.0.0', pinoLogger('info'));
clearInterval(idle);
process.exitCode = code;
