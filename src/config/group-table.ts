/**
 * The settings of a group. Where a group says nothing the broker's setting of the same meaning counts; the broker also has the
 * least and the most that a group may say.
 */
import { int, type Setting, type ValuesOf } from './setting.ts';

export const GROUP_SETTINGS = [
  int('consumer.session.timeout.ms', 45_000, 'How long a member of the consumer protocol may be silent.', { min: 1 }),
  int('consumer.heartbeat.interval.ms', 5000, 'How often members of the consumer protocol are told to heartbeat.', {
    min: 1,
  }),
] as const;

export type GroupSettingValues = ValuesOf<typeof GROUP_SETTINGS>;
export type GroupSettingName = (typeof GROUP_SETTINGS)[number]['name'];

/** The broker's settings behind one of a group's. */
export const GROUP_FALLBACKS = {
  'consumer.session.timeout.ms': {
    fallback: 'group.consumer.session.timeout.ms',
    min: 'group.consumer.min.session.timeout.ms',
    max: 'group.consumer.max.session.timeout.ms',
  },
  'consumer.heartbeat.interval.ms': {
    fallback: 'group.consumer.heartbeat.interval.ms',
    min: 'group.consumer.min.heartbeat.interval.ms',
    max: 'group.consumer.max.heartbeat.interval.ms',
  },
} as const satisfies Record<GroupSettingName, unknown>;

const BY_NAME = new Map<string, (typeof GROUP_SETTINGS)[number]>(
  GROUP_SETTINGS.map((setting) => [setting.name, setting]),
);

export function groupSetting(name: string): ((typeof GROUP_SETTINGS)[number] & Setting) | undefined {
  return BY_NAME.get(name);
}
