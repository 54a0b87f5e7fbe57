/** One line per event. Rooms say what happened with values; the shell decides where lines go. */
export interface Logger {
  debug(event: string, values?: Record<string, unknown>): void;
  info(event: string, values?: Record<string, unknown>): void;
  warn(event: string, values?: Record<string, unknown>): void;
  error(event: string, values?: Record<string, unknown>): void;
}

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
