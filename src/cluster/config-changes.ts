/** IncrementalAlterConfigs and AlterConfigs, decided, for topics, brokers and groups: all operations on a resource or none. */
import { ERROR } from '../wire/errors.ts';
import type { Change } from './changes.ts';
import type { ConfigRules, Draft, Refusal, Surroundings } from './decision.ts';
import { isRefusal, refusal, repeated } from './decision.ts';
import type { Configs, MetadataImage } from './image.ts';
import { ALL_BROKERS, NO_CONFIGS } from './image.ts';
import type { StoreWrite } from './metadata-store.ts';
import { ANY_VERSION } from './metadata-store.ts';
import { ALL_BROKERS_NAME, brokerConfigsPath, groupConfigsPath, topicConfigsPath } from './paths.ts';
import type { AlteredConfigs, ConfigOperation, NamedResult, RequestOf, ResponseOf } from './requests.ts';
import { CONFIG_APPEND, CONFIG_DELETE, CONFIG_SET, CONFIG_SUBTRACT } from './requests.ts';
import { SettingsRoom } from './settings-room.ts';
import { encodeConfigs } from './stored.ts';

/** What a resource's settings are now, and how new ones become a write and a change. */
interface Resource {
  readonly configs: Configs;
  changed(configs: Configs): { readonly write: StoreWrite; readonly change: Change };
}

export function alterTopicConfigs(
  { image, topicRules }: Surroundings,
  request: RequestOf<'alterTopicConfigs'>,
): Draft<ResponseOf<'alterTopicConfigs'>> {
  return alter(request, topicRules, ERROR.INVALID_CONFIG, (name) => topicResource(image, name));
}

export function alterBrokerConfigs(
  { image, brokerRules }: Surroundings,
  request: RequestOf<'alterBrokerConfigs'>,
): Draft<ResponseOf<'alterBrokerConfigs'>> {
  // Kafka's own choice of code, for brokers.
  return alter(request, brokerRules, ERROR.INVALID_REQUEST, (name) => brokerResource(image, name));
}

export function alterGroupConfigs(
  { image, groupRules }: Surroundings,
  request: RequestOf<'alterGroupConfigs'>,
): Draft<ResponseOf<'alterGroupConfigs'>> {
  return alter(request, groupRules, ERROR.INVALID_CONFIG, (name) => groupResource(image, name));
}

