/** Blocks of producer ids, decided: what a block holds is written down before the broker gets it, so no id comes twice. */
import { assert } from '../base/assert.ts';
import { ERROR } from '../wire/errors.ts';
import type { Draft, Surroundings } from './decision.ts';
import { ANY_VERSION } from './metadata-store.ts';
import { PRODUCER_ID_BLOCK } from './paths.ts';
import type { RequestOf, ResponseOf } from './requests.ts';
import { encodeProducerIdBlock } from './stored.ts';

const BLOCK_IDS = 1000;

export function allocateProducerIds(
  { image }: Surroundings,
  { brokerId, brokerEpoch }: RequestOf<'allocateProducerIds'>,
): Draft<ResponseOf<'allocateProducerIds'>> {
  const broker = image.brokers.get(brokerId);
  if (broker === undefined) return refuse(ERROR.BROKER_ID_NOT_REGISTERED);
  if (broker.epoch !== brokerEpoch) return refuse(ERROR.STALE_BROKER_EPOCH);
  const start = image.nextProducerId;
  const next = start + BLOCK_IDS;
  assert(Number.isSafeInteger(next), 'producer ids are used up', { start });
  const data = encodeProducerIdBlock(brokerId, start, next - 1);
  return {
    writes: [{ kind: 'set', path: PRODUCER_ID_BLOCK, data, version: ANY_VERSION }],
    changes: [{ kind: 'producerIdsAllocated', next }],
    response: { errorCode: ERROR.NONE, producerIdStart: start, producerIdLen: BLOCK_IDS },
  };
}

function refuse(errorCode: number): Draft<ResponseOf<'allocateProducerIds'>> {
  return { writes: [], changes: [], response: { errorCode, producerIdStart: -1, producerIdLen: 0 } };
}
