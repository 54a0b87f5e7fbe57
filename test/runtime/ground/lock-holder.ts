/** Holds a lock until killed. */
import { loadAddon } from '../../../src/runtime/ground/addon.ts';
import type { Native } from '../../../src/runtime/ground/native.ts';
import { NativeDisk } from '../../../src/runtime/ground/native-disk.ts';
import { PortableDisk } from '../../../src/runtime/ground/portable-disk.ts';

const [path, kind] = process.argv.slice(2) as [string, string];
const disk = kind === 'portable' ? new PortableDisk() : new NativeDisk(loadAddon() as Native);
disk.lock(path);
process.stdout.write('locked\n');
setInterval(() => {}, 60_000);
