/** However often roles come and go, the memory between them is no more than what was in use at a time, and is empty for each pair. */
import { expect, test } from 'vitest';
import { type LinkMemory, Links } from '../../src/host/links.ts';
import { LetterReader, LetterWriter } from '../../src/runtime/rings/letters.ts';
import { Inbox, Outbox } from '../../src/runtime/rings/ring.ts';
import { silent } from '../runtime/handler/handler-kit.ts';

const LETTER = 7;
const memories = ({ there, back, letters }: LinkMemory) => [there, back, ...(letters === null ? [] : [letters])];

/** Says something both ways, by letter, too, and leaves some of it unread. */
function use({ there, back, letters }: LinkMemory): void {
  const out = new Outbox(there, silent());
  const inbox = new Inbox(there);
  const answers = new Outbox(back, silent());
  const writer = letters === null ? null : new LetterWriter(letters, answers, LETTER);
  const reader = letters === null ? null : new LetterReader(letters);
  const answered = new Inbox(back);
  for (let round = 0; round < 3; round++) {
    expect(inbox.queued).toBe(0);
    out.send(1, round, 0, 0, 0, 0, 0, 0);
    expect(inbox.words[inbox.peek() + 1]).toBe(round);
    inbox.next();
    if (writer === null || reader === null) continue;
    const bytes = Uint8Array.from({ length: 50 + round }, (_, index) => index + round);
    writer.send(round, 0, 0, bytes);
    writer.flush();
    expect(reader.take(answered.words, answered.peek())).toEqual(bytes);
    answered.next();
  }
  out.send(2, 0, 0, 0, 0, 0, 0, 0);
  answers.send(2, 0, 0, 0, 0, 0, 0, 0);
}

test('what a role leaves serves the next one', () => {
  const links = new Links();
  const stays = links.add('h0', 'b0');
  const seen = new Set<SharedArrayBuffer>();
  for (let turn = 0; turn < 20; turn++) {
    const name = `p${turn % 3}`;
    for (const peer of ['h0', 'a0', 'b0']) {
      const memory = links.add(name, peer);
      for (const one of memories(memory)) seen.add(one);
      expect(memory.letters !== null).toBe(peer === 'h0');
      use(memory);
    }
    expect(links.peersOf(name).sort()).toEqual(['a0', 'b0', 'h0']);
    expect(links.peersOf('h0').sort()).toEqual(['b0', name]);
    links.remove(name);
    expect(links.peersOf(name)).toEqual([]);
  }
  expect(seen.size).toBe(2 * 3 + 1);
  for (const one of memories(stays)) expect(seen.has(one)).toBe(false);
});
