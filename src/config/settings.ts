/**
 * The settings of a broker, put together from what flags, environment and file say. The strongest origin wins; every
 * value remembers its origin; what is wrong is said in one sentence each, all at once.
 */
import { StartError } from '../base/start-error.ts';
import { boundsProblems } from './bounds.ts';
import { BROKER_SETTINGS, type Settings } from './broker-table.ts';
import { isKafkaBrokerName } from './kafka-names.ts';
import { type Listener, parseListeners } from './listeners.ts';
import { nearest } from './nearest.ts';
import { camelCase, parseValue, type Setting, SettingError, shown } from './setting.ts';

/** The strongest first. */
export const ORIGINS = ['flag', 'environment', 'file', 'default'] as const;
export type Origin = (typeof ORIGINS)[number];

export interface SettingEntry {
  readonly name: string;
  readonly value: string;
  readonly origin: Origin;
}

export interface ParsedSettings {
  readonly settings: Settings;
  readonly listeners: readonly Listener[];
  /** By Kafka's name, for every setting. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** One sentence each: names that mean nothing here. */
  readonly warnings: readonly string[];
}

const BY_NAME = new Map<string, Setting>();
for (const setting of BROKER_SETTINGS) {
  for (const name of [setting.name, ...setting.aliases]) BY_NAME.set(name, setting);
}

export function brokerSetting(name: string): Setting | undefined {
  return BY_NAME.get(name);
}

/** For each name the entry of the strongest origin; within one origin the last. */
export function strongest(entries: readonly SettingEntry[]): SettingEntry[] {
  const kept = new Map<string, SettingEntry>();
  for (const entry of entries) {
    const other = kept.get(entry.name);
    if (other === undefined || ORIGINS.indexOf(entry.origin) <= ORIGINS.indexOf(other.origin))
      kept.set(entry.name, entry);
  }
  return [...kept.values()];
}

/** Throws a StartError with a sentence for everything that is wrong. */
export function parseSettings(entries: readonly SettingEntry[]): ParsedSettings {
  const warnings: string[] = [];
  const errors: string[] = [];
  const values: Record<string, unknown> = {};
  const origins = new Map<string, Origin>();
  const given = new Map<string, SettingEntry>();
  for (const setting of BROKER_SETTINGS) {
    values[camelCase(setting.name)] = setting.default;
    origins.set(setting.name, 'default');
  }
  for (const entry of strongest(entries)) {
    const setting = BY_NAME.get(entry.name);
    if (setting === undefined) {
      warnings.push(meaningless(entry.name));
      continue;
    }
    const rival = given.get(setting.name);
    if (rival !== undefined && rival.value.trim() !== entry.value.trim()) {
      errors.push(
        `${rival.name}=${shown(setting, rival.value)} and ${entry.name}=${shown(setting, entry.value)} say the same thing differently: keep one of them.`,
      );
      continue;
    }
    given.set(setting.name, entry);
    collect(errors, () => {
      values[camelCase(setting.name)] = parseValue(setting, entry.value);
      origins.set(setting.name, entry.origin);
    });
  }
  const settings = values as Settings;
  const listeners = collect(errors, () => parseListeners(settings)) ?? [];
  errors.push(...boundsProblems(settings));
  if (errors.length > 0) throw new StartError(errors.join('\n'));
  return { settings, listeners, origins, warnings };
}

function collect<T>(errors: string[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    errors.push(error.message);
    return undefined;
  }
}

function meaningless(name: string): string {
  if (isKafkaBrokerName(name)) return `${name} is a setting of Kafka that has no effect here.`;
  const meant = nearest(name, BY_NAME.keys());
  return `${name} is not a setting${meant === null ? '' : `; did you mean ${meant}?`}${meant === null ? ', so it has no effect.' : ' It has no effect.'}`;
}

/** Why a name that no setting has cannot be changed. */
export function unknownSetting(name: string): string {
  if (isKafkaBrokerName(name)) return `${name} is a setting of Kafka that has no effect here, so it cannot be changed.`;
  const meant = nearest(name, BY_NAME.keys());
  return `${name} is not a broker setting${meant === null ? '.' : `; did you mean ${meant}?`}`;
}
