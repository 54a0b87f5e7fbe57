/** Reads what benches have written, one result or a list of them; a file that is something else is named with what is wrong. */
import type { ResultRow, SuiteResult } from '../kit/result.ts';

function isRow(row: ResultRow): boolean {
  const figures = [row.median, row.p5, row.p95, row.samples];
  return typeof row.name === 'string' && typeof row.unit === 'string' && figures.every(Number.isFinite);
}

export function readResults(text: string, file: string): SuiteResult[] {
  const parsed: SuiteResult | SuiteResult[] = JSON.parse(text);
  const results = Array.isArray(parsed) ? parsed : [parsed];
  for (const result of results) {
    if (typeof result?.suite !== 'string' || !Array.isArray(result.rows) || typeof result.machine !== 'object')
      throw new Error(`${file} is no result of a bench.`);
    const wrong = result.rows.find((row) => !isRow(row));
    if (wrong !== undefined) throw new Error(`${file}: the figure ${JSON.stringify(wrong)} is not whole.`);
  }
  return results;
}
