/** DescribeConfigs, on the main thread: settings of topics, groups, this broker and all brokers, with where each comes from. */
import { isRefusal, type Refusal, refusal } from '../cluster/decision.ts';
import type { DescribedSetting } from '../config/describe.ts';
import { ERROR } from '../wire/errors.ts';
import type { DescribeConfigs } from '../wire/messages/describe-configs.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { keyOf, RESOURCE, resourceProblem } from './config-resources.ts';
import type { ControllerDesk } from './controller-desk.ts';

type Request = RequestOf<typeof DescribeConfigs>;
type Resource = Request['resources'][number];
type Result = ResponseInput<typeof DescribeConfigs>['results'][number];

export async function describeConfigs(
  { resources, includeSynonyms, includeDocumentation }: Request,
  desk: ControllerDesk,
): Promise<ResponseInput<typeof DescribeConfigs>> {
  // What is named more than once is answered once: an answer is no longer than what there is to be described.
  const once = new Map(resources.map((resource) => [keyOf(resource), resource])).values();
  const results = Array.from(once, (resource): Result => {
    const { resourceType, resourceName, configurationKeys } = resource;
    const settings = settingsOf(resource, desk);
    if (isRefusal(settings)) return { ...settings, resourceType, resourceName, configs: [] };
    // No keys are all keys, too.
    const wanted = configurationKeys === null || configurationKeys.length === 0 ? null : new Set(configurationKeys);
    const configs = settings
      .filter(({ name }) => wanted === null || wanted.has(name))
      .map((setting) => ({
        ...setting,
        synonyms: includeSynonyms ? setting.synonyms : [],
        documentation: includeDocumentation ? setting.documentation : null,
      }));
    return { errorCode: ERROR.NONE, errorMessage: '', resourceType, resourceName, configs };
  });
  return { throttleTimeMs: 0, results };
}

function settingsOf(resource: Resource, desk: ControllerDesk): readonly DescribedSetting[] | Refusal {
  const { resourceType, resourceName } = resource;
  const problem = resourceProblem(resource, desk.nodeId);
  if (problem !== null) return problem;
  if (resourceType === RESOURCE.topic) {
    const settings = desk.topicSettings(resourceName);
    return settings ?? refusal(ERROR.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${resourceName}'.`);
  }
  if (resourceType === RESOURCE.group) return desk.groupSettings(resourceName);
  return resourceName === '' ? desk.allBrokersSettings() : desk.brokerSettings();
}
