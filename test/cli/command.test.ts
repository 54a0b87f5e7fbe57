import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../src/cli/command.ts';
import { UsageError } from '../../src/cli/words.ts';

const NOTHING = {
  kind: 'start',
  host: undefined,
  port: undefined,
  data: undefined,
  config: undefined,
  set: [],
  quiet: false,
  profile: undefined,
};

describe('the words of the command line', () => {
  test('bare options start a broker', () => {
    expect(parseCommand([])).toEqual(NOTHING);
    expect(parseCommand(['start'])).toEqual(NOTHING);
    expect(parseCommand(['--port', '0', '--quiet'])).toEqual({ ...NOTHING, port: 0, quiet: true });
  });

  test('all of them', () => {
    const words = [
      'start',
      '--host=::1',
      '--port',
      '9093',
      '--data',
      'd',
      '--profile=p',
      '--config',
      'f',
      '--set',
      'a.b=c=d',
      '--set',
      ' e = ',
    ];
    expect(parseCommand(words)).toEqual({
      kind: 'start',
      host: '::1',
      port: 9093,
      data: 'd',
      config: 'f',
      set: [
        ['a.b', 'c=d'],
        ['e', ' '],
      ],
      quiet: false,
      profile: 'p',
    });
  });

  test('help and version come before everything else', () => {
    expect(parseCommand(['start', '--help', '--port', 'x'])).toEqual({ kind: 'help' });
    expect(parseCommand(['-v'])).toEqual({ kind: 'version' });
  });

  test.each([
    [['--prot', '1'], '--prot is not an option; did you mean --port?'],
    [['--frobnicate'], '--frobnicate is not an option.'],
    [['-x'], '-x is not an option.'],
    [['stop'], 'There is no command stop: there are start and perf.'],
    [['start', 'now'], 'start takes options only, and now is none.'],
    [['--port', '65536'], '--port 65536 is not a port: it must be a whole number from 0 to 65535.'],
    [['--port', '9o92'], '--port 9o92 is not a port'],
    [['--data', ''], '--data needs a value.'],
    [['--port'], "Option '--port <value>' argument missing."],
    [['--quiet=yes'], "Option '--quiet' does not take an argument."],
    [['--set', 'num.partitions'], '--set num.partitions is not NAME=VALUE.'],
    [['--set', '=1'], '--set =1 is not NAME=VALUE.'],
  ])('%j', (words, message) => {
    expect(() => parseCommand(words)).toThrow(UsageError);
    expect(() => parseCommand(words)).toThrow(message);
  });
});
