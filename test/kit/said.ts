/** A logger that keeps what it is told. */
import type { Logger } from '../../src/base/logger.ts';

export interface Saying {
  readonly level: keyof Logger;
  readonly event: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly (keyof Logger)[];

export class Said {
  readonly all: Saying[] = [];
  readonly logger: Logger;

  constructor() {
    const keep =
      (level: keyof Logger) =>
      (event: string, values: Record<string, unknown> = {}) => {
        this.all.push({ level, event, values });
      };
    this.logger = Object.fromEntries(LEVELS.map((level) => [level, keep(level)])) as unknown as Logger;
  }

  of(event: string): Saying[] {
    return this.all.filter((one) => one.event === event);
  }
}
