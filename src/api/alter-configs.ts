/** AlterConfigs, on the main thread: what is not named goes back to its default. */
import { CONFIG_SET } from '../cluster/requests.ts';
import type { AlterConfigs } from '../wire/messages/alter-configs.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import { alterResources } from './altered-resources.ts';
import type { ControllerDesk } from './controller-desk.ts';

export async function alterConfigs(
  { resources, validateOnly }: RequestOf<typeof AlterConfigs>,
  desk: ControllerDesk,
): Promise<ResponseInput<typeof AlterConfigs>> {
  const wanted = resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    operations: configs.map(({ name, value }) => ({ name, value, operation: CONFIG_SET })),
  }));
  return { throttleTimeMs: 0, responses: await alterResources(wanted, { replace: true, validateOnly }, desk) };
}
