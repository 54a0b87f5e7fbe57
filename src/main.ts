#!/usr/bin/env node
/** The command line: `odradek start …`, `odradek perf …`. It reads the words, starts what they ask for and turns its end into an exit code. */
import { readFileSync } from 'node:fs';
import { complain, EXIT_USAGE, live } from './cli/broker-life.ts';
import { type Command, parseCommand, USAGE } from './cli/command.ts';
import { UsageError } from './cli/words.ts';

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

/** Each command loads what it needs. */
async function run(command: Command): Promise<number> {
  if (command.kind === 'help') return say(USAGE);
  if (command.kind === 'version') return say(`odradek ${version()}\n`);
  if (command.kind === 'perf') return (await import('./perf/run.ts')).perf(command.words);
  const { pinoLogger } = await import('./cli/pino-logger.ts');
  const { startOptions } = await import('./cli/start-options.ts');
  const { startBroker } = await import('./broker.ts');
  const logger = pinoLogger(command.quiet ? 'warn' : 'info');
  return live(async () => startBroker({ ...startOptions(command, process.env), logger }), version(), logger);
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

async function main(): Promise<number> {
  try {
    return await run(parseCommand(process.argv.slice(2)));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`${error.message} odradek --help shows what there is.`);
    return EXIT_USAGE;
  }
}

// Explicitly: whatever a broken thread left behind must not keep the process.
process.exit(await main());
