/** The requests about settings, in few words. */
import { AlterConfigs } from '../../src/wire/messages/alter-configs.ts';
import { DescribeConfigs } from '../../src/wire/messages/describe-configs.ts';
import { IncrementalAlterConfigs } from '../../src/wire/messages/incremental-alter-configs.ts';
import type { ResponseOf } from '../../src/wire/schema.ts';
import type { RawClient } from './client.ts';

export const TOPIC = 2;
export const BROKER = 4;
export const GROUP = 32;
export const ALL_BROKERS = '';
export const SOURCE = { topic: 1, broker: 2, allBrokers: 3, start: 4, default: 5 } as const;
export const SET = 0;
export const DELETE = 1;
export const APPEND = 2;
export const SUBTRACT = 3;

export type DescribedResource = ResponseOf<typeof DescribeConfigs>['results'][number];
export type Described = DescribedResource['configs'][number];
export type Outcome = readonly [errorCode: number, errorMessage: string | null];
export type Operation = readonly [name: string, operation: number, value?: string];

export async function describeResource(
  client: RawClient,
  resourceType: number,
  resourceName: string,
  options: { keys?: readonly string[] | null; version?: number; synonyms?: boolean; docs?: boolean } = {},
): Promise<DescribedResource> {
  const { keys = null, version = 4, synonyms = true, docs = version >= 3 } = options;
  const body = await client.call(DescribeConfigs, version, {
    resources: [{ resourceType, resourceName, configurationKeys: keys === null ? null : [...keys] }],
    includeSynonyms: synonyms,
    includeDocumentation: docs,
  });
  return body.results[0] as DescribedResource;
}

/** By name. */
export async function describedOf(client: RawClient, type: number, name: string): Promise<Map<string, Described>> {
  const { errorCode, errorMessage, configs } = await describeResource(client, type, name);
  if (errorCode !== 0) throw new Error(`describe ${type} '${name}': ${errorCode} ${errorMessage}`);
  return new Map(configs.map((config) => [config.name, config]));
}

/** The value, and where it and everything weaker come from: `retention.ms=5@1`. */
export async function settingOf(
  client: RawClient,
  type: number,
  name: string,
  key: string,
): Promise<{ value: string | null; from: string[] }> {
  const config = (await describedOf(client, type, name)).get(key) as Described;
  return { value: config.value, from: config.synonyms.map((one) => `${one.name}=${one.value}@${one.source}`) };
}

export async function change(
  client: RawClient,
  resourceType: number,
  resourceName: string,
  operations: readonly Operation[],
  options: { validateOnly?: boolean; version?: number } = {},
): Promise<Outcome> {
  const { validateOnly = false, version = 1 } = options;
  const configs = operations.map(([name, configOperation, value = null]) => ({ name, configOperation, value }));
  const resources = [{ resourceType, resourceName, configs }];
  const { responses } = await client.call(IncrementalAlterConfigs, version, { resources, validateOnly });
  const [outcome] = responses;
  return [outcome?.errorCode as number, outcome?.errorMessage ?? null];
}

/** The older way: all settings of the resource at once. */
export async function replaceAll(
  client: RawClient,
  resourceType: number,
  resourceName: string,
  settings: Readonly<Record<string, string | null>>,
  options: { validateOnly?: boolean; version?: number } = {},
): Promise<Outcome> {
  const { validateOnly = false, version = 2 } = options;
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
  const resources = [{ resourceType, resourceName, configs }];
  const { responses } = await client.call(AlterConfigs, version, { resources, validateOnly });
  const [outcome] = responses;
  return [outcome?.errorCode as number, outcome?.errorMessage ?? null];
}

export const DONE: Outcome = [0, null];
