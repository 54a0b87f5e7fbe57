/** What waits for the main thread is bounded over all connections: large requests are not read while too much of them waits. */
import { expect, test } from 'vitest';
import { PublishedPartitions, SLOT_BYTES } from '../../../src/replica/published.ts';
import type { FromThread } from '../../../src/runtime/control.ts';
import { ACCEPTED } from '../../../src/runtime/rings/messages.ts';
import { Inbox, newRing, Outbox } from '../../../src/runtime/rings/ring.ts';
import { DeleteTopics } from '../../../src/wire/messages/delete-topics.ts';
import { DECIDED_ELEMENTS_MAX, REQUEST_ELEMENTS_MAX } from '../../../src/wire/reader.ts';
import { requestFrame } from '../../kit/frames.ts';
import { HandClock } from '../../kit/hand-clock.ts';
import { silent } from '../handler/handler-kit.ts';
import { FakeFiles, FakeTransport } from '../net/sockets.ts';
import { NO_SOCKETS, newProcessor } from './new-processor.ts';

const CLIENTS = 12;
/** As many of the largest requests as wait at a time. */
const WAITING = (4 * REQUEST_ELEMENTS_MAX) / DECIDED_ELEMENTS_MAX;

function largest(): Uint8Array {
  const topicNames = new Array<string>(DECIDED_ELEMENTS_MAX).fill('');
  return requestFrame(DeleteTopics, 4, 1, 'test', { topics: [], topicNames, timeoutMs: 0 });
}

test('of many clients that ask for much, some wait unread until others are answered', () => {
  const posted: FromThread[] = [];
  const transports = Array.from({ length: CLIENTS }, () => new FakeTransport(new FakeFiles()));
  const processor = newProcessor({
    clock: new HandClock(),
    published: new PublishedPartitions(new SharedArrayBuffer(SLOT_BYTES)),
    sockets: { ...NO_SOCKETS, adopt: (descriptor) => transports[descriptor] as FakeTransport },
    descriptors: new Int32Array(CLIENTS),
    post: (message) => posted.push(message),
  });
  const ring = newRing(16);
  const acceptor = new Outbox(ring, silent());
  processor.linked('a0', new Inbox(ring), new Outbox(newRing(1), silent()));
  for (let descriptor = 0; descriptor < CLIENTS; descriptor++) acceptor.send(ACCEPTED, descriptor, 0, 0, 0, 0, 0, 0);
  processor.drain(0);
  const bytes = largest();
  for (const transport of transports) transport.arrive(bytes);
  const turns = (): void => {
    for (let turn = 0; turn < 20; turn++) {
      for (let id = 1; id <= CLIENTS; id++) {
        if (transports[id - 1]?.isReadable) processor.connection(id)?.readable(0);
      }
      processor.settle(0);
    }
  };
  const asks = () => posted.flatMap((message) => (message.kind === 'ask' ? [message.token] : []));
  turns();
  expect(asks()).toHaveLength(WAITING);
  for (let answered = 0; answered < CLIENTS; answered++) {
    const body = { throttleTimeMs: 0, responses: [] };
    const token = asks()[answered] as number;
    processor.control({ kind: 'answer', token, body, error: null }, () => {});
    turns();
    expect(asks()).toHaveLength(Math.min(CLIENTS, WAITING + answered + 1));
  }
  for (const transport of transports) expect(transport.sent.length).toBeGreaterThan(0);
});
