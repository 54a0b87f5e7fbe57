/** What the controller must know of topic settings, from the tables of the config room. */
import type { ConfigRules } from '../cluster/decision.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import { camelCase, formatValue, type Setting } from '../config/setting.ts';
import { topicConfig } from '../config/topic-settings.ts';
import { topicSetting } from '../config/topic-table.ts';

export function topicRules(live: LiveSettings): ConfigRules {
  return {
    problem: (configs) => {
      const { errors } = topicConfig(configs, live.settings);
      return errors.length === 0 ? null : errors.join(' ');
    },
    isList: (name) => topicSetting(name)?.type === 'list',
    defaultValue: (name) => {
      const values = topicConfig([], live.settings).settings as Readonly<Record<string, unknown>>;
      return formatValue(topicSetting(name) as Setting, values[camelCase(name)]);
    },
  };
}
