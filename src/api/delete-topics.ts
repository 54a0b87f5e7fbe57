/** DeleteTopics, on the main thread: the controller decides; the answer comes when nobody serves the topics any more. */
import { ZERO_UUID } from '../base/uuid.ts';
import { ERROR } from '../wire/errors.ts';
import type { DeleteTopics } from '../wire/messages/delete-topics.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ControllerDesk } from './controller-desk.ts';

/** Since then topics may be named by id. */
const BY_ID_SINCE = 6;
/** Clients of older versions do not know the error that says topics are not deleted here. */
const DISABLED_SINCE = 3;

export async function deleteTopics(
  request: RequestOf<typeof DeleteTopics>,
  desk: ControllerDesk,
  { version }: { readonly version: number },
): Promise<ResponseInput<typeof DeleteTopics>> {
  const wanted =
    version >= BY_ID_SINCE ? request.topics : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
  if (!desk.deletesTopics) {
    const errorCode = version >= DISABLED_SINCE ? ERROR.TOPIC_DELETION_DISABLED : ERROR.INVALID_REQUEST;
    const errorMessage = 'Topics are not deleted here: delete.topic.enable is false.';
    return { throttleTimeMs: 0, responses: wanted.map((topic) => ({ ...topic, errorCode, errorMessage })) };
  }
  const { topics } = await desk.ask('deleteTopics', { topics: wanted });
  return { throttleTimeMs: 0, responses: topics };
}
