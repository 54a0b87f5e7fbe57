import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { StartError } from '../../src/base/start-error.ts';
import { parseCommand, type StartCommand } from '../../src/cli/command.ts';
import { startOptions } from '../../src/cli/start-options.ts';
import { UsageError } from '../../src/cli/words.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'odradek-options-'));
afterAll(() => rmSync(folder, { recursive: true }));

function options(words: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  return startOptions(parseCommand(words) as StartCommand, environment);
}

function file(text: string): string {
  const name = path.join(folder, 'server.properties');
  writeFileSync(name, text);
  return name;
}

describe('what a broker is started with', () => {
  test('nothing said: this machine only, a folder here', () => {
    expect(options([])).toEqual({
      host: '127.0.0.1',
      port: 9092,
      directory: path.resolve('odradek-data'),
      entries: [],
    });
  });

  test('flags before environment before file', () => {
    const config = file('num.partitions=1\nmin.insync.replicas=2\nlog.roll.hours=3');
    const environment = { KAFKA_NUM_PARTITIONS: '4', KAFKA_MIN_INSYNC_REPLICAS: '5' };
    expect(
      options(['--config', config, '--set', 'num.partitions=6'], environment).entries.toSorted((a, b) =>
        a.name < b.name ? -1 : 1,
      ),
    ).toEqual([
      { name: 'log.roll.hours', value: '3', origin: 'file' },
      { name: 'min.insync.replicas', value: '5', origin: 'environment' },
      { name: 'num.partitions', value: '6', origin: 'flag' },
    ]);
  });

  test('listeners and directories of the settings stand', () => {
    const config = file('listeners=PLAINTEXT://:1\nlog.dirs=/a,/b');
    expect(options(['--config', config])).toEqual({
      entries: [
        { name: 'listeners', value: 'PLAINTEXT://:1', origin: 'file' },
        { name: 'log.dirs', value: '/a,/b', origin: 'file' },
      ],
    });
  });

  test('unless an option says otherwise', () => {
    const config = file('listeners=PLAINTEXT://:1\nlog.dirs=/a,/b');
    expect(options(['--config', config, '--port', '7', '--data', '/c'])).toEqual({
      host: '127.0.0.1',
      port: 7,
      directory: path.resolve('/c'),
      entries: [],
    });
    expect(options(['--host', '::'])).toMatchObject({ host: '::', port: 9092 });
  });

  test('two flags that say the same thing', () => {
    expect(() => options(['--port', '1', '--set', 'listeners=PLAINTEXT://:1'])).toThrow(UsageError);
    expect(() => options(['--data', 'x', '--set', 'log.dir=y'])).toThrow(
      '--data and --set log.dir say the same thing: give one of them.',
    );
  });

  test('a file that is not there, or not readable as properties', () => {
    const missing = path.join(folder, 'missing.properties');
    expect(() => options(['--config', missing])).toThrow(StartError);
    expect(() => options(['--config', missing])).toThrow(`${missing} cannot be read (ENOENT)`);
    const broken = file('a=1\nb=\\u00zz');
    expect(() => options(['--config', broken])).toThrow(`${broken}, line 2: \\u00zz is not \\u with four hex digits.`);
  });
});
