/** Frames that once did harm, or nearly: they are sent again in every run. */
import { beginFrame, endFrame, writeRequestHeader } from '../../src/wire/headers.ts';
import { AlterConfigs } from '../../src/wire/messages/alter-configs.ts';
import { CreateTopics } from '../../src/wire/messages/create-topics.ts';
import { IncrementalAlterConfigs } from '../../src/wire/messages/incremental-alter-configs.ts';
import { Metadata } from '../../src/wire/messages/metadata.ts';
import { DECIDED_ELEMENTS_MAX, REQUEST_ELEMENTS_MAX } from '../../src/wire/reader.ts';
import type { Api } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';
import { requestFrame } from '../kit/frames.ts';

interface Finding {
  readonly title: string;
  readonly bytes: Uint8Array;
  readonly answered: boolean;
}

const LONG = 'x'.repeat(0x7fff);

/** A frame that announces more elements than it has, or is full of the smallest ones. */
function counted(api: Api, version: number, count: number, bytes: number): Uint8Array {
  const writer = new Writer();
  beginFrame(writer);
  writeRequestHeader(writer, api, version, 1, null);
  writer.int32(count, 'count');
  writer.raw(new Uint8Array(bytes));
  endFrame(writer);
  return writer.memory.bytes.slice(0, writer.writtenBytes);
}

export const CORPUS: readonly Finding[] = [
  {
    title: 'two thousand million topics in nine bytes',
    bytes: counted(Metadata, 1, 0x7fffffff, 5),
    answered: false,
  },
  {
    title: 'an empty topic name in every second byte',
    bytes: counted(Metadata, 1, REQUEST_ELEMENTS_MAX + 1, 2 * (REQUEST_ELEMENTS_MAX + 1)),
    answered: false,
  },
  {
    title: 'more topics to create than the main thread takes',
    bytes: counted(CreateTopics, 2, DECIDED_ELEMENTS_MAX + 1, 20 * (DECIDED_ELEMENTS_MAX + 1)),
    answered: false,
  },
  {
    title: 'a value of a setting as long as its refusal may be',
    bytes: requestFrame(IncrementalAlterConfigs, 1, 1, 'test', {
      resources: [
        {
          resourceType: 4,
          resourceName: '',
          configs: [{ name: 'log.retention.ms', configOperation: 0, value: LONG }],
        },
      ],
      validateOnly: true,
    }),
    answered: true,
  },
  {
    title: 'a name of a setting as long as its refusal may be',
    bytes: requestFrame(AlterConfigs, 1, 1, 'test', {
      resources: [{ resourceType: 4, resourceName: '1', configs: [{ name: LONG, value: '1' }] }],
      validateOnly: true,
    }),
    answered: true,
  },
  {
    title: 'a broker whose name is as long as its refusal may be',
    bytes: requestFrame(AlterConfigs, 1, 1, 'test', {
      resources: [{ resourceType: 4, resourceName: LONG, configs: [] }],
      validateOnly: true,
    }),
    answered: true,
  },
];
