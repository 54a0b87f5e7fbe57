/** A processor with small limits and nothing behind it, but for the parts that a test brings. */
import { memoryOver } from '../../../src/base/memory.ts';
import { PortableKernels } from '../../../src/base/portable-kernels.ts';
import { SeededRandom } from '../../../src/base/random.ts';
import { Timers } from '../../../src/base/timers.ts';
import { emptyImage } from '../../../src/cluster/image.ts';
import { FileTable } from '../../../src/log/leases.ts';
import { Counters, countersMemory } from '../../../src/runtime/counters.ts';
import { Answers, UNREGISTERED } from '../../../src/runtime/net/answers.ts';
import type { Sockets } from '../../../src/runtime/net/connections.ts';
import { intakeBytes } from '../../../src/runtime/net/intake.ts';
import { Processor, type ProcessorParts } from '../../../src/runtime/processor/processor.ts';
import { INTAKE_LIMITS, LIMITS } from '../kit.ts';

export const NO_SOCKETS: Omit<Sockets, 'adopt'> = {
  release: () => 0,
  readWarm: () => 0,
  closeFile() {},
  releasePages() {},
};

export const PROCESSOR_LIMITS: ProcessorParts['limits'] = {
  connection: LIMITS,
  zeroCopyMinBytes: 16_384,
  fetchBytesMax: 1_000_000,
  autoCreateTopics: false,
  describedPartitionsMax: 2000,
  queuedRequestsMax: 500,
  sessionSlotsMax: 10,
  nodeId: 0,
  listeners: ['PLAINTEXT'],
};

type Brought = 'clock' | 'published' | 'sockets';

export function newProcessor(parts: Pick<ProcessorParts, Brought> & Partial<ProcessorParts>): Processor {
  return new Processor({
    name: 'p0',
    index: 0,
    intake: memoryOver(new Uint8Array(intakeBytes(INTAKE_LIMITS))),
    queuedBytesMax: INTAKE_LIMITS.queuedBytesMax,
    answers: new Answers(UNREGISTERED),
    scratch: memoryOver(new Uint8Array(65_536)),
    kernels: new PortableKernels(),
    timers: new Timers(0),
    random: new SeededRandom(1),
    files: new FileTable(new Int32Array(FileTable.memory(16)), 0, 16),
    counters: new Counters(countersMemory(), 0),
    limits: PROCESSOR_LIMITS,
    image: emptyImage('cluster'),
    routes: [],
    descriptors: new Int32Array(16),
    open: new Int32Array(1),
    post() {},
    ...parts,
  });
}
