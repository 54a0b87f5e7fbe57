/**
 * The typed face of the addon: a few system calls and loops, no policy. Numbers in, numbers out: a result below zero is
 * the negated errno (`-11` is EAGAIN); wrong arguments throw a TypeError. Memory is named by the id that `register` gave;
 * file offsets are doubles (whole numbers below 2^53). Every function may be called from any worker; ids are per thread.
 */
export interface Native {
  /** Makes a block known; the addon keeps it alive until `unregister`. Works on shared and plain buffers. */
  register(bytes: Uint8Array): number;
  unregister(memory: number): void;
  /** Gives the pages of a range back to the system; they read as zero afterwards. Range is shrunk to whole pages. */
  release(memory: number, offset: number, length: number): number;

  // Sockets (always non-blocking, close-on-exec; TCP_NODELAY on accepted and connected ones)
  /** One call: socket, SO_REUSEADDR, bind, listen. host is a literal address, v4 or v6. */
  listen(host: string, port: number, backlog: number): number;
  connect(host: string, port: number): number;
  /** The pending error of a socket (SO_ERROR), 0 when none. */
  socketError(socket: number): number;
  accept(listener: number): number;
  localPort(socket: number): number;
  /** "address:port" of the other end, a v6 address in brackets; "" when it has gone. */
  peer(socket: number): string;
  setBuffers(socket: number, receiveBytes: number, sendBytes: number): number;
  /** 0 reading, 1 writing, 2 both */
  shutdown(socket: number, how: number): number;
  /** Bytes received; 0 is the end; EINTR is retried inside. Two places at once: the second fills when the first is full (length2 may be 0). */
  receive(
    socket: number,
    memory1: number,
    offset1: number,
    length1: number,
    memory2: number,
    offset2: number,
    length2: number,
  ): number;
  send(socket: number, memory: number, offset: number, length: number): number;
  /** Gathers `count` pieces of the table (layout.ts PIECE_*), starting at entry `first`. MSG_NOSIGNAL. */
  sendPieces(socket: number, table: Int32Array, first: number, count: number): number;
  /** The same where more follows at once (MSG_MORE): the kernel may wait for it before it fills a packet. */
  sendPiecesMore(socket: number, table: Int32Array, first: number, count: number): number;
  /** sendfile(2); returns the bytes that went, 0 when the file ended. */
  sendFile(socket: number, file: number, position: number, length: number): number;

  // Waiting
  pollCreate(): number;
  /** op: 1 add, 2 modify, 3 remove. events: EVENT_READ | EVENT_WRITE, level-triggered. */
  pollControl(poll: number, op: number, descriptor: number, events: number, token: number): number;
  /** Waits and writes up to `max` events (layout.ts EVENT_*) to memory; timeout in ms, -1 for ever, 0 not at all. EINTR counts as no event. */
  pollWait(poll: number, memory: number, offset: number, max: number, timeoutMs: number): number;
  eventCreate(): number;
  eventSignal(event: number): number;
  eventClear(event: number): number;

  // Files
  /** flags as in fcntl: combined from the OPEN_* constants below; mode 0o644. O_CLOEXEC is added. */
  open(path: string, flags: number): number;
  close(descriptor: number): number;
  fileSize(file: number): number;
  read(file: number, memory: number, offset: number, length: number, position: number): number;
  /** preadv2 with RWF_NOWAIT: -EAGAIN when the page cache does not hold it. */
  readNoWait(file: number, memory: number, offset: number, length: number, position: number): number;
  write(file: number, memory: number, offset: number, length: number, position: number): number;
  writePieces(file: number, table: Int32Array, first: number, count: number, position: number): number;
  truncate(file: number, size: number): number;
  /** fallocate; keepSize leaves the end of the file where it is. */
  allocate(file: number, position: number, length: number, keepSize: boolean): number;
  syncData(file: number): number;
  /** fsync, also for a directory's descriptor. */
  syncAll(file: number): number;
  /** sync_file_range with SYNC_FILE_RANGE_WRITE: starts writeback, does not wait. */
  startWriteback(file: number, position: number, length: number): number;
  /** posix_fadvise WILLNEED: asks for the pages and returns. */
  readAhead(file: number, position: number, length: number): number;
  /** An exclusive open-file-description lock on the whole file (fcntl F_OFD_SETLK); -EAGAIN when somebody has it. */
  lock(file: number): number;

  // Index maps: read-only, shared; a search survives a file cut short under it (-EIO, from then on, until mapped anew)
  map(file: number, length: number): number;
  unmap(map: number): number;
  /** The last of `entries` entries whose key <= target: its slot, -1 for none, -EIO (as -5) when the pages have gone. Slots are >= 0; "none" is -1. */
  searchOffset(map: number, entries: number, target: number): number;
  searchTime(map: number, entries: number, target: number): number;

  // Loops over bytes
  crc32c(memory: number, offset: number, length: number, seed: number): number;
  move(targetMemory: number, targetOffset: number, sourceMemory: number, sourceOffset: number, length: number): void;
  /** As Kernels.walkRecords; writes maxTimestampDelta (float64) and its index (int32) to result[0], result[1]. */
  walkRecords(
    memory: number,
    offset: number,
    length: number,
    count: number,
    needKeys: boolean,
    result: Float64Array,
  ): number;
  /**
   * Cuts whole length-prefixed frames out of a range. Writes (body start, body length) pairs (layout.ts FRAME_*) and returns how many;
   * -1 - n when frame n has a length that is negative or above maxFrameBytes (the n frames before it are written).
   */
  cutFrames(
    memory: number,
    offset: number,
    length: number,
    maxFrameBytes: number,
    out: Int32Array,
    outMax: number,
  ): number;

  // Threads
  /** The name in /proc/<pid>/task/<tid>/comm, 15 characters. */
  nameThread(name: string): void;
  /** CPU seconds of the calling thread. */
  threadCpuSeconds(): number;
  /** A symbolic name for a negated errno: -28 gives "ENOSPC". */
  errorName(result: number): string;
}

export const OPEN_READ = 0;
export const OPEN_READ_WRITE = 2;
export const OPEN_CREATE = 0o100;
export const OPEN_EXCLUSIVE = 0o200;
export const OPEN_TRUNCATE = 0o1000;
export const OPEN_DIRECTORY = 0o200000;

export const EAGAIN = -11;
