/** Makes the source of the function that writes one version of a message: straight-line code over a Writer `w`. */
import { type Encoding, isCarried, isNullable, isTagged, tagOrder } from './encoding.ts';
import type { Field, Fields } from './schema.ts';

export function writingCode(fields: Fields, encoding: Encoding, path: string): string {
  const code = new WritingCode(encoding);
  code.struct(fields, 'value', path);
  return code.lines.join('\n');
}

class WritingCode {
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

  struct(fields: Fields, value: string, path: string): void {
    const tagged: [string, Field, string][] = [];
    for (const [name, field] of Object.entries(fields)) {
      const at = JSON.stringify(`${path}.${name}`);
      const carried = isCarried(field, this.#encoding);
      if (!carried && field.ignorable) continue;
      const variable = this.#name();
      this.lines.push(`const ${variable} = ${value}.${name};`);
      if (!carried) {
        const refusal = `w.fail(${at}, 'version ${this.#encoding.version} cannot carry it');`;
        this.lines.push(`if (${this.#differs(field, variable)}) ${refusal}`);
      } else if (isTagged(field, this.#encoding)) {
        tagged.push([name, field, variable]);
      } else {
        this.#value(field, variable, `${path}.${name}`);
      }
    }
    if (this.#encoding.flexible) this.#tags(tagged, path);
  }

  #tags(tagged: readonly (readonly [string, Field, string])[], path: string): void {
    const sorted = tagged.toSorted((left, right) => tagOrder([left[0], left[1]], [right[0], right[1]]));
    const flags = sorted.map(([, field, variable]) => {
      const flag = this.#name();
      this.lines.push(`const ${flag} = ${this.#differs(field, variable)} ? 1 : 0;`);
      return flag;
    });
    this.lines.push(`w.unsignedVarint(${flags.length === 0 ? 0 : flags.join(' + ')});`);
    for (const [index, [name, field, variable]] of sorted.entries()) {
      this.lines.push(`if (${flags[index]} === 1) {`, `const start = w.beginTag(${field.tag});`);
      this.#value(field, variable, `${path}.${name}`);
      this.lines.push('w.endTag(start);', '}');
    }
  }

  /** The expression that tells whether the value is another one than the default; what was left out is the default. */
  #differs(field: Field, value: string): string {
    const given = field.tag === null ? '' : `${value} !== undefined && `;
    if (field.default === null) return `${given}${value} !== null`;
    switch (field.kind) {
      case 'uuid':
        return `${given}${value} !== ZERO_UUID`;
      case 'array':
      case 'bytes':
        return `${given}(${value} === null || ${value}.length !== 0)`;
      case 'struct': {
        const parts = Object.entries(field.fields ?? {}).map(
          ([name, inner]) => `(${this.#differs(inner, `${value}.${name}`)})`,
        );
        return `${given}(${value} === null || ${parts.join(' || ')})`;
      }
      case 'rawInt64':
        return `${given}${value} !== ${field.default}n`;
      default:
        return `${given}${value} !== ${JSON.stringify(field.default)}`;
    }
  }

  #value(field: Field, value: string, path: string): void {
    const at = JSON.stringify(path);
    const { flexible } = this.#encoding;
    const nullable = isNullable(field, this.#encoding);
    switch (field.kind) {
      case 'string': {
        const method = flexible
          ? nullable
            ? 'compactNullableString'
            : 'compactString'
          : nullable
            ? 'nullableString'
            : 'string';
        this.lines.push(`w.${method}(${value}, ${at});`);
        return;
      }
      case 'bytes':
      case 'records':
        this.#sized(value, at, nullable, () =>
          this.lines.push(field.kind === 'bytes' ? `w.raw(${value});` : `w.records(${value});`),
        );
        return;
      case 'array':
        this.#sized(value, at, nullable, () => {
          const index = this.#name();
          const item = this.#name();
          this.lines.push(`for (let ${index} = 0; ${index} < ${value}.length; ${index}++) {`);
          this.lines.push(`const ${item} = ${value}[${index}];`);
          this.#value(field.element as Field, item, `${path}[]`);
          this.lines.push('}');
        });
        return;
      case 'struct':
        if (nullable) {
          const none = isTagged(field, this.#encoding) ? 0 : -1;
          this.lines.push(`if (${value} === null) {`, `w.int8(${none}, ${at});`, '} else {', `w.int8(1, ${at});`);
        } else {
          this.lines.push(`if (${value} === null) w.fail(${at}, 'null where a value is demanded');`);
        }
        this.struct(field.fields ?? {}, value, path);
        if (nullable) this.lines.push('}');
        return;
      default:
        this.lines.push(`w.${field.kind}(${value}, ${at});`);
    }
  }

  #sized(value: string, at: string, nullable: boolean, inner: () => void): void {
    const length = (code: string) =>
      this.#encoding.flexible ? `w.compactLength(${code});` : `w.length(${code}, ${at});`;
    this.lines.push(`if (${value} === null) {`);
    this.lines.push(nullable ? length('-1') : `w.fail(${at}, 'null where a value is demanded');`, '} else {');
    this.lines.push(length(`${value}.length`));
    inner();
    this.lines.push('}');
  }
}
