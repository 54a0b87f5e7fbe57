/** DescribeConfigs, on the main thread: settings of topics, of this broker and of all brokers, with where each comes from. */
import type { DescribedSetting } from '../config/describe.ts';
import { ERROR } from '../wire/errors.ts';
import type { DescribeConfigs } from '../wire/messages/describe-configs.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { RESOURCE, resourceProblem } from './config-resources.ts';
import type { ControllerDesk } from './controller-desk.ts';

type Request = RequestOf<typeof DescribeConfigs>;
type Resource = Request['resources'][number];
type Result = ResponseInput<typeof DescribeConfigs>['results'][number];

export async function describeConfigs(
  { resources, includeSynonyms, includeDocumentation }: Request,
  desk: ControllerDesk,
): Promise<ResponseInput<typeof DescribeConfigs>> {
  const results = resources.map((resource): Result => {
    const { resourceType, resourceName, configurationKeys } = resource;
    const problem = resourceProblem(resource, desk.nodeId);
    if (problem !== null) return { ...problem, resourceType, resourceName, configs: [] };
    const settings = settingsOf(resource, desk);
    if (settings === null) {
      const errorMessage = `There is no topic '${resourceName}'.`;
      return { errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION, errorMessage, resourceType, resourceName, configs: [] };
    }
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

function settingsOf(
  { resourceType, resourceName }: Resource,
  desk: ControllerDesk,
): readonly DescribedSetting[] | null {
  if (resourceType === RESOURCE.topic) return desk.topicSettings(resourceName);
  return resourceName === '' ? desk.allBrokersSettings() : desk.brokerSettings();
}