function topicResource(image: MetadataImage, name: string): Resource | Refusal {
  const topic = image.topics.get(name);
  if (topic === undefined) return refusal(ERROR.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${name}'.`);
  return {
    configs: topic.configs,
    changed: (configs) => ({
      write: { kind: 'set', path: topicConfigsPath(name), data: encodeConfigs(configs), version: ANY_VERSION },
      change: { kind: 'topicConfigsChanged', topic: name, configs },
    }),
  };
}

function brokerResource(image: MetadataImage, name: string): Resource | Refusal {
  if (name !== '' && !/^\d{1,10}$/.test(name)) {
    return refusal(ERROR.INVALID_REQUEST, `'${name}' is no broker: it must be a number, or empty for all brokers.`);
  }
  const id = name === '' ? ALL_BROKERS : Number(name);
  if (id !== ALL_BROKERS && !image.brokers.has(id)) {
    return refusal(ERROR.BROKER_ID_NOT_REGISTERED, `Broker ${id} is not registered.`);
  }
  const there = image.brokerConfigs.get(id);
  const path = brokerConfigsPath(id === ALL_BROKERS ? ALL_BROKERS_NAME : String(id));
  return {
    configs: there ?? NO_CONFIGS,
    changed: (configs) => {
      const data = encodeConfigs(configs);
      const write: StoreWrite =
        there === undefined ? { kind: 'create', path, data } : { kind: 'set', path, data, version: ANY_VERSION };
      return { write, change: { kind: 'brokerConfigsChanged', id, configs } };
    },
  };
}

/** Settings may be there before the group, and stay behind it. */
function groupResource(image: MetadataImage, group: string): Resource | Refusal {
  if (group === '')
    return refusal(ERROR.INVALID_REQUEST, 'There are no settings of all groups: a group must be named.');
  const there = image.groupConfigs.get(group);
  const path = groupConfigsPath(group);
  return {
    configs: there ?? NO_CONFIGS,
    changed: (configs) => {
      const change: Change = { kind: 'groupConfigsChanged', group, configs };
      if (configs.size === 0) return { write: { kind: 'delete', path, version: ANY_VERSION }, change };
      const data = encodeConfigs(configs);
      if (there === undefined) return { write: { kind: 'create', path, data }, change };
      return { write: { kind: 'set', path, data, version: ANY_VERSION }, change };
    },
  };
}

function alter(
  { resources, validateOnly }: { resources: readonly AlteredConfigs[]; validateOnly: boolean },
  rules: ConfigRules,
  problemCode: number,
  find: (name: string) => Resource | Refusal,
): Draft<{ results: NamedResult[] }> {
  const twice = repeated(resources.map((resource) => resource.name));
  const answered = new Set<string>();
  const writes: StoreWrite[] = [];
  const changes: Change[] = [];
  const results: NamedResult[] = [];
  const room = new SettingsRoom();
  for (const wanted of resources) {
    const { name } = wanted;
    if (answered.has(name)) continue;
    answered.add(name);
    const resource = twice.has(name)
      ? refusal(ERROR.INVALID_REQUEST, 'The request names this resource more than once.')
      : find(name);
    const configs = isRefusal(resource) ? resource : operate(resource.configs, wanted, rules, problemCode);
    const problem = isRefusal(configs) ? configs : room.take(configs);
    if (isRefusal(resource) || isRefusal(configs) || problem !== null) {
      results.push({ name, ...(problem as Refusal) });
      continue;
    }
    results.push({ name, errorCode: ERROR.NONE, errorMessage: null });
    if (validateOnly || same(resource.configs, configs)) continue;
    const { write, change } = resource.changed(configs);
    writes.push(write);
    changes.push(change);
  }
  return { writes, changes, response: { results } };
}

function operate(
  was: Configs,
  { name: resource, operations, replace }: AlteredConfigs,
  rules: ConfigRules,
  problemCode: number,
): Configs | Refusal {
  const twice = repeated(operations.map((operation) => operation.name));
  for (const name of twice) {
    return refusal(ERROR.INVALID_REQUEST, `The setting '${name}' is given more than once.`);
  }
  const configs = new Map(replace ? NO_CONFIGS : was);
  for (const operation of operations) {
    const problem = operateOne(configs, operation, resource, rules);
    if (problem !== null) return problem;
  }
  const problem = rules.problem(configs, resource);
  return problem === null ? configs : refusal(problemCode, problem);
}

function operateOne(
  configs: Map<string, string>,
  operation: ConfigOperation,
  resource: string,
  rules: ConfigRules,
): Refusal | null {
  const { name, value } = operation;
  if (operation.operation === CONFIG_DELETE) {
    configs.delete(name);
    return null;
  }
  if (value === null) return refusal(ERROR.INVALID_REQUEST, `The setting '${name}' has no value.`);
  switch (operation.operation) {
    case CONFIG_SET:
      configs.set(name, value);
      return null;
    case CONFIG_APPEND:
    case CONFIG_SUBTRACT: {
      if (!rules.isList(name)) {
        return refusal(
          ERROR.INVALID_CONFIG,
          `The setting '${name}' is no list: nothing can be appended or subtracted.`,
        );
      }
      const now = itemsOf(configs.get(name) ?? rules.defaultValue(name, resource) ?? '');
      const items = itemsOf(value);
      const next =
        operation.operation === CONFIG_APPEND
          ? [...new Set([...now, ...items])]
          : now.filter((item) => !items.includes(item));
      configs.set(name, next.join(','));
      return null;
    }
    default:
      return refusal(ERROR.INVALID_REQUEST, `Operation ${operation.operation} on '${name}' is unknown.`);
  }
}

function itemsOf(list: string): string[] {
  const items = list.split(',').map((item) => item.trim());
  return items.filter((item) => item !== '');
}

function same(a: Configs, b: Configs): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) if (b.get(name) !== value) return false;
  return true;
}
