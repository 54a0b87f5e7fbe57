/** The words of a script's command: some in order, `name=value` options in any place, pairs for what is left. */
export class Words {
  readonly #words: string[];

  constructor(line: string) {
    this.#words = line.trim().split(/\s+/);
  }

  next(): string {
    const word = this.#words.shift();
    if (word === undefined) throw new Error('a word is missing');
    return word;
  }

  /** Null when it is not told. */
  option(name: string): string | null {
    const at = this.#words.findIndex((word) => word.startsWith(`${name}=`));
    return at < 0 ? null : (this.#words.splice(at, 1)[0] as string).slice(name.length + 1);
  }

  number(name: string, fallback: number): number {
    const told = this.option(name);
    return told === null ? fallback : Number(told);
  }

  /** All that is left, as `key=value`. */
  pairs(): [key: string, value: string][] {
    return this.#words.splice(0).map((word) => {
      const at = word.indexOf('=');
      if (at < 0) throw new Error(`'${word}' is no pair`);
      return [word.slice(0, at), word.slice(at + 1)];
    });
  }

  rest(): string[] {
    return this.#words.splice(0);
  }

  expectEnd(): void {
    if (this.#words.length > 0) throw new Error(`what is '${this.#words.join(' ')}'?`);
  }
}
