/** Settings of a broker that other settings keep within bounds, as Kafka does where groups may have times of their own. */
import type { Settings } from './broker-table.ts';
import { type CamelCase, camelCase } from './setting.ts';

const BOUNDED = ['session.timeout', 'heartbeat.interval'] as const;

/** One sentence for each that is out of bounds. */
export function boundsProblems(settings: Settings): string[] {
  const assignors = settings.groupConsumerAssignors.length > 0;
  const none = assignors ? [] : ['group.consumer.assignors is empty: it needs at least one, like uniform.'];
  return none.concat(
    BOUNDED.flatMap((what) => {
      const name = `group.consumer.${what}.ms` as const;
      const min = `group.consumer.min.${what}.ms` as const;
      const max = `group.consumer.max.${what}.ms` as const;
      const value = (of: typeof name | typeof min | typeof max) => settings[camelCase(of) as CamelCase<typeof of>];
      if (value(min) <= value(name) && value(name) <= value(max)) return [];
      return [`${name}=${value(name)} must be from ${min}=${value(min)} to ${max}=${value(max)}.`];
    }),
  );
}
