/** Writes more than the limit of a file's size lets it; prints what two kinds of write came to, and what follows. */
import { createRequire } from 'node:module';
import { PIECE_BYTES } from '../../src/runtime/ground/layout.ts';
import { type Native, OPEN_CREATE, OPEN_READ_WRITE } from '../../src/runtime/ground/native.ts';

const native = createRequire(import.meta.url)('../../build/Release/addon.node') as Native;
const path = process.argv[2] as string;
const memory = native.register(new Uint8Array(4096));
const table = new Int32Array((PIECE_BYTES / 4) * 2);
table.set([memory, 0, 100, memory, 0, 4096]);
const [one, two] = [
  native.open(path, OPEN_READ_WRITE | OPEN_CREATE),
  native.open(`${path}-2`, OPEN_READ_WRITE | OPEN_CREATE),
];
const first = native.write(one, memory, 0, 4096, 0);
const gathered = native.writePieces(two, table, 0, 2, 0);
const second = native.errorName(native.write(one, memory, 0, 10, first));
process.stdout.write(`${first} ${gathered} ${second}\n`);
