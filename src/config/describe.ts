/**
 * Settings as DescribeConfigs and CreateTopics show them: the value in effect, where it comes from, and everything weaker
 * that is set for the same thing, in Kafka's order.
 */
import { BROKER_SETTINGS } from './broker-table.ts';
import { groupTimes } from './group-settings.ts';
import { GROUP_FALLBACKS, GROUP_SETTINGS } from './group-table.ts';
import { kafkaTopicType } from './kafka-names.ts';
import { type Layer, type LiveSettings, type Overrides, SOURCE } from './live-settings.ts';
import { camelCase, formatValue, type Setting, type SettingType } from './setting.ts';
import { brokerSetting } from './settings.ts';
import { topicConfig } from './topic-settings.ts';
import { FALLBACKS, TOPIC_SETTINGS, topicSetting } from './topic-table.ts';

export interface Synonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

export interface DescribedSetting {
  readonly name: string;
  /** Null when it is not set, or not to be shown. */
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly Synonym[];
  readonly configType: number;
  readonly documentation: string;
}

const TYPES: Record<SettingType, number> = {
  boolean: 1,
  string: 2,
  int: 3,
  'int or auto': 3,
  long: 5,
  double: 6,
  list: 7,
  password: 9,
};

/** Broker settings that say one thing in several units, each under all its names. */
const FAMILIES = new Map<string, readonly string[]>();
for (const fallbacks of Object.values(FALLBACKS)) {
  const names = fallbacks.map(({ name }) => name);
  if (names.length > 1) for (const name of names) FAMILIES.set(name, names);
}

/** All settings of this broker. `auto` has the values that stand behind `auto`, by name. */
export function describeBroker(live: LiveSettings, auto: ReadonlyMap<string, string>): DescribedSetting[] {
  const values = live.settings as Readonly<Record<string, unknown>>;
  return BROKER_SETTINGS.map((setting) => {
    const { name } = setting;
    const value = formatValue(setting, values[camelCase(name)]);
    const all = synonyms(live.layers, FAMILIES.get(name) ?? [name], isSensitive(setting));
    // What is stronger under another name does not set this one.
    const first = all.findIndex((synonym) => synonym.name === name);
    return described(
      setting,
      value === 'auto' ? (auto.get(name) ?? value) : value,
      first < 0 ? [] : all.slice(first),
      setting.change === 'read-only',
    );
  });
}

/** What was changed for all brokers, and nothing else. */
export function describeAllBrokers(live: LiveSettings): DescribedSetting[] {
  return Array.from(live.allBrokers, ([name, value]) => {
    const setting = brokerSetting(name) as Setting;
    const own = { name, value: isSensitive(setting) ? null : value, source: SOURCE.allBrokers };
    return described(setting, value, [own], false);
  });
}

/** All settings of a topic with these of its own. */
export function describeTopic(overrides: Overrides, live: LiveSettings): DescribedSetting[] {
  const values = topicConfig(overrides, live.settings).settings as Readonly<Record<string, unknown>>;
  const settings = TOPIC_SETTINGS.map((setting) => {
    const { name } = setting;
    const names = FALLBACKS[name].map((fallback) => fallback.name);
    const below = synonyms(live.layers, names, false);
    const own = overrides.get(name);
    const all = own === undefined ? below : [{ name, value: own, source: SOURCE.topic }, ...below];
    return described(setting, formatValue(setting, values[camelCase(name)]), all, false);
  });
  const foreign = Array.from(overrides).filter(([name]) => topicSetting(name) === undefined);
  return [...settings, ...foreign.map(([name, value]) => describeForeign(name, value))];
}

/** All settings of a group with these of its own. */
export function describeGroupSettings(overrides: Overrides, live: LiveSettings): DescribedSetting[] {
  const values = groupTimes(overrides, live.settings);
  return GROUP_SETTINGS.map((setting) => {
    const { name } = setting;
    const below = synonyms(live.layers, [GROUP_FALLBACKS[name].fallback], false);
    const own = overrides.get(name);
    const all = own === undefined ? below : [{ name, value: own, source: SOURCE.group }, ...below];
    return described(setting, formatValue(setting, values[camelCase(name)]), all, false);
  });
}

/** A setting of Kafka that a topic keeps and that does nothing. */
function describeForeign(name: string, value: string): DescribedSetting {
  const type = kafkaTopicType(name);
  return {
    name,
    value,
    readOnly: false,
    configSource: SOURCE.topic,
    isSensitive: false,
    synonyms: [{ name, value, source: SOURCE.topic }],
    configType: type === undefined ? 0 : TYPES[type],
    documentation: 'A setting of Kafka that has no effect here.',
  };
}

function described(
  setting: Setting,
  value: string | null,
  all: readonly Synonym[],
  readOnly: boolean,
): DescribedSetting {
  return {
    name: setting.name,
    value: isSensitive(setting) ? null : value,
    readOnly,
    configSource: all[0]?.source ?? SOURCE.default,
    isSensitive: isSensitive(setting),
    synonyms: all,
    configType: TYPES[setting.type],
    documentation: setting.doc,
  };
}

function synonyms(layers: readonly Layer[], names: readonly string[], sensitive: boolean): Synonym[] {
  return layers.flatMap(({ source, values }) =>
    names.flatMap((name) => {
      const value = values.get(name);
      return value === undefined ? [] : [{ name, value: sensitive ? null : value, source }];
    }),
  );
}

function isSensitive({ type }: Setting): boolean {
  return type === 'password';
}
