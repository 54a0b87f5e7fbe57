/**
 * Makes the source of the function that reads one version of a message: straight-line code over a Reader `r`. What stands
 * behind the message is left alone, as Kafka does: some clients send more than a version has.
 */
import { bytesMin, defaultCode, type Encoding, isCarried, isNullable, isTagged, literalCode } from './encoding.ts';
import type { Field, Fields } from './schema.ts';

export function readingCode(fields: Fields, encoding: Encoding, path: string): string {
  const code = new ReadingCode(encoding);
  const value = code.struct(fields, path);
  return `${code.lines.join('\n')}\nreturn ${value};`;
}

class ReadingCode {
  readonly lines: string[] = [];
  readonly #encoding: Encoding;
  #names = 0;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  #name(): string {
    this.#names += 1;
    return `v${this.#names}`;
  }

  /** Emits the reading of every carried field; the answer is the expression of the whole struct. */
  struct(fields: Fields, path: string): string {
    const names = new Map<string, string>();
    for (const [name, field] of Object.entries(fields)) {
      if (!isCarried(field, this.#encoding)) continue;
      const variable = this.#name();
      names.set(name, variable);
      if (isTagged(field, this.#encoding)) this.lines.push(`let ${variable} = ${defaultCode(field)};`);
      else this.#value(field, `let ${variable}`, variable, `${path}.${name}`);
    }
    if (this.#encoding.flexible) this.#tags(fields, names, path);
    return literalCode(fields, (name, field) => names.get(name) ?? defaultCode(field));
  }

  #tags(fields: Fields, names: Map<string, string>, path: string): void {
    const tagged = Object.entries(fields).filter(([, field]) => isTagged(field, this.#encoding));
    const at = JSON.stringify(path);
    if (tagged.length === 0) {
      this.lines.push(`r.skipTags(${at});`);
      return;
    }
    const end = this.#name();
    this.lines.push(`for (let count = r.tagCount(${at}); count > 0; count--) {`);
    this.lines.push(`const tag = r.unsignedVarint(${at});`, `const ${end} = r.tagEnd(${at});`, 'switch (tag) {');
    for (const [name, field] of tagged) {
      const variable = names.get(name) as string;
      this.lines.push(`case ${field.tag}: {`);
      this.#value(field, variable, variable, `${path}.${name}`);
      this.lines.push(`r.expectTagEnd(${end}, ${JSON.stringify(`${path}.${name}`)});`, 'break; }');
    }
    this.lines.push(`default: r.skip(${end} - r.offset, ${at});`, '} }');
  }

  /** Emits the reading of one value. `target` is what it is assigned to: a declaration or the bare variable. */
  #value(field: Field, target: string, variable: string, path: string): void {
    const at = JSON.stringify(path);
    const nullable = isNullable(field, this.#encoding);
    switch (field.kind) {
      case 'string': {
        const method = this.#encoding.flexible
          ? nullable
            ? 'compactNullableString'
            : 'compactString'
          : nullable
            ? 'nullableString'
            : 'string';
        this.lines.push(`${target} = r.${method}(${at});`);
        return;
      }
      case 'bytes':
      case 'records': {
        const method = field.kind === 'bytes' ? 'copy' : 'place';
        this.#sized(
          this.#encoding.flexible ? 'compactByteLength(' : 'byteLength(',
          target,
          variable,
          at,
          nullable,
          () => this.lines.push(`${variable} = r.${method}(size, ${at});`),
        );
        return;
      }
      case 'array': {
        const element = field.element as Field;
        const count = `${this.#encoding.flexible ? 'compactCount' : 'count'}(${bytesMin(element, this.#encoding)}, `;
        this.#sized(count, target, variable, at, nullable, () => {
          const item = this.#name();
          const list = this.#name();
          // Of its size from the start: a list that grows begins with room for seventeen.
          this.lines.push(`const ${list} = new Array(size);`, `for (let i = 0; i < size; i++) {`);
          this.#value(element, `const ${item}`, item, `${path}[]`);
          this.lines.push(`${list}[i] = ${item};`, '}', `${variable} = ${list};`);
        });
        return;
      }
      case 'struct':
        this.#struct(field, target, variable, path, nullable);
        return;
      default:
        this.lines.push(`${target} = r.${field.kind}(${at});`);
    }
  }

  /** A length or count first, -1 for null; then what `inner` emits. */
  #sized(call: string, target: string, variable: string, at: string, nullable: boolean, inner: () => void): void {
    if (target !== variable) this.lines.push(`let ${variable};`);
    this.lines.push('{', `const size = r.${call}${at});`, 'if (size < 0) {');
    this.lines.push(nullable ? `${variable} = null;` : `r.refuseNull(${at});`, '} else {');
    inner();
    this.lines.push('} }');
  }

  /** A nullable struct has a byte before it: -1 for null, 1 otherwise; a tagged one 0 for null. */
  #struct(field: Field, target: string, variable: string, path: string, nullable: boolean): void {
    if (!nullable) {
      const value = this.struct(field.fields ?? {}, path);
      this.lines.push(`${target} = ${value};`);
      return;
    }
    if (target !== variable) this.lines.push(`let ${variable};`);
    const at = JSON.stringify(path);
    const isNull = isTagged(field, this.#encoding) ? `r.unsignedVarint(${at}) === 0` : `r.int8(${at}) < 0`;
    this.lines.push(`if (${isNull}) {`, `${variable} = null;`, '} else {');
    const value = this.struct(field.fields ?? {}, path);
    this.lines.push(`${variable} = ${value};`, '}');
  }
}
