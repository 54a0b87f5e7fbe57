/**
 * What a connection needs of a socket. Two kinds exist: native (a descriptor in epoll) and portable (`node:net`). Both are
 * pulled: they say when something can be read or written, the connection takes as much as it wants.
 */
import type { Memory, Pieces } from '../../base/memory.ts';

/** The other end has closed its sending side. */
export const END = 0;
/** Nothing to read, or no room to write, for now. Any other number below zero: the socket is broken. */
export const WOULD_BLOCK = -11;

export interface Transport {
  /** Fills the first place, then the second; returns how many bytes came, END, WOULD_BLOCK or below. */
  receive(memory: Memory, offset1: number, length1: number, offset2: number, length2: number): number;
  /** How many bytes of the pieces went out, or WOULD_BLOCK or below. `more`: a range of a file follows at once. */
  send(pieces: Pieces, more: boolean): number;
  /** Sends a range of an open file; 0 when the file ends there. */
  sendFile(descriptor: number, position: number, length: number): number;
  /** Which of the two the connection wants to hear of. */
  interest(read: boolean, write: boolean): void;
  close(): void;
  /** The address of the other end, for logs. */
  readonly peer: string;
}

/** Who is told. Calls come only from the loop, never from within a transport's own call. */
export interface TransportOwner {
  readable(now: number): void;
  writable(now: number): void;
  /** The other end will say nothing more behind what it has said: told once, whether or not there is interest in reading. */
  gone(now: number): void;
}
