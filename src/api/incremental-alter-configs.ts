/** IncrementalAlterConfigs, on the main thread: single settings are set, deleted, appended to or subtracted from. */
import type { IncrementalAlterConfigs } from '../wire/messages/incremental-alter-configs.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { alterResources } from './altered-resources.ts';
import type { ControllerDesk } from './controller-desk.ts';

export async function incrementalAlterConfigs(
  { resources, validateOnly }: RequestOf<typeof IncrementalAlterConfigs>,
  desk: ControllerDesk,
): Promise<ResponseInput<typeof IncrementalAlterConfigs>> {
  const wanted = resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    operations: configs.map(({ name, configOperation, value }) => ({ name, value, operation: configOperation })),
  }));
  return { throttleTimeMs: 0, responses: await alterResources(wanted, { replace: false, validateOnly }, desk) };
}
