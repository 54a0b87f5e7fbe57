/** What the controller must know of group settings, from the tables of the config room. */
import type { ConfigRules } from '../cluster/decision.ts';
import { groupProblem } from '../config/group-settings.ts';
import { GROUP_FALLBACKS, groupSetting } from '../config/group-table.ts';
import type { LiveSettings } from '../config/live-settings.ts';
import { camelCase } from '../config/setting.ts';

export function groupRules(live: LiveSettings): ConfigRules {
  return {
    problem: (configs) => groupProblem(configs, live.settings),
    isList: (name) => groupSetting(name)?.type === 'list',
    defaultValue: (name) => {
      const setting = groupSetting(name);
      if (setting === undefined) return null;
      return String(live.settings[camelCase(GROUP_FALLBACKS[setting.name].fallback)]);
    },
  };
}
