/**
 * A broker's settings as they hold now: what it was started with, and over that what was changed while brokers ran, for all
 * of them and for this one alone. Owns these layers; `settings` is always what they come to.
 */
import { BROKER_SETTINGS, type Settings } from './broker-table.ts';
import { camelCase, formatValue, parseValue, type Setting, SettingError } from './setting.ts';
import { brokerSetting, type ParsedSettings, unknownSetting } from './settings.ts';

/** Kafka's numbers for where a value comes from. */
export const SOURCE = { topic: 1, broker: 2, allBrokers: 3, start: 4, default: 5, group: 8 } as const;

/** Settings that were changed while brokers ran: texts by name. */
export type Overrides = ReadonlyMap<string, string>;

export interface Layer {
  readonly source: number;
  readonly values: Overrides;
}

const NONE: Overrides = new Map();

const DEFAULTS: Layer = {
  source: SOURCE.default,
  values: textsOf(BROKER_SETTINGS, (setting) => setting.default),
};

export class LiveSettings {
  readonly #given: Settings;
  readonly #start: Layer;
  #allBrokers: Overrides = NONE;
  #broker: Overrides = NONE;
  #settings: Settings;

  constructor({ settings, origins }: Pick<ParsedSettings, 'settings' | 'origins'>) {
    this.#given = settings;
    this.#settings = settings;
    const given = BROKER_SETTINGS.filter(({ name }) => origins.get(name) !== 'default');
    const values = settings as Readonly<Record<string, unknown>>;
    this.#start = { source: SOURCE.start, values: textsOf(given, ({ name }) => values[camelCase(name)]) };
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Changed for all brokers. */
  get allBrokers(): Overrides {
    return this.#allBrokers;
  }

  /** Changed for this broker; stronger than what was changed for all. */
  get broker(): Overrides {
    return this.#broker;
  }

  /** The strongest first. */
  get layers(): readonly Layer[] {
    return [
      { source: SOURCE.broker, values: this.#broker },
      { source: SOURCE.allBrokers, values: this.#allBrokers },
      this.#start,
      DEFAULTS,
    ];
  }

  /** Takes new overrides. What cannot be taken is left out, with a sentence for each. */
  update(allBrokers: Overrides, broker: Overrides): string[] {
    const problems: string[] = [];
    this.#allBrokers = usable(allBrokers, problems);
    this.#broker = usable(broker, problems);
    this.#settings = this.with(this.#allBrokers, this.#broker);
    return problems;
  }

  /** What the settings would come to with these overrides, which must be valid. */
  with(allBrokers: Overrides, broker: Overrides): Settings {
    const values: Record<string, unknown> = { ...this.#given };
    for (const overrides of [allBrokers, broker]) {
      for (const [name, text] of overrides) {
        const setting = brokerSetting(name) as Setting;
        values[camelCase(setting.name)] = parseValue(setting, text);
      }
    }
    return values as Settings;
  }
}

/** Unknown settings that a refusal looks at. */
const NAMED_MAX = 10;

/** What keeps an override from being taken, in one sentence that names the settings it holds for; or null. */
export function overrideProblem(overrides: Overrides, forAllBrokers: boolean): string | null {
  const unknown: string[] = [];
  const fixed: string[] = [];
  const single: string[] = [];
  for (const name of overrides.keys()) {
    const setting = brokerSetting(name);
    if (setting === undefined) unknown.push(name);
    else if (setting.change === 'read-only') fixed.push(name);
    else if (setting.change === 'per-broker' && forAllBrokers) single.push(name);
  }
  if (fixed.length > 0) {
    return `Cannot update these configs dynamically: [${fixed.join(', ')}]. They are read when the broker starts.`;
  }
  if (single.length > 0) {
    return `These settings can only be changed for a single broker, by its id: [${single.join(', ')}].`;
  }
  if (unknown.length > 0) return unknown.slice(0, NAMED_MAX).map(unknownSetting).join(' ');
  for (const [name, text] of overrides) {
    const problem = valueProblem(brokerSetting(name) as Setting, text);
    if (problem !== null) return problem;
  }
  return null;
}

function valueProblem(setting: Setting, text: string): string | null {
  try {
    parseValue(setting, text);
    return null;
  } catch (problem) {
    if (!(problem instanceof SettingError)) throw problem;
    return problem.message;
  }
}

function usable(overrides: Overrides, problems: string[]): Overrides {
  const taken = new Map<string, string>();
  for (const [name, text] of overrides) {
    const problem = overrideProblem(new Map([[name, text]]), false);
    if (problem === null) taken.set(name, text);
    else problems.push(problem);
  }
  return taken;
}

function textsOf(settings: readonly Setting[], valueIn: (setting: Setting) => unknown): Overrides {
  const texts = new Map<string, string>();
  for (const setting of settings) {
    const text = formatValue(setting, valueIn(setting));
    if (text !== null) texts.set(setting.name, text);
  }
  return texts;
}
