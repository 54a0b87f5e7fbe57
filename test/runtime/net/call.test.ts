/** A call is answered once, in one of three ways, and one that nobody waits for any more says so to whoever works on it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Call, type CallOwner } from '../../../src/runtime/net/call.ts';

let said: string[];
let call: Call;
beforeEach(() => {
  said = [];
  const owner: CallOwner = {
    ready: (one) => said.push(`ready ${one.done} ${one.abandoned}`),
    releaseCall: (one) => said.push(`release ${one.done}`),
  };
  call = new Call(owner, 4, 1, { apiKey: 3, apiVersion: 12, correlationId: 77, clientId: 'me' }, 9);
  call.onAbandon = () => said.push('abandoned');
});

describe('call', () => {
  test('carries what was asked', () => {
    expect([call.connection, call.listener, call.apiKey, call.version]).toEqual([4, 1, 3, 12]);
    expect([call.correlationId, call.clientId, call.receivedAt]).toEqual([77, 'me', 9]);
    expect([call.done, call.silent, call.hangUp, call.abandoned]).toEqual([false, false, false, false]);
  });

  test('an answer makes it ready, with its ranges', () => {
    const ranges = [{ slot: 1, position: 2, length: 3, warm: false }];
    call.answer('body', ranges);
    expect([call.done, call.body, call.ranges]).toEqual([true, 'body', ranges]);
    expect([call.silent, call.hangUp]).toEqual([false, false]);
    call.abandon();
    expect(said, 'its work was over').toEqual(['ready true false', 'release true']);
  });

  test('so do silence and a hang-up', () => {
    call.answerNothing();
    expect([call.done, call.silent, call.hangUp]).toEqual([true, true, false]);
    expect(() => call.close('late')).toThrow('answered once');
    expect(() => call.answer(1)).toThrow('answered once');
  });

  test('a hang-up says why', () => {
    call.close('because');
    expect([call.done, call.silent, call.hangUp, call.why]).toEqual([true, false, true, 'because']);
    expect(said).toEqual(['ready true false']);
  });

  test('abandoned, it tells its work once and may still be answered', () => {
    call.abandon();
    call.answer('too late');
    expect(said).toEqual(['release false', 'abandoned', 'ready true true']);
  });
});
