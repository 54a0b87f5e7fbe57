/**
 * Damaged frames of every API and version, each answered or hung up on: no exception escapes, nothing stays behind, and no
 * frame takes memory beyond a small multiple of its bytes. `docs/testing.md` says how to ask for more and how to replay one.
 */
import { getHeapStatistics } from 'node:v8';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryOver } from '../../src/base/memory.ts';
import { responseReader } from '../../src/wire/compiler.ts';
import { ERROR } from '../../src/wire/errors.ts';
import { readResponseHeader } from '../../src/wire/headers.ts';
import { ALL_APIS, apiByKey } from '../../src/wire/messages/all.ts';
import { ApiVersions } from '../../src/wire/messages/api-versions.ts';
import { Reader } from '../../src/wire/reader.ts';
import { isServed } from '../../src/wire/schema.ts';
import { errorCodesOf } from '../kit/requests.ts';
import { CORPUS } from './corpus.ts';
import { type FuzzFrame, FuzzFrames } from './frames.ts';
import { InProcess } from './in-process.ts';

const SEED = Number(process.env.ODRADEK_FUZZ_SEED ?? 7);
/** Of each API and version. */
const FRAMES = Number(process.env.ODRADEK_FUZZ_FRAMES ?? 150);
const FILE = 'test/fuzz/in-process.test.ts';
const SLOW_MS = 36_000_000;
/** What any frame may take: a reader or writer is compiled, a log or a table grows. */
const GROWTH_BYTES_MIN = 4 * 1024 * 1024;
const GROWTH_RATIO_MAX = 400;

function heapBytes(): number {
  const { used_heap_size: used, external_memory: external } = getHeapStatistics();
  return used + external;
}

/** The key and version that the frame's own header says. */
function expectAnswer(sent: Uint8Array, answer: Uint8Array): void {
  const header = new DataView(sent.buffer, sent.byteOffset);
  const api = apiByKey(header.getInt16(4));
  if (api === null) throw new Error('an API that is not known is not answered');
  const asked = header.getInt16(6);
  const version = api.key === ApiVersions.key && !isServed(api, asked) ? 0 : asked;
  const reader = new Reader();
  reader.reset(memoryOver(answer), 0, answer.length);
  expect(readResponseHeader(reader, api, version)).toBe(header.getInt32(8));
  const body = responseReader(api, version)(reader);
  reader.expectEnd(api.name);
  expect(errorCodesOf(body)).not.toContain(ERROR.UNKNOWN_SERVER_ERROR);
}

/** A new one each time: what a frame meets does not depend on what else is run. */
let broker: InProcess;
beforeEach(async () => {
  broker = await InProcess.start();
});

async function serve({ kind, bytes }: FuzzFrame): Promise<void> {
  const before = heapBytes();
  const answers = await broker.serve([bytes]);
  expect(heapBytes() - before).toBeLessThan(GROWTH_BYTES_MIN + bytes.length * GROWTH_RATIO_MAX);
  expect(answers.length).toBeLessThanOrEqual(2);
  // With another length in front the first frame is another one, too.
  if (kind === 'length') return;
  for (const answer of answers) expectAnswer(bytes, answer);
}

test.each(CORPUS)('found before: $title', async ({ bytes, answered }) => {
  const answers = await broker.serve([bytes]);
  expect(answers.length > 0).toBe(answered);
  for (const answer of answers) expectAnswer(bytes, answer);
});

describe.each(ALL_APIS)('$name', (api) => {
  const versions = Array.from({ length: api.versions[1] - api.versions[0] + 1 }, (_, at) => api.versions[0] + at);
  test.each(versions)(
    'version %i',
    async (version) => {
      const frames = new FuzzFrames(api, version, SEED, broker.victim);
      for (let number = 0; number < FRAMES; number++) {
        const frame = frames.frame(number);
        try {
          await serve(frame);
        } catch (problem) {
          const hex = Buffer.from(frame.bytes).toString('hex');
          const how = `ODRADEK_FUZZ_SEED=${SEED} ODRADEK_FUZZ_FRAMES=${number + 1} npx vitest run --project native ${FILE} -t '^${api.name} version ${version}$'`;
          throw new Error(`frame ${number}, ${frame.kind}: ${hex}; to replay: ${how}`, { cause: problem });
        }
      }
    },
    SLOW_MS,
  );

  test(
    'whole, but cut at every byte, is answered as if it came at once',
    async () => {
      for (const version of versions) {
        const frames = new FuzzFrames(api, version, SEED, broker.victim);
        let number = 0;
        while (frames.frame(number).kind !== 'none') number += 1;
        const { bytes } = frames.frame(number);
        const whole = await broker.serve([bytes]);
        const cut = await broker.serve(Array.from(bytes, (byte) => Uint8Array.of(byte)));
        expect(cut.length).toBe(whole.length);
        for (const answer of cut) expectAnswer(bytes, answer);
      }
    },
    SLOW_MS,
  );
});
