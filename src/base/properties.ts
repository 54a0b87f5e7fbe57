/**
 * Reads Java's `.properties` syntax: `key=value`, `key:value` or `key value`, comments with `#` or `!`, lines continued by
 * a backslash, escapes with `\t \n \r \f \uXXXX`. Any text is valid except a broken `\u`; keys keep the order of the file.
 */
export interface Property {
  readonly key: string;
  readonly value: string;
  /** Counted from 1: the line where the entry starts. */
  readonly line: number;
}

export class PropertiesError extends Error {
  override readonly name = 'PropertiesError';
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

export function parseProperties(text: string): Property[] {
  const properties: Property[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    let logical = trimStart(lines[index] as string);
    if (logical === '' || logical[0] === '#' || logical[0] === '!') continue;
    while (isContinued(logical)) {
      index += 1;
      logical = logical.slice(0, -1) + (index < lines.length ? trimStart(lines[index] as string) : '');
      if (index >= lines.length) break;
    }
    const end = keyEnd(logical);
    properties.push({
      key: withoutEscapes(logical.slice(0, end), line),
      value: withoutEscapes(logical.slice(valueStart(logical, end)), line),
      line,
    });
  }
  return properties;
}

/** Java's white space in this syntax: blank, tab, form feed. */
function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\f';
}

function trimStart(text: string): string {
  let start = 0;
  while (isBlank(text[start])) start += 1;
  return text.slice(start);
}

/** An odd number of backslashes at the end: an even one is backslashes that stand for themselves. */
function isContinued(line: string): boolean {
  let count = 0;
  while (line[line.length - 1 - count] === '\\') count += 1;
  return count % 2 === 1;
}

function keyEnd(line: string): number {
  for (let i = 0; i < line.length; i++) {
    const char = line[i];
    if (char === '\\') i += 1;
    else if (char === '=' || char === ':' || isBlank(char)) return i;
  }
  return line.length;
}

/** Behind the key: blanks, at most one `=` or `:`, blanks. */
function valueStart(line: string, end: number): number {
  let start = end;
  while (isBlank(line[start])) start += 1;
  if (line[start] === '=' || line[start] === ':') start += 1;
  while (isBlank(line[start])) start += 1;
  return start;
}

const ESCAPES: Record<string, string> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function withoutEscapes(text: string, line: number): string {
  if (!text.includes('\\')) return text;
  let plain = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char !== '\\') {
      plain += char;
      continue;
    }
    i += 1;
    const escaped = text[i];
    if (escaped === undefined) break;
    if (escaped !== 'u') {
      plain += ESCAPES[escaped] ?? escaped;
      continue;
    }
    const digits = text.slice(i + 1, i + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits))
      throw new PropertiesError(`\\u${digits} is not \\u with four hex digits`, line);
    plain += String.fromCharCode(Number.parseInt(digits, 16));
    i += 4;
  }
  return plain;
}
