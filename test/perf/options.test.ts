import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/cli/words.ts';
import { parsePerf } from '../../src/perf/options.ts';

const FOREVER = Number.POSITIVE_INFINITY;

describe('the words of odradek perf', () => {
  test('have defaults for all but the topic', () => {
    expect(parsePerf(['produce', '--topic', 't'])).toMatchObject({
      bootstrap: [{ host: '127.0.0.1', port: 9092 }],
      rate: null,
      recordBytes: 1024,
      batchBytes: 65_536,
      connections: 1,
      inFlight: 5,
      acks: -1,
      durationMs: 10_000,
      records: FOREVER,
    });
    expect(parsePerf(['--help'])).toBeNull();
  });

  test('end to end sends single records at a rate', () => {
    expect(parsePerf(['end-to-end', '--topic', 't', '--record-size', '2KiB'])).toMatchObject({
      rate: 100,
      recordBytes: 2048,
      batchBytes: 2048,
    });
  });

  test('consume ends at the end unless a time or a number is given', () => {
    const ends = (...more: string[]) => {
      const options = parsePerf(['consume', '--topic', 't', ...more]);
      return [options?.durationMs, options?.records];
    };
    expect(ends()).toEqual([FOREVER, FOREVER]);
    expect(ends('--records', '9')).toEqual([FOREVER, 9]);
    expect(ends('--duration', '1.5s')).toEqual([1500, FOREVER]);
  });

  test('name several brokers, also by numbers of IPv6', () => {
    expect(parsePerf(['produce', '--topic', 't', '--bootstrap', 'a:1,[::1]:2'])?.bootstrap).toEqual([
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ]);
  });

  test.each([
    [[], 'perf needs a mode'],
    [['burn', '--topic', 't'], 'There is no load burn'],
    [['produce'], '--topic needs the name of a topic.'],
    [['produce', '--topic', 't', 'now'], 'takes options only'],
    [['produce', '--topic', 't', '--rat', '1'], 'did you mean --rate?'],
    [['produce', '--topic', 't', '--rate', '0'], '--rate 0 does not do: it must be a whole number from 1'],
    [['produce', '--topic', 't', '--rate', '1KiB'], '--rate 1KiB does not do'],
    [['produce', '--topic', 't', '--record-size', '15'], 'it must be a size from 16'],
    [['produce', '--topic', 't', '--acks', '2'], 'there are all, 1 and 0.'],
    [['produce', '--topic', 't', '--partitions', '2'], '--partitions needs --create.'],
    [['produce', '--topic', 't', '--from', 'latest'], '--from says nothing to perf produce.'],
    [['consume', '--topic', 't', '--rate', '5'], '--rate says nothing to perf consume.'],
    [['end-to-end', '--topic', 't', '--acks', '0'], '--acks 0 says nothing'],
    [['consume', '--topic', 't', '--duration', 'x'], '--duration x does not do'],
    [['consume', '--topic', 't', '--bootstrap', 'here'], '--bootstrap here is not HOST:PORT.'],
  ])('%j', (words, message) => {
    expect(() => parsePerf(words)).toThrow(UsageError);
    expect(() => parsePerf(words)).toThrow(message);
  });
});
