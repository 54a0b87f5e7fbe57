/** Sockets and files of threads that died belong to the process and stay open unless somebody closes them: here. */
import { closeSync } from 'node:fs';
import { FileTable } from '../log/leases.ts';
import { loadAddon } from '../runtime/ground/addon.ts';

export interface LeftOpen {
  readonly transport: 'native' | 'portable';
  /** The table of open log files. */
  readonly files: SharedArrayBuffer;
  /** Descriptors of open connections, -1 where there is none. */
  readonly sockets: Iterable<SharedArrayBuffer>;
}

export function closeLeftOpen({ transport, files, sockets }: LeftOpen): void {
  const descriptors = new FileTable(new Int32Array(files)).abandon();
  const native = transport === 'native' ? loadAddon() : null;
  if (native === null) {
    for (const descriptor of descriptors) closeSync(descriptor);
    return;
  }
  for (const descriptor of descriptors) native.close(descriptor);
  for (const memory of sockets) {
    for (const descriptor of new Int32Array(memory)) if (descriptor >= 0) native.close(descriptor);
  }
}
