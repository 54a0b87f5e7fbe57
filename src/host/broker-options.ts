/** What whoever starts a broker says, and what follows from it. */
import { resolve } from 'node:path';
import type { Logger } from '../base/logger.ts';
import type { Settings } from '../config/broker-table.ts';
import type { SettingEntry } from '../config/settings.ts';

export interface BrokerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Where the data lies; a temporary one that goes with `close()` when not given. */
  readonly directory?: string;
  /** Kafka's names and values. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The same with their origins, strongest last; for the command line. */
  readonly entries?: readonly SettingEntry[];
  readonly logger?: Logger;
  /** Cores to count on for `auto` thread numbers; the machine's when not given. */
  readonly cores?: number;
  /** A folder for V8's CPU profile of every thread, written when the broker closes. */
  readonly profile?: string;
}

/** All settings with their origins, strongest last. */
export function entriesOf(options: BrokerOptions): SettingEntry[] {
  const { host, port, settings = {}, entries = [] } = options;
  const given: SettingEntry[] = Object.entries(settings).map(([name, value]) => ({ name, value, origin: 'flag' }));
  const all = [...entries, ...given];
  const named = all.some(({ name }) => name === 'listeners');
  if (host !== undefined || port !== undefined || !named) {
    all.push({ name: 'listeners', value: `PLAINTEXT://${host ?? '127.0.0.1'}:${port ?? 0}`, origin: 'flag' });
  }
  return all;
}

/** Null when none is named. */
export function directoriesOf(options: BrokerOptions, settings: Settings): string[] | null {
  if (options.directory !== undefined) return [resolve(options.directory)];
  if (settings.logDirs !== null) return settings.logDirs.map((path) => resolve(path));
  return settings.logDir === null ? null : [resolve(settings.logDir)];
}
