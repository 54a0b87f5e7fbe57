/**
 * Builds librdkafka's Node module for `test:librdkafka` from what npm has, against the pinned Node's headers and Debian's
 * libraries; a minute or two, once. Nothing is downloaded but the package.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashFiles, stampFits, writeStamp } from './stamp.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = path.join(root, 'scripts/librdkafka');
const stamp = path.join(folder, 'node_modules/.odradek-stamp');
const hash = hashFiles(root, ['scripts/librdkafka/package-lock.json'], process.version);
const headers = path.join(root, 'scripts/toolchain/node_modules', `node-${process.platform}-${process.arch}`);
const LIBRARIES = ['openssl/ssl.h', 'zlib.h', 'zstd.h', 'lz4.h', 'sasl/sasl.h', 'curl/curl.h'];

function npm(words, env = {}) {
  const { status, stdout, stderr } = spawnSync('npm', words, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  process.stderr.write(`${stdout}\n${stderr}\nodradek: npm ${words[0]} failed in scripts/librdkafka\n`);
  const missing = LIBRARIES.filter((header) => !hasHeader(header));
  if (missing.length > 0) process.stderr.write(`odradek: these headers are missing: ${missing.join(', ')}\n`);
  process.exit(1);
}

function hasHeader(header) {
  const places = [
    '/usr/include',
    '/usr/local/include',
    `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
  ];
  return places.some((place) => existsSync(path.join(place, header)));
}

if (!stampFits(stamp, hash)) {
  process.stderr.write('odradek: building librdkafka\n');
  npm(['ci', '--ignore-scripts', '--loglevel=error']);
  const env = {
    // The libraries of the system, instead of sources that would have to be downloaded.
    CKJS_LINKING: 'dynamic',
    npm_config_build_from_source: 'true',
    ...(existsSync(headers) ? { npm_config_nodedir: headers } : {}),
  };
  npm(['rebuild', '@confluentinc/kafka-javascript', '--loglevel=error'], env);
  writeStamp(stamp, hash);
}
