// Builds the native addon, build/Release/addon.node, from binding.gyp: with node-gyp where Python and make are there, else
// with one compiler line made from the same file. Needs no dependency, downloads nothing, and does nothing when nothing changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeLayoutHeader } from './layout-header.mjs';

const ADDON = 'build/Release/addon.node';
const STAMP = 'build/addon.stamp';
const COMPILERS = ['c++', 'g++', 'clang++'];
const PACKAGES = [
  ['apt-get', 'apt install g++'],
  ['dnf', 'dnf install gcc-c++'],
  ['apk', 'apk add g++'],
  ['pacman', 'pacman -S gcc'],
  ['zypper', 'zypper install gcc-c++'],
];

/**
 * @param {object} options
 * @param {string} options.root the project's folder
 * @param {'gyp' | 'line'} [options.method] only this way, and never out of the stamp
 * @param {string} [options.out] where the addon goes; for anything but the usual place there is no stamp
 * @param {string} [options.nodedir] a folder with include/node: the npm package of the pinned Node
 * @returns {{ built: true, method: 'gyp' | 'line' | 'stamp', path: string } | { built: false, reason: string }}
 */
export function buildAddon({ root, method, out, nodedir }) {
  if (process.platform !== 'linux') return failed(`the native addon is for Linux, this is ${process.platform}`);
  const base = resolve(root);
  const path = resolve(base, out ?? ADDON);
  const stampPath = join(base, STAMP);
  // An installed package has the header only.
  if (existsSync(join(base, 'src/runtime/ground/layout.ts'))) writeLayoutHeader(base);
  const stamp = inputsHash(base);
  const stamped = method === undefined && out === undefined;
  if (stamped && existsSync(path) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) {
    return { built: true, method: 'stamp', path };
  }
  const compiler = findCompiler();
  if (compiler === null) return failed(noCompiler());
  mkdirSync(join(base, 'build'), { recursive: true });
  mkdirSync(dirname(path), { recursive: true });
  // Beside the target, so that the last step is a rename within one file system.
  const stage = mkdtempSync(join(dirname(path), '.addon-'));
  try {
    let problem = '';
    if (method !== 'line') {
      const result = withGyp(base, stage, nodedir);
      if (result.file !== undefined) return finish(result.file, path, 'gyp', stamped ? stampPath : null, stamp);
      problem = result.problem;
    }
    if (method !== 'gyp') {
      const result = withLine(base, stage, compiler);
      if (result.file !== undefined) return finish(result.file, path, 'line', stamped ? stampPath : null, stamp);
      problem = result.problem;
    }
    return failed(problem);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function finish(file, path, method, stampPath, stamp) {
  renameSync(file, path);
  if (stampPath !== null) writeFileSync(stampPath, stamp);
  return { built: true, method, path };
}

function failed(reason) {
  return { built: false, reason };
}

/** Everything the addon is made of, and for which machine. */
function inputsHash(base) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  const native = readdirSync(join(base, 'native'))
    .sort()
    .map((name) => `native/${name}`);
  for (const file of ['binding.gyp', ...native]) hash.update(`${file}\n`).update(readFileSync(join(base, file)));
  for (const folder of readBinding(base).include_dirs) {
    const manifest = findModule(base, `${folder.split('/', 2).join('/')}/package.json`);
    hash.update(`${folder}\n`).update(manifest === null ? '' : readFileSync(manifest));
  }
  return hash.digest('hex');
}

/** binding.gyp's one target. Its comments are whole lines. */
function readBinding(base) {
  const text = readFileSync(join(base, 'binding.gyp'), 'utf8').replace(/^\s*#.*$/gm, '');
  return JSON.parse(text).targets[0];
}

/** `node_modules/<package>/...` in this folder or, when we are an installed package ourselves, in one above it. */
function findModule(base, folder) {
  for (let at = base; ; at = dirname(at)) {
    if (existsSync(join(at, folder))) return join(at, folder);
    if (dirname(at) === at) return null;
  }
}

function headersMissing(target) {
  return `no headers to compile with; run: npm install (it brings ${target.include_dirs.join(', ')})`;
}

function withLine(base, stage, compiler) {
  const target = readBinding(base);
  const folders = target.include_dirs.map((folder) => findModule(base, folder));
  if (folders.includes(null)) return { problem: headersMissing(target) };
  const file = join(stage, 'addon.node');
  const run = spawnSync(
    compiler,
    [
      ...target.cflags_cc,
      '-fPIC',
      '-shared',
      '-pthread',
      ...target.defines.map((define) => `-D${define}`),
      ...folders.flatMap((folder) => ['-isystem', folder]),
      ...target.sources,
      ...target.ldflags,
      '-o',
      file,
    ],
    { cwd: base, encoding: 'utf8' },
  );
  if (run.status === 0) return { file };
  return { problem: `the compiler ${compiler} failed: ${firstError(run)}` };
}

/**
 * node-gyp builds in a folder of its own, so it leaves build/ alone and two builds do not meet. Its environment is bare of
 * npm's settings, and its cache is in that folder too: with a node folder given it has no reason to fetch anything.
 */
function withGyp(base, stage, nodedir) {
  const headers = findNodeFolder(base, nodedir);
  if (headers === null) return { problem: 'no folder with Node headers (include/node/common.gypi) was found' };
  const gyp = findGyp();
  if (gyp === null) return { problem: 'node-gyp was not found beside npm' };
  const python = findPython();
  if (python === null) return { problem: 'node-gyp needs Python 3.8 or newer' };
  if (inPath('make') === null) return { problem: 'node-gyp needs make' };
  const target = readBinding(base);
  if (target.include_dirs.some((folder) => findModule(base, folder) === null))
    return { problem: headersMissing(target) };
  cpSync(join(base, 'binding.gyp'), join(stage, 'binding.gyp'));
  cpSync(join(base, 'native'), join(stage, 'native'), { recursive: true });
  for (const folder of target.include_dirs) {
    mkdirSync(dirname(join(stage, folder)), { recursive: true });
    symlinkSync(findModule(base, folder), join(stage, folder));
  }
  const env = { npm_config_nodedir: headers, npm_config_devdir: join(stage, 'cache'), npm_config_python: python };
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^npm_/i.test(name)) env[name] = value;
  }
  const run = spawnSync(
    process.execPath,
    [gyp, 'configure', 'build', '--release', '--jobs=max', '--loglevel=error', `--nodedir=${headers}`],
    { cwd: stage, env, encoding: 'utf8' },
  );
  const file = join(stage, ADDON);
  if (run.status === 0 && existsSync(file)) return { file };
  return { problem: `node-gyp failed: ${firstError(run)}` };
}

