/** kcat as a process: what it printed and how it ended. */
import { type Ran, ran } from './ran.ts';

export function kcat(words: readonly string[], input: string | Uint8Array = ''): Promise<Ran> {
  return ran('kcat', words, input);
}

export async function kcatOk(words: readonly string[], input: string | Uint8Array = ''): Promise<string> {
  const { stdout, stderr, code } = await kcat(words, input);
  if (code !== 0) throw new Error(`kcat ${words.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

export interface KcatMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly tstype: string;
  readonly ts: number;
  readonly headers?: readonly (string | null)[];
  readonly key: string | null;
  readonly payload: string | null;
}

/** Everything in a partition from its beginning to its end. */
export async function kcatRead(
  address: string,
  topic: string,
  partition = 0,
  more: readonly string[] = [],
): Promise<KcatMessage[]> {
  const words = [
    '-C',
    '-b',
    address,
    '-t',
    topic,
    '-p',
    String(partition),
    '-o',
    'beginning',
    '-e',
    '-q',
    '-J',
    '-X',
    'fetch.wait.max.ms=20',
    ...more,
  ];
  const text = await kcatOk(words);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KcatMessage);
}
