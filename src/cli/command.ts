/** What the words of the command line ask for. Words that make no sense throw a UsageError; nothing is read or started here. */
import { parseWords, UsageError } from './words.ts';

export interface StartCommand {
  readonly kind: 'start';
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly data: string | undefined;
  readonly config: string | undefined;
  /** In the order they were given. */
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly quiet: boolean;
  readonly profile: string | undefined;
}

/** Its words are read by the load tool itself. */
export interface PerfCommand {
  readonly kind: 'perf';
  readonly words: readonly string[];
}

export type Command = { readonly kind: 'help' } | { readonly kind: 'version' } | StartCommand | PerfCommand;

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
  quiet: { type: 'boolean' },
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

const PORT_MAX = 65_535;

export const USAGE = `odradek: a Kafka-compatible broker

  odradek [start] [options]     starts a broker
  odradek perf MODE [options]   puts load on any broker: odradek perf --help

  --port PORT        the port to listen on; 0 takes a free one (default 9092)
  --host HOST        the address to listen on (default 127.0.0.1)
  --data DIR         where the data lies (default odradek-data in the current folder)
  --config FILE      a server.properties, with Kafka's names
  --set NAME=VALUE   a setting by its name; may be given many times
  --quiet            log warnings and errors only
  --profile DIR      write V8's CPU profile of every thread there when it ends
  --version          print the version
  --help             print this

Stronger settings win: options, then environment (KAFKA_NUM_PARTITIONS for num.partitions), then the file.
`;

export function parseCommand(words: readonly string[]): Command {
  if (words[0] === 'perf') return { kind: 'perf', words: words.slice(1) };
  const { values, positionals } = parseWords(words, OPTIONS);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  const [command = 'start', ...more] = positionals;
  if (command !== 'start') throw new UsageError(`There is no command ${command}: there are start and perf.`);
  if (more.length > 0) throw new UsageError(`start takes options only, and ${more.join(' ')} is none.`);
  for (const name of ['host', 'data', 'config', 'profile'] as const) {
    if (values[name] === '') throw new UsageError(`--${name} needs a value.`);
  }
  return {
    kind: 'start',
    host: values.host,
    port: values.port === undefined ? undefined : parsePort(values.port),
    data: values.data,
    config: values.config,
    set: (values.set ?? []).map(parsePair),
    quiet: values.quiet ?? false,
    profile: values.profile,
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > PORT_MAX) {
    throw new UsageError(`--port ${text} is not a port: it must be a whole number from 0 to ${PORT_MAX}.`);
  }
  return port;
}

function parsePair(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`--set ${text} is not NAME=VALUE.`);
  return [text.slice(0, equals).trim(), text.slice(equals + 1)];
}
