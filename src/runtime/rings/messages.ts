/**
 * What travels in rings. Every message has the same shape: a type, seven int32 (a ... g) and four float64 (w ... z).
 * Payloads stay where they were received; messages name them by offset.
 */

// Acceptor to processor
/** a descriptor, b listener's index */
export const ACCEPTED = 1;

// Processor to handler: `a` is the asker's operation, `b` its part, `c` the partition's slot; z when it was sent, on the
// monotonic clock that all threads share
/** d offset and e length in the processor's intake, f current leader epoch or -1, g flags (FLAG_*) */
export const APPEND = 10;
/** d bytes at most, e flags (FLAG_*), f current leader epoch or -1; w fetch offset */
export const LOCATE = 11;
/** d isolation, f current leader epoch or -1; w timestamp */
export const LIST_OFFSET = 12;
/** w the offset to start at, or -1 for the high watermark */
export const DELETE_RECORDS = 13;
/** d the epoch whose end is wanted, f current leader epoch or -1 */
export const END_OF_EPOCH = 14;

/**
 * d offset and e length in the processor's intake of a request for the coordinator that lives with the partition; `b` is the
 * part that is asked of it, f what tells the operation from earlier ones of its number. w, x, y the client's address
 */
export const COORDINATE = 15;

// Handler to processor: `a` operation, `b` part, `c` error code
/** d what is wrong (RECORD_FAULT) with e a record of the batch, or -1; w base offset, x log append time or -1, y log start offset */
export const APPENDED = 20;
/** d file slot (leased, -1 none), e length, f bytes of the first batch, g what is known of the range; w position, x high watermark, y log start, z last stable */
export const LOCATED = 21;
/** The page cache has it. */
export const RANGE_WARM = 1;
/** Nothing comes to its segment any more. */
export const RANGE_IN_OLDER = 2;
/** d leader epoch; w timestamp, x offset */
export const OFFSET_LISTED = 22;
/** a partition's slot: it has advanced since this processor asked to be told */
export const ADVANCED = 23;
/** w low watermark, -1 with an error */
export const RECORDS_DELETED = 24;
/** d leader epoch, w end offset; -1 for none */
export const EPOCH_END_FOUND = 25;

/** The request is read and its answer comes later: its frame can go */
export const TAKEN = 26;
/** A letter (letters.ts): the answer of a part; or, empty, why there is none in `c` */
export const COORDINATED = 27;

// Anyone to the blocker: `a` the asker's number for it, `b` file slot
/** Make what is written to it durable; a directory is a file here, too. */
export const SYNC = 30;
/** Bring a range into the page cache. w position, x length */
export const READ_AHEAD = 31;
// The blocker's answer: a the asker's number, c errno (0 for none)
export const BLOCKED_DONE = 40;
