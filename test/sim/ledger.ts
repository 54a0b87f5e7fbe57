/**
 * What clients have sent and where it lies: the truth that logs are held against. Batches are known by their checksum, for
 * no two are alike; a place, once seen in a file, stays until a power loss takes it back.
 */
import { memoryOver } from '../../src/base/memory.ts';
import * as batch from '../../src/wire/batch.ts';
import { must } from '../runtime/net/sockets.ts';

export interface Sent {
  readonly id: number;
  readonly partition: number;
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly firstTimestamp: number;
  /** -1 for none. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly sequence: number;
}

/** Of offsets that nobody's records have. */
export const NOBODYS = { bytes: new Uint8Array(0), firstTimestamp: 0, producerId: -1, producerEpoch: -1, sequence: -1 };

export interface Placed {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly epoch: number;
  readonly sent: Sent;
}

/** Offset, length and epoch come before it: the leader writes them. */
const SAME_FROM = batch.MAGIC_AT;

/** Of one partition. */
export class Places {
  /** Dense from 0: what is in the log, and what was before its start. */
  readonly placed: Placed[] = [];
  /** Whoever deleted records was told that the log starts there. */
  startPromised = 0;
  /** The furthest that the log has ever started. */
  startHighest = 0;
  /** Nothing below may be lost, whatever happens. */
  endPromised = 0;
  /** A producer's batches may be missing in between: power was lost where that is allowed. */
  gaps = false;

  get endOffset(): number {
    return this.placed.at(-1)?.endOffset ?? 0;
  }

  at(offset: number): Placed | undefined {
    let low = 0;
    let high = this.placed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.placed[middle] as Placed).endOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return this.placed[low];
  }

  from(offset: number): Placed[] {
    const first = this.placed.findLastIndex(({ endOffset }) => endOffset <= offset) + 1;
    return this.placed.slice(first);
  }

  /** Up to there nothing will ever be seen. */
  skip(endOffset: number, sent: Omit<Sent, 'count'>): void {
    const baseOffset = this.endOffset;
    this.placed.push({ baseOffset, endOffset, epoch: -1, sent: { ...sent, count: endOffset - baseOffset } });
  }

  cut(endOffset: number): void {
    while (this.endOffset > endOffset) this.placed.pop();
  }
}

export class Ledger {
  readonly #sent = new Map<number, Sent>();
  readonly partitions: Places[] = [];

  send(sent: Sent): void {
    const { view } = memoryOver(sent.bytes);
    this.#sent.set(batch.crc(view, 0), sent);
  }

  places(partition: number): Places {
    this.partitions[partition] ??= new Places();
    return this.partitions[partition];
  }

  /** Whole batches in a section, each as it was sent; what is cut off at the end is left out. */
  read(bytes: Uint8Array, partition: number, end = bytes.length): Placed[] {
    const { view } = memoryOver(bytes);
    const found: Placed[] = [];
    for (let at = 0; at + batch.HEADER_BYTES <= end; ) {
      const size = batch.sizeInBytes(view, at);
      must(size >= batch.HEADER_BYTES, `a batch has a size, not ${size}`);
      if (at + size > end) break;
      const sent = this.#sent.get(batch.crc(view, at));
      const baseOffset = batch.baseOffset(view, at);
      must(sent !== undefined, `what stands at offset ${baseOffset} was sent by somebody`);
      must(sent.partition === partition, `batch ${sent.id} at ${baseOffset} is of partition ${partition}`);
      const same = Buffer.compare(bytes.subarray(at + SAME_FROM, at + size), sent.bytes.subarray(SAME_FROM)) === 0;
      must(same, `batch ${sent.id} at ${baseOffset} is as it was sent`);
      const epoch = batch.partitionLeaderEpoch(view, at);
      found.push({ baseOffset, endOffset: baseOffset + sent.count, epoch, sent });
      at += size;
    }
    return found;
  }
}

/** That batches lie behind each other, none twice, each producer's in its order; `gaps`: some of them may have been lost. */
export function mustBeInOrder(placed: readonly Placed[], gaps: boolean): void {
  const seen = new Set<number>();
  const last = new Map<number, Placed>();
  let end = placed[0]?.baseOffset ?? 0;
  for (const one of placed) {
    const { baseOffset, sent } = one;
    must(baseOffset === end, `offsets are dense: batch ${sent.id} at ${baseOffset} follows ${end}`);
    must(!seen.has(sent.id), `batch ${sent.id} is there once`);
    seen.add(sent.id);
    end = one.endOffset;
    if (sent.producerId < 0) continue;
    const before = last.get(sent.producerId)?.sent;
    last.set(sent.producerId, one);
    if (before === undefined) continue;
    const newer = sent.producerEpoch > before.producerEpoch;
    const next = newer ? 0 : before.sequence + before.count;
    const inOrder = sent.producerEpoch >= before.producerEpoch && (sent.sequence === next || gaps);
    must(inOrder, `batch ${sent.id} (${sent.producerEpoch}:${sent.sequence}) follows ${before.producerEpoch}:${next}`);
  }
}
