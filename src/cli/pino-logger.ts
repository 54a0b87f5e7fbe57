/** Log lines on standard error, one JSON object per event. What cannot be written is lost, and nobody is the worse for it. */
import { pino } from 'pino';
import type { Logger } from '../base/logger.ts';

const STDERR = 2;
/** Of lines that could not be written yet: what comes beyond is lost. */
const UNWRITTEN_BYTES_MAX = 1_048_576;

export function pinoLogger(level: 'debug' | 'info' | 'warn' | 'error'): Logger {
  // Written at once, so that the last words before an exit are not lost.
  const destination = pino.destination({ dest: STDERR, sync: true, maxLength: UNWRITTEN_BYTES_MAX });
  destination.on('error', () => {});
  const log = pino({ level, base: undefined, messageKey: 'event' }, destination);
  return {
    debug: (event, values) => log.debug(values ?? {}, event),
    info: (event, values) => log.info(values ?? {}, event),
    warn: (event, values) => log.warn(values ?? {}, event),
    error: (event, values) => log.error(values ?? {}, event),
  };
}
