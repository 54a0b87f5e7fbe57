/** Every API there is a table for, by key; what is not here is unknown to the broker. */
import type { Api } from '../schema.ts';
import { ApiVersions } from './api-versions.ts';
import { CreateTopics } from './create-topics.ts';
import { Fetch } from './fetch.ts';
import { InitProducerId } from './init-producer-id.ts';
import { ListOffsets } from './list-offsets.ts';
import { Metadata } from './metadata.ts';
import { Produce } from './produce.ts';

export const ALL_APIS: readonly Api[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  ApiVersions,
  CreateTopics,
  InitProducerId,
];

const BY_KEY: (Api | undefined)[] = [];
for (const api of ALL_APIS) BY_KEY[api.key] = api;

export function apiByKey(key: number): Api | null {
  return BY_KEY[key] ?? null;
}
