/**
 * Where things lie in memory that threads or the addon share. The addon's header (`native/layout.h`) is made from the
 * plain `export const NAME = number;` lines of this file, so a fact stands here and nowhere else.
 */

/** A gather list entry: memory id, offset, length (int32 each). */
export const PIECE_BYTES = 12;
export const PIECE_MEMORY = 0;
export const PIECE_OFFSET = 4;
export const PIECE_LENGTH = 8;

/** What `poll` writes for each ready descriptor: the token it was registered with and the event bits (int32 each). */
export const EVENT_BYTES = 8;
export const EVENT_TOKEN = 0;
export const EVENT_BITS = 4;
export const EVENT_READ = 1;
export const EVENT_WRITE = 4;
export const EVENT_ERROR = 8;
export const EVENT_HANGUP = 16;
/** The other end has closed its sending side, or is gone. */
export const EVENT_GONE = 8192;

/** What `cutFrames` writes for each whole frame: where its body starts and how long it is (int32 each). */
export const FRAME_BYTES = 8;
export const FRAME_START = 0;
export const FRAME_LENGTH = 4;
