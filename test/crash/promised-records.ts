/**
 * What one partition has acknowledged, and whether it is all there: at its offset, once, with nothing half-written beside it.
 * A value says who wrote it and as which of his records: `<writer>:<number>`, so the log alone shows what is missing, doubled
 * or out of order.
 */
import { expect } from 'vitest';
import type { RawClient } from '../kit/client.ts';
import { eventually } from '../kit/eventually.ts';
import { textOf } from '../kit/records.ts';
import { fetch, readAll } from '../kit/requests.ts';

interface Sent {
  readonly offset: number;
  readonly values: readonly string[];
}

export function recordValue(writer: string, number: number, bytes: number): string {
  return `${writer}:${number}|`.padEnd(bytes, '.');
}

function shortOf(value: string | null): string {
  return value?.split('|')[0] ?? '';
}

export class PromisedRecords {
  readonly topic: string;
  readonly partition: number;
  /** The highest start that was acknowledged, and the highest that was asked for. */
  startKept = 0;
  startAsked = 0;
  #sent: Sent[] = [];
  #end = 0;
  /** Numbers below are acknowledged, by writer: all of them are in the log, in order. */
  readonly #inOrder = new Map<string, number>();

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** Every record below is written, as far as anybody was told. */
  get end(): number {
    return this.#end;
  }

  acknowledged(offset: number, values: readonly string[]): void {
    this.#sent.push({ offset, values: values.map(shortOf) });
    this.#end = Math.max(this.#end, offset + values.length);
  }

  /** A producer that keeps its order has everything below acknowledged. */
  inOrder(writer: string, below: number): void {
    this.#inOrder.set(writer, Math.max(below, this.#inOrder.get(writer) ?? 0));
  }

  /** The file was cut on purpose: what lay behind is no longer promised. */
  cutTo(offset: number): void {
    this.#sent = this.#sent.filter((sent) => sent.offset < offset);
    this.#end = Math.min(this.#end, offset);
  }

  async check(client: RawClient): Promise<void> {
    const { topic, partition } = this;
    const about = `${topic}-${partition}`;
    // After a start under group commit what is not durable is not shown yet, and soon is.
    const shown = async () => (await fetch(client, topic, { partition, offset: this.#end })).highWatermark;
    expect(await eventually(shown, (end) => end >= this.#end)).toBeGreaterThanOrEqual(this.#end);
    const start = await this.#checkStart(client);
    // The checksum of each batch is looked at on the way.
    const batches = await readAll(client, topic, { partition, offset: start });
    const found = new Map<number, string>();
    let next = batches[0]?.baseOffset ?? start;
    expect(next, `${about}: the first batch holds the start`).toBeLessThanOrEqual(start);
    for (const { baseOffset, lastOffset, records } of batches) {
      expect([about, baseOffset, records.length]).toEqual([about, next, lastOffset - baseOffset + 1]);
      for (const [index, { value }] of records.entries()) found.set(baseOffset + index, shortOf(textOf(value)));
      next = lastOffset + 1;
    }
    const lost = this.#sent.flatMap(({ offset, values }) =>
      values.flatMap((value, index) => {
        const at = offset + index;
        return at < start || found.get(at) === value ? [] : [`${at}: ${value}, found ${found.get(at)}`];
      }),
    );
    expect(lost, `${about}: acknowledged and not there`).toEqual([]);
    this.#checkOnce(about, Array.from(found.values()), start > 0);
  }

  async #checkStart(client: RawClient): Promise<number> {
    const { logStartOffset } = await fetch(client, this.topic, { partition: this.partition, offset: this.#end });
    expect(logStartOffset, 'an acknowledged deletion stands').toBeGreaterThanOrEqual(this.startKept);
    expect(logStartOffset, 'nothing else is deleted').toBeLessThanOrEqual(this.startAsked);
    this.startKept = logStartOffset;
    return logStartOffset;
  }

  /** Nothing twice; of those that keep their order nothing is missing between what is there. */
  #checkOnce(about: string, values: readonly string[], startsLater: boolean): void {
    expect(values.length - new Set(values).size, `${about}: records that are there twice`).toBe(0);
    for (const [writer, below] of this.#inOrder) {
      const prefix = `${writer}:`;
      const numbers = values.filter((value) => value.startsWith(prefix)).map((one) => Number(one.slice(prefix.length)));
      const first = startsLater ? (numbers[0] ?? below) : 0;
      expect(numbers, `${about}: the order of ${writer}`).toEqual(numbers.map((_, index) => first + index));
      expect(first + numbers.length, `${about}: all that ${writer} was acknowledged`).toBeGreaterThanOrEqual(below);
    }
  }
}
