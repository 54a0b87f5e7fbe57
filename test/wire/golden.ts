/** The golden files: one JSON object a line, made by Kafka's own classes (golden/Generate.java). */
import { readFileSync } from 'node:fs';

export function readGolden<T>(file: string): T[] {
  const text = readFileSync(new URL(`golden/${file}`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
