/** A desk whose requests are numbered as they come, for tests of a connection that asks for one thing after the other. */
import { answerOf, FakeDesk, frameOf, type Open, type Request } from '../kit.ts';
import type { FakeTransport } from './sockets.ts';

export class AskedDesk extends FakeDesk {
  #nextId = 1;

  request(treatment: Request['treatment'] = 'now', answer: Request['answer'] = [3], bytes = 20): Request {
    const one = { id: this.#nextId++, treatment, bytes, holds: true, answer };
    this.requests.set(one.id, one);
    return one;
  }

  answers(requests: readonly Request[]): Buffer {
    return Buffer.concat(requests.map((one) => answerOf(one, this.files)));
  }

  finish(id: number): void {
    this.complete(this.open.find(({ request }) => request.id === id) as Open);
  }

  ask(transport: FakeTransport, ...requests: Request[]): void {
    transport.arrive(Buffer.concat(requests.map(frameOf)));
    this.run();
  }
}
