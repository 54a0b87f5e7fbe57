import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Pieces } from '../../src/base/memory.ts';
import {
  EAGAIN,
  OPEN_CREATE,
  OPEN_DIRECTORY,
  OPEN_EXCLUSIVE,
  OPEN_READ,
  OPEN_READ_WRITE,
  OPEN_TRUNCATE,
} from '../../src/runtime/ground/native.ts';
import { describeNative, good, native, sharedMemory, temporaryFolder } from './kit.ts';

const folder = temporaryFolder();
const FRESH = OPEN_READ_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE;

/** These are not told apart by a path. */
const SOCKET_CALLS = new Set(['sendto', 'sendmsg', 'sendfile', 'recvfrom', 'readv', 'accept4']);
/** Whether a process can be traced here. */
const traced = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;

describeNative('files', () => {
  const memory = sharedMemory(4096);
  memory.bytes.forEach((_, i) => {
    memory.bytes[i] = i % 251;
  });
  let names = 0;
  const fresh = () => join(folder, `file-${names++}`);

  it('are read where asked, short at the end', () => {
    const file = good(native.open(fresh(), FRESH));
    expect(native.write(file, memory.id, 10, 100, 5)).toBe(100);
    expect(native.fileSize(file)).toBe(105);
    const into = sharedMemory(200);
    expect(native.read(file, into.id, 0, 200, 55)).toBe(50);
    expect([...into.bytes.subarray(0, 50)]).toEqual([...memory.bytes.subarray(60, 110)]);
    expect(native.read(file, into.id, 0, 200, 105)).toBe(0);
    expect(native.readNoWait(file, into.id, 0, 20, 5)).toBe(20);
    expect([...into.bytes.subarray(0, 20)]).toEqual([...memory.bytes.subarray(10, 30)]);
    native.unregister(into.id);
    good(native.close(file));
  });

  it('are written from many pieces', () => {
    const path = fresh();
    const file = good(native.open(path, FRESH));
    const pieces = new Pieces();
    for (let i = 0; i < 1024; i++) pieces.add(memory, i, i % 4);
    expect(native.writePieces(file, pieces.table, 2, 1022, 3)).toBe(pieces.totalBytes - 1);
    const expected = Array.from({ length: 1022 }, (_, i) => [
      ...memory.bytes.subarray(i + 2, i + 2 + ((i + 2) % 4)),
    ]).flat();
    expect([...readFileSync(path)]).toEqual([0, 0, 0, ...expected]);
    expect(native.writePieces(file, pieces.table, 0, 0, 0)).toBe(0);
    expect(() => native.writePieces(file, new Int32Array(3 * 1025), 0, 1025, 0)).toThrow('the most is 1024');
    expect(() => native.writePieces(file, pieces.table, 0, 1, -1)).toThrow(TypeError);
    good(native.close(file));
  });

  it('are cut, given space, and made durable', () => {
    const path = fresh();
    const file = good(native.open(path, FRESH));
    expect(native.write(file, memory.id, 0, 4096, 0)).toBe(4096);
    good(native.truncate(file, 10));
    expect(native.fileSize(file)).toBe(10);
    good(native.allocate(file, 0, 1 << 20, true));
    expect(native.fileSize(file)).toBe(10);
    expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(1 << 20);
    good(native.allocate(file, 0, 8192, false));
    expect(native.fileSize(file)).toBe(8192);
    good(native.startWriteback(file, 0, 8192));
    good(native.readAhead(file, 0, 8192));
    good(native.syncData(file));
    good(native.syncAll(file));
    const directory = good(native.open(folder, OPEN_READ | OPEN_DIRECTORY));
    good(native.syncAll(directory));
    good(native.close(directory));
    good(native.close(file));
  });

  it('open as the flags say', () => {
    const path = fresh();
    expect(native.errorName(native.open(path, OPEN_READ))).toBe('ENOENT');
    const file = good(native.open(path, FRESH));
    good(native.write(file, memory.id, 0, 10, 0));
    expect(native.errorName(native.open(path, FRESH))).toBe('EEXIST');
    expect(native.errorName(native.open(path, OPEN_READ | OPEN_DIRECTORY))).toBe('ENOTDIR');
    expect(native.errorName(native.open(folder, OPEN_READ_WRITE))).toBe('EISDIR');
    const reader = good(native.open(path, OPEN_READ));
    expect(native.errorName(native.write(reader, memory.id, 0, 10, 0))).toBe('EBADF');
    good(native.close(good(native.open(path, OPEN_READ_WRITE | OPEN_TRUNCATE))));
    expect(native.fileSize(file)).toBe(0);
    expect(() => native.open(path, 1 << 30)).toThrow('open flags');
    expect(() => native.open(`${path}\0x`, OPEN_READ)).toThrow('NUL');
    expect(() => native.open('x'.repeat(5000), OPEN_READ)).toThrow('longer than 4095');
    const long = join(folder, 'ü'.repeat(60));
    good(native.close(good(native.open(long, FRESH))));
    expect(existsSync(long)).toBe(true);
    good(native.close(reader));
    good(native.close(file));
    expect(native.errorName(native.close(file))).toBe('EBADF');
    expect(native.errorName(native.fileSize(file))).toBe('EBADF');
  });

  it('say when the disk is full', () => {
    const full = good(native.open('/dev/full', OPEN_READ_WRITE));
    const pieces = new Pieces();
    pieces.add(memory, 0, 10);
    expect(native.errorName(native.write(full, memory.id, 0, 10, 0))).toBe('ENOSPC');
    expect(native.errorName(native.writePieces(full, pieces.table, 0, 1, 0))).toBe('ENOSPC');
    good(native.close(full));
    const path = `/dev/shm/odradek-${process.pid}`;
    const file = good(native.open(path, FRESH));
    try {
      expect(native.errorName(native.allocate(file, 0, 2 ** 50, false))).toBe('ENOSPC');
    } finally {
      good(native.close(file));
      spawnSync('rm', [path]);
    }
  });

  it('write less than asked at the limit of a file, then nothing', () => {
    const script = new URL('./limited-write.ts', import.meta.url).pathname;
    const command = `trap '' XFSZ; ulimit -f 1; exec "${process.execPath}" "${script}" "${fresh()}"`;
    const run = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    // sh counts in 512 bytes, bash in 1024.
    const [first, gathered, second] = run.stdout.trim().split(' ');
    expect(first).toBe(gathered);
    expect([512, 1024]).toContain(Number(first));
    expect(second).toBe('EFBIG');
  });

  it('are locked by one descriptor at a time', () => {
    const path = fresh();
    const [one, two] = [good(native.open(path, FRESH)), good(native.open(path, OPEN_READ_WRITE))];
    good(native.lock(one));
    expect(native.lock(two)).toBe(EAGAIN);
    good(native.lock(one));
    good(native.close(one));
    good(native.lock(two));
    good(native.close(two));
  });

  describe.runIf(traced)('when a signal cuts in', () => {
    it.each([
      ['pwrite64', 'write'],
      ['pwritev', 'writePieces'],
      ['pread64', 'read'],
      ['preadv2', 'readNoWait'],
      ['ftruncate', 'truncate'],
      ['fallocate', 'allocate'],
      ['fdatasync', 'syncData'],
      ['fsync', 'syncAll'],
      ['sync_file_range', 'startWriteback'],
      ['sendto', 'send'],
      ['sendmsg', 'sendPieces'],
      ['sendfile', 'sendFile'],
      ['recvfrom', 'receive'],
      ['readv', 'receiveTwo'],
      ['accept4', 'accept'],
    ])('%s is called again', (systemCall, name) => {
      const script = new URL('./interrupted-call.ts', import.meta.url).pathname;
      const path = fresh();
      const only = SOCKET_CALLS.has(systemCall) ? [] : ['-P', path];
      const inject = ['-e', `trace=${systemCall}`, '-e', `inject=${systemCall}:error=EINTR:when=1`];
      const command = ['-o', `${path}.trace`, ...only, ...inject, process.execPath, script, name, path];
      const run = spawnSync('strace', command, { encoding: 'utf8', timeout: 20_000 });
      expect(run.stderr).toBe('');
      expect(run.status).toBe(0);
      const calls = readFileSync(`${path}.trace`, 'utf8').split('\n');
      expect(calls.findIndex((line) => line.includes('EINTR') && line.includes('(INJECTED)'))).toBe(0);
      expect(calls[1]).toMatch(new RegExp(`^${systemCall}.* = \\d+$`));
    });
  });
});
