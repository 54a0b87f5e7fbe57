/** The segments of a log in rising order of their base offset; never empty once the log is open, the last one is active. */
import { assert } from '../base/assert.ts';
import type { Segment } from './segment.ts';

export class Segments {
  readonly #list: Segment[] = [];

  get count(): number {
    return this.#list.length;
  }

  get first(): Segment {
    return this.at(0);
  }

  get active(): Segment {
    return this.at(this.#list.length - 1);
  }

  get list(): readonly Segment[] {
    return this.#list;
  }

  get sizeBytes(): number {
    return this.active.cumulativeStart + this.active.sizeBytes - this.first.cumulativeStart;
  }

  at(index: number): Segment {
    const segment = this.#list[index];
    assert(segment !== undefined, 'a log has the segment', { index, count: this.#list.length });
    return segment;
  }

  add(segment: Segment): void {
    const last = this.#list[this.#list.length - 1];
    assert(last === undefined || last.baseOffset < segment.baseOffset, 'segments rise', { base: segment.baseOffset });
    if (last !== undefined) segment.cumulativeStart = last.cumulativeStart + last.stagedBytes;
    this.#list.push(segment);
  }

  /** The index of the last segment that begins at or before `offset`, -1 when all begin later. */
  floor(offset: number): number {
    const list = this.#list;
    let low = -1;
    let high = list.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((list[middle] as Segment).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Takes out `count` segments from the start. */
  takeFirst(count: number): Segment[] {
    return this.#list.splice(0, count);
  }

  /** Takes out every segment from `index` on. */
  takeFrom(index: number): Segment[] {
    return this.#list.splice(index);
  }
}
