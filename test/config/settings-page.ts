/** The documentation page of the settings, made from the tables. */
import { BROKER_SETTINGS } from '../../src/config/broker-table.ts';
import { GROUP_FALLBACKS, GROUP_SETTINGS } from '../../src/config/group-table.ts';
import { allowed, formatValue, type Setting } from '../../src/config/setting.ts';
import { FALLBACKS, TOPIC_SETTINGS } from '../../src/config/topic-table.ts';

export function settingsPage(): string {
  const broker = BROKER_SETTINGS.map((setting: Setting) => row(setting, [setting.change]));
  const topic = TOPIC_SETTINGS.map((setting) =>
    row(setting, [FALLBACKS[setting.name].map(({ name }) => `\`${name}\``).join(', ')]),
  );
  const group = GROUP_SETTINGS.map((setting) => {
    const { fallback, min, max } = GROUP_FALLBACKS[setting.name];
    return row(setting, [`\`${fallback}\``], `from \`${min}\` to \`${max}\``);
  });
  return [
    '# Settings',
    '',
    'This page is made from the tables in `src/config/`. Names, units and defaults are those of Kafka 4.3; *(ours)* marks',
    'what Kafka does not have. A setting comes, the strongest first, from a flag (`--set NAME=VALUE`), the environment',
    '(`KAFKA_` and the name in capitals, `_` for a dot, `__` for an underscore, `___` for a hyphen), the file given with',
    '`--config`, or the default. A name that nobody knows, or that Kafka knows and Odradek does nothing with, is reported',
    'when the broker starts.',
    '',
    '## Broker',
    '',
    '| setting | default | allowed | changes | what it does |',
    '|---|---|---|---|---|',
    ...broker,
    '',
    '## Topic',
    '',
    'Where a topic says nothing, the first of the broker settings in the fourth column that is set counts.',
    '',
    '| setting | default | allowed | else | what it does |',
    '|---|---|---|---|---|',
    ...topic,
    '',
    '## Group',
    '',
    'Set by request for one group. Where a group says nothing, the broker setting in the fourth column counts.',
    '',
    '| setting | default | allowed | else | what it does |',
    '|---|---|---|---|---|',
    ...group,
    '',
  ].join('\n');
}

function row(setting: Setting, columns: readonly string[], range = allowed(setting)): string {
  const name = [setting.name, ...setting.aliases].map((each) => `\`${each}\``).join(', ');
  const fallback = formatValue(setting, setting.default);
  const cells = [
    `${name}${setting.ours ? ' *(ours)*' : ''}`,
    fallback ? `\`${fallback}\`` : '-',
    range,
    ...columns,
    setting.doc,
  ];
  return `| ${cells.join(' | ')} |`;
}
