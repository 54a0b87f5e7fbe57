/** Answers of joins and syncs that carry nothing but an error. */
import { NO_BYTES } from './classic-member.ts';
import { NO_GENERATION } from './group.ts';
import type { JoinResponse, SyncResponse } from './messages.ts';

export function refusedJoin(memberId: string, errorCode: number): JoinResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: NO_GENERATION,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  };
}

export function refusedSync(errorCode: number): SyncResponse {
  return { throttleTimeMs: 0, errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES };
}
