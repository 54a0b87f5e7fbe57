/**
 * What a topic may be called. Names that differ only in '.' and '_' collide, because Kafka's metric names write both as
 * '_'. Owns the set of such names that are in use.
 */

const NAME_CHARACTERS_MAX = 249;

/** What is wrong with a name, in one sentence, or null. */
export function topicNameProblem(name: string): string | null {
  if (name.length === 0) return 'The topic name is empty.';
  if (name === '.' || name === '..') return `The topic name '${name}' is reserved.`;
  if (name.length > NAME_CHARACTERS_MAX) {
    return `The topic name has ${name.length} characters, at most ${NAME_CHARACTERS_MAX} are allowed.`;
  }
  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    return 'The topic name has characters other than ASCII letters, digits, ".", "_" and "-".';
  }
  return null;
}

export class CollidingNames {
  readonly #byForm = new Map<string, Set<string>>();

  add(name: string): void {
    const form = formOf(name);
    if (form === null) return;
    const names = this.#byForm.get(form);
    if (names === undefined) this.#byForm.set(form, new Set([name]));
    else names.add(name);
  }

  remove(name: string): void {
    const form = formOf(name);
    if (form === null) return;
    const names = this.#byForm.get(form);
    names?.delete(name);
    if (names?.size === 0) this.#byForm.delete(form);
  }

  /** Another name in use that this one collides with. */
  collision(name: string): string | null {
    const form = formOf(name);
    if (form === null) return null;
    for (const other of this.#byForm.get(form) ?? []) if (other !== name) return other;
    return null;
  }
}

function formOf(name: string): string | null {
  return name.includes('.') || name.includes('_') ? name.replaceAll('.', '_') : null;
}
