/** From a start command, the environment and the file to what the broker is started with. Flags win, then environment, then file. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PropertiesError, parseProperties } from '../base/properties.ts';
import { StartError } from '../base/start-error.ts';
import { settingsFromEnvironment } from '../config/environment.ts';
import { type SettingEntry, strongest } from '../config/settings.ts';
import type { StartCommand } from './command.ts';
import { UsageError } from './words.ts';

export interface StartOptions {
  readonly host?: string;
  readonly port?: number;
  readonly directory?: string;
  readonly profile?: string;
  /** One for each name that somebody has said something about, with where it was said. */
  readonly entries: readonly SettingEntry[];
}

const HOST = '127.0.0.1';
const PORT = 9092;
const DIRECTORY = 'odradek-data';

/** What an option says as well, so that the two must not meet on the command line and the option beats weaker origins. */
const LISTENER_NAMES = ['listeners'];
const DIRECTORY_NAMES = ['log.dirs', 'log.dir'];

export function startOptions(command: StartCommand, environment: NodeJS.ProcessEnv): StartOptions {
  const flags: SettingEntry[] = command.set.map(([name, value]) => ({ name, value, origin: 'flag' }));
  const addressed = command.host !== undefined || command.port !== undefined;
  if (addressed) refuseBoth(flags, LISTENER_NAMES, command.port === undefined ? '--host' : '--port');
  if (command.data !== undefined) refuseBoth(flags, DIRECTORY_NAMES, '--data');

  const entries = strongest([
    ...(command.config === undefined ? [] : readSettings(command.config)),
    ...settingsFromEnvironment(environment).map(
      ({ name, value }): SettingEntry => ({ name, value, origin: 'environment' }),
    ),
    ...flags,
  ]);
  const overruled = [...(addressed ? LISTENER_NAMES : []), ...(command.data === undefined ? [] : DIRECTORY_NAMES)];
  const kept = entries.filter(({ name }) => !overruled.includes(name));
  const said = (names: readonly string[]) => kept.some(({ name }) => names.includes(name));
  return {
    ...(said(LISTENER_NAMES) ? {} : { host: command.host ?? HOST, port: command.port ?? PORT }),
    ...(said(DIRECTORY_NAMES) ? {} : { directory: path.resolve(command.data ?? DIRECTORY) }),
    ...(command.profile === undefined ? {} : { profile: path.resolve(command.profile) }),
    entries: kept,
  };
}

function refuseBoth(flags: readonly SettingEntry[], names: readonly string[], option: string): void {
  const rival = flags.find(({ name }) => names.includes(name));
  if (rival !== undefined)
    throw new UsageError(`${option} and --set ${rival.name} say the same thing: give one of them.`);
}

function readSettings(file: string): SettingEntry[] {
  try {
    return parseProperties(readFileSync(file, 'utf8')).map(({ key, value }) => ({ name: key, value, origin: 'file' }));
  } catch (error) {
    if (error instanceof PropertiesError) throw new StartError(`${file}, line ${error.line}: ${error.message}.`);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new StartError(`${file} cannot be read (${code}): give --config the path of a server.properties.`);
  }
}
