/** What a group's settings come to: its own where it has them, within the broker's bounds, else the broker's. */
import type { Settings } from './broker-table.ts';
import { GROUP_FALLBACKS, GROUP_SETTINGS, type GroupSettingValues, groupSetting } from './group-table.ts';
import { type CamelCase, camelCase, parseValue, type Setting, SettingError } from './setting.ts';

type Behind = (typeof GROUP_FALLBACKS)[keyof typeof GROUP_FALLBACKS];
export type GroupBounds = Pick<Settings, CamelCase<Behind['fallback' | 'min' | 'max']>>;

export type GroupOverrides = ReadonlyMap<string, string>;

/** The bounds may have changed since a value was taken: it counts as far as they let it. */
export function groupTimes(overrides: GroupOverrides, broker: GroupBounds): GroupSettingValues {
  const values = GROUP_SETTINGS.map(({ name }) => {
    const { fallback, min, max } = GROUP_FALLBACKS[name];
    const own = overrides.get(name);
    const value = own === undefined ? broker[camelCase(fallback)] : Number(own);
    return [camelCase(name), Math.min(Math.max(value, broker[camelCase(min)]), broker[camelCase(max)])];
  });
  return Object.fromEntries(values) as GroupSettingValues;
}

/** What is wrong with these overrides, in one sentence, or null. */
export function groupProblem(overrides: GroupOverrides, broker: GroupBounds): string | null {
  for (const [name, text] of overrides) {
    const setting = groupSetting(name);
    if (setting === undefined) return `There is no group setting '${name}'.`;
    const value = parsed(setting, text);
    if (typeof value === 'string') return value;
    const { min, max } = GROUP_FALLBACKS[setting.name];
    const least = broker[camelCase(min)];
    const most = broker[camelCase(max)];
    if (value < least || value > most) return `${name}=${text} must be from ${min}=${least} to ${max}=${most}.`;
  }
  return null;
}

function parsed(setting: Setting, text: string): number | string {
  try {
    return parseValue(setting, text) as number;
  } catch (problem) {
    if (!(problem instanceof SettingError)) throw problem;
    return problem.message;
  }
}
