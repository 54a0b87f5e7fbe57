/** Log lines on standard error, one JSON object per event. */
import { pino } from 'pino';
import type { Logger } from '../base/logger.ts';

const STDERR = 2;

export function pinoLogger(level: 'debug' | 'info' | 'warn' | 'error'): Logger {
  // Written at once, so that the last words before an exit are not lost.
  const log = pino({ level, base: undefined, messageKey: 'event' }, pino.destination({ dest: STDERR, sync: true }));
  return {
    debug: (event, values) => log.debug(values ?? {}, event),
    info: (event, values) => log.info(values ?? {}, event),
    warn: (event, values) => log.warn(values ?? {}, event),
    error: (event, values) => log.error(values ?? {}, event),
  };
}
