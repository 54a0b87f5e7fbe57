/**
 * InitProducerId, on the main thread: an identity for an idempotent producer. Transactions have no coordinator here, so a
 * transactional id is refused with a code that makes clients stop instead of asking again.
 */
import { ERROR } from '../wire/errors.ts';
import type { InitProducerId } from '../wire/messages/init-producer-id.ts';
import type { RequestOf, ResponseInput } from '../wire/schema.ts';
import type { ControllerDesk } from './controller-desk.ts';

type Response = ResponseInput<typeof InitProducerId>;

const EPOCH_MAX = 32_767;

function refused(errorCode: number): Response {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 };
}

export async function initProducerId(
  request: RequestOf<typeof InitProducerId>,
  desk: ControllerDesk,
): Promise<Response> {
  if (request.transactionalId !== null) return refused(ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
  const { producerId, producerEpoch } = request;
  if ((producerId === -1) !== (producerEpoch === -1)) return refused(ERROR.INVALID_REQUEST);
  // A producer that has an identity and lost its place goes on under the next epoch, or starts anew when those are used up.
  if (producerId >= 0 && producerEpoch < EPOCH_MAX) {
    return { throttleTimeMs: 0, errorCode: ERROR.NONE, producerId, producerEpoch: producerEpoch + 1 };
  }
  return { throttleTimeMs: 0, errorCode: ERROR.NONE, producerId: await desk.nextProducerId(), producerEpoch: 0 };
}