function firstError(run) {
  if (run.error !== undefined) return run.error.message;
  const lines = `${run.stderr}\n${run.stdout}`.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /error/i.test(line)) ?? lines[0] ?? `exit code ${run.status}`).trim();
}

function findCompiler() {
  const own = process.env.CXX;
  if (own) return own;
  return COMPILERS.find((name) => inPath(name) !== null) ?? null;
}

function noCompiler() {
  const found = PACKAGES.find(([manager]) => inPath(manager) !== null);
  return `no C++ compiler was found; install one: ${found === undefined ? 'the package g++' : found[1]}`;
}

/** A Python that really runs: a version manager's name in the path may have nothing behind it. */
function findPython() {
  for (const name of ['python3', 'python']) {
    const path = inPath(name);
    if (path === null) continue;
    const run = spawnSync(path, ['-c', 'import sys; print(sys.executable); sys.exit(sys.version_info < (3, 8))'], {
      encoding: 'utf8',
    });
    if (run.status === 0) return run.stdout.trim();
  }
  return null;
}

function findNodeFolder(base, nodedir) {
  const candidates =
    nodedir !== undefined
      ? [nodedir]
      : [join(base, 'node_modules', `node-${process.platform}-${process.arch}`), resolve(process.execPath, '../..')];
  return (
    candidates
      .map((folder) => resolve(folder))
      .find((folder) => existsSync(join(folder, 'include/node/common.gypi'))) ?? null
  );
}

/** node-gyp comes with npm: with the one that runs us, the one in the path, or the one beside this Node. */
function findGyp() {
  const npm = inPath('npm');
  const starts = [
    process.env.npm_execpath,
    npm === null ? undefined : realpathSync(npm),
    resolve(process.execPath, '../../lib/node_modules/npm/bin/npm-cli.js'),
  ];
  for (const start of starts) {
    if (start === undefined) continue;
    const file = resolve(dirname(start), '../node_modules/node-gyp/bin/node-gyp.js');
    if (existsSync(file)) return file;
  }
  return null;
}

function inPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name);
    if (folder !== '' && existsSync(file)) return file;
  }
  return null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = buildAddon({ root: fileURLToPath(new URL('..', import.meta.url)), nodedir: process.argv[2] });
  if (result.built) {
    process.stdout.write(`${result.method === 'stamp' ? 'up to date' : `built (${result.method})`}: ${result.path}\n`);
  } else {
    process.stderr.write(`${result.reason}\n`);
    process.exitCode = 1;
  }
}
