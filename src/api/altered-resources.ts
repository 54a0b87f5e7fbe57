/**
 * What AlterConfigs and IncrementalAlterConfigs have in common: each resource stands for itself, one that is wrong or named
 * twice is refused and the others are done. The controller decides; the answer comes when everybody has the new settings.
 */
import { type Refusal, refusal, repeated } from '../cluster/decision.ts';
import type { AlteredConfigs } from '../cluster/requests.ts';
import { ERROR } from '../wire/errors.ts';
import { type ConfigResource, keyOf, RESOURCE, resourceProblem } from './config-resources.ts';
import type { ControllerDesk } from './controller-desk.ts';

export interface AlteredResource extends ConfigResource {
  readonly operations: AlteredConfigs['operations'];
}

export interface AlteredResult extends ConfigResource {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const CALLS = {
  [RESOURCE.topic]: 'alterTopicConfigs',
  [RESOURCE.broker]: 'alterBrokerConfigs',
  [RESOURCE.group]: 'alterGroupConfigs',
} as const;

interface Outcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export async function alterResources(
  resources: readonly AlteredResource[],
  options: { readonly replace: boolean; readonly validateOnly: boolean },
  desk: ControllerDesk,
): Promise<AlteredResult[]> {
  const twice = repeated(resources.map(keyOf));
  const outcomes = new Map<string, Outcome>();
  const wanted: AlteredResource[] = [];
  for (const resource of resources) {
    const problem = twice.has(keyOf(resource))
      ? refusal(ERROR.INVALID_REQUEST, 'The request names this resource more than once.')
      : problemOf(resource, desk.nodeId);
    if (problem === null) wanted.push(resource);
    else outcomes.set(keyOf(resource), problem);
  }
  for (const resourceType of [RESOURCE.topic, RESOURCE.broker, RESOURCE.group] as const) {
    const mine = wanted.filter((resource) => resource.resourceType === resourceType);
    if (mine.length === 0) continue;
    const request = {
      resources: mine.map(({ resourceName, operations }) => ({
        name: resourceName,
        operations,
        replace: options.replace,
      })),
      validateOnly: options.validateOnly,
    };
    const { results } = await desk.ask(CALLS[resourceType], request);
    for (const { name, errorCode, errorMessage } of results)
      outcomes.set(keyOf({ resourceType, resourceName: name }), { errorCode, errorMessage });
  }
  return resources.map(({ resourceType, resourceName }) => {
    const { errorCode, errorMessage } = outcomes.get(keyOf({ resourceType, resourceName })) as Outcome;
    return { errorCode, errorMessage, resourceType, resourceName };
  });
}

function problemOf(resource: AlteredResource, nodeId: number): Refusal | null {
  if (resource.resourceType === RESOURCE.topic && resource.resourceName === '') {
    return refusal(ERROR.INVALID_REQUEST, 'There are no settings of all topics: a topic must be named.');
  }
  return resourceProblem(resource, nodeId);
}
