/** What settings belong to, as the APIs name it, and why a name is none. */
import type { Refusal } from '../cluster/decision.ts';
import { refusal } from '../cluster/decision.ts';
import { topicNameProblem } from '../cluster/topic-names.ts';
import { ERROR } from '../wire/errors.ts';

export const RESOURCE = { topic: 2, broker: 4, group: 32 } as const;

const NOT_SERVED: Readonly<Record<number, string>> = { 8: 'BROKER_LOGGER', 16: 'CLIENT_METRICS' };

export interface ConfigResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** Null for a topic or a group that may exist, this broker, or '' for all brokers. */
export function resourceProblem({ resourceType, resourceName }: ConfigResource, nodeId: number): Refusal | null {
  if (resourceType === RESOURCE.topic) {
    const problem = topicNameProblem(resourceName);
    return problem === null ? null : refusal(ERROR.INVALID_TOPIC_EXCEPTION, problem);
  }
  if (resourceType === RESOURCE.broker) {
    const problem = brokerProblem(resourceName, nodeId);
    return problem === null ? null : refusal(ERROR.INVALID_REQUEST, problem);
  }
  if (resourceType === RESOURCE.group) {
    return resourceName === '' ? refusal(ERROR.INVALID_REQUEST, 'The group must be named.') : null;
  }
  const known = NOT_SERVED[resourceType];
  return refusal(
    ERROR.INVALID_REQUEST,
    known === undefined
      ? `There are no settings of resource type ${resourceType}: it must be 2 (TOPIC), 4 (BROKER) or 32 (GROUP).`
      : `Settings of resource type ${resourceType} (${known}) are not served: it must be 2 (TOPIC), 4 (BROKER) or 32 (GROUP).`,
  );
}

function brokerProblem(name: string, nodeId: number): string | null {
  if (name === '' || name === String(nodeId)) return null;
  if (!/^-?\d{1,10}$/.test(name))
    return `The broker id must be a number, or empty for all brokers, but it is '${name}'.`;
  return `This is broker ${nodeId}: settings of broker ${name} must be asked of that broker.`;
}

export function keyOf({ resourceType, resourceName }: ConfigResource): string {
  return `${resourceType} ${resourceName}`;
}
