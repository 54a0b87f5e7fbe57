/** Words of a command line by a table of options; words that make no sense throw a UsageError that says what was meant. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { nearest } from '../config/nearest.ts';

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function parseWords<const O extends ParseArgsOptionsConfig>(words: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageError(unknownOption(words, options));
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw new UsageError(`${message.split('\n')[0]}.`);
    throw error;
  }
}

function unknownOption(words: readonly string[], options: ParseArgsOptionsConfig): string {
  const known = Object.keys(options).map((name) => `--${name}`);
  const short = Object.values(options).flatMap((option) => (option.short === undefined ? [] : [`-${option.short}`]));
  const given = words.map((word) => word.split('=')[0] as string);
  const unknown = given.find((word) => /^-/.test(word) && !known.includes(word) && !short.includes(word)) ?? '';
  const meant = nearest(unknown, known);
  return `${unknown} is not an option${meant === null ? '.' : `; did you mean ${meant}?`}`;
}
