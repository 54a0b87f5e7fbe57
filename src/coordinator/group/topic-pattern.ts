/**
 * A subscription by pattern: a regular expression in RE2's syntax, which must match the whole name of a topic. Neither a
 * pattern nor a name makes matching slow: the engine looks at each character once, and what a pattern may grow to is bounded
 * before it is compiled, for `(a{9}){9}` is short and large.
 */
import { RE2JS, RE2JSException } from 're2js';

/**
 * Instructions of a compiled pattern, about one a character. The worst of them take half a millisecond for a name of 249
 * characters, and a few megabytes.
 */
const INSTRUCTIONS_MAX = 2_000;
const LENGTH_MAX = 2_000;

/** Groups and repetitions, and everything else that is one step of a match. */
const TOKEN =
  /\\Q[\s\S]*?(?:\\E|$)|\\(?:p|P|x)\{[^}]*\}|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]|\{(?<least>\d+)(?:,(?<most>\d*))?\}|[\s\S]/g;

export interface PatternRefusal {
  readonly refused: string;
}

export class TopicPattern {
  readonly text: string;
  readonly #compiled: RE2JS;

  private constructor(text: string, compiled: RE2JS) {
    this.text = text;
    this.#compiled = compiled;
  }

  /** The pattern, or what is wrong with it, in words for INVALID_REGULAR_EXPRESSION. */
  static compile(text: string): TopicPattern | PatternRefusal {
    if (text.length > LENGTH_MAX) return { refused: `the pattern has more than ${LENGTH_MAX} characters` };
    const tooLarge = {
      refused: `the pattern takes more than ${INSTRUCTIONS_MAX} steps once its repetitions are written out`,
    };
    if (stepsOf(text) > INSTRUCTIONS_MAX) return tooLarge;
    try {
      const compiled = RE2JS.compile(text);
      return compiled.programSize() > INSTRUCTIONS_MAX ? tooLarge : new TopicPattern(text, compiled);
    } catch (error) {
      if (error instanceof RE2JSException) return { refused: error.message };
      throw error;
    }
  }

  matches(topic: string): boolean {
    return this.#compiled.matches(topic);
  }

  /** The names that match, in order. */
  of(topics: Iterable<string>): string[] {
    return Array.from(topics)
      .filter((topic) => this.matches(topic))
      .sort();
  }
}

interface Group {
  steps: number;
  /** Of what stands last, which a repetition repeats. */
  last: number;
}

/** About how many steps the pattern has with its repetitions written out; cheap to know, and off by a small factor at most. */
function stepsOf(text: string): number {
  const groups: Group[] = [{ steps: 0, last: 0 }];
  for (const { 0: token, groups: counts } of text.matchAll(TOKEN)) {
    const group = groups.at(-1) as Group;
    if (token === '(') {
      groups.push({ steps: 1, last: 0 });
    } else if (token === ')' && groups.length > 1) {
      groups.pop();
      const outer = groups.at(-1) as Group;
      outer.last = group.steps;
      outer.steps += group.steps;
    } else if (counts?.least !== undefined) {
      const more = group.last * (Math.max(Number(counts.least), Number(counts.most ?? 0), 1) - 1);
      group.steps += more;
      group.last += more;
    } else {
      group.last = token.startsWith('\\Q') ? token.length : 1;
      group.steps += group.last;
    }
  }
  return groups.reduce((sum, { steps }) => sum + steps, 0);
}
