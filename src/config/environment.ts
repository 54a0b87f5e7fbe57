/**
 * Settings from environment variables: `KAFKA_` and the name in capitals, where `_` stands for a dot, `__` for an
 * underscore and `___` for a hyphen. Kafka's container images read them so.
 */
const PREFIX = 'KAFKA_';
/** Variables of Kafka's start scripts, which speak to the JVM and not to the broker. */
const NOT_SETTINGS =
  /^KAFKA_(HEAP_OPTS|OPTS|JVM_PERFORMANCE_OPTS|JMX_OPTS|JMX_PORT|LOG4J.*|GC_LOG_OPTS|DEBUG|HOME|VERSION|.*_CLASSPATH)$/;
const STANDS_FOR: Record<string, string> = { _: '.', __: '_', ___: '-' };

export interface EnvironmentSetting {
  readonly variable: string;
  readonly name: string;
  readonly value: string;
}

export function settingsFromEnvironment(variables: Readonly<Record<string, string | undefined>>): EnvironmentSetting[] {
  const found: EnvironmentSetting[] = [];
  for (const variable of Object.keys(variables).sort()) {
    const value = variables[variable];
    if (value === undefined || !variable.startsWith(PREFIX) || NOT_SETTINGS.test(variable)) continue;
    const name = variable
      .slice(PREFIX.length)
      .toLowerCase()
      .replace(/_{1,3}/g, (run) => STANDS_FOR[run] as string);
    found.push({ variable, name, value });
  }
  return found;
}
