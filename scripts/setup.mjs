/**
 * Brings a clone to the point where it runs, on whatever Node (20 or newer) the machine has: dependencies and the pinned
 * Node from npm, JavaScript in `dist/`, the addon in `build/`. Each step is behind a stamp, so that a second run only
 * compares hashes. `node scripts/setup.mjs install` does the first step alone.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesUnder, hashFiles, stampFits, writeStamp } from './stamp.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => path.join(root, ...parts);
const WINDOWS = process.platform === 'win32';
const TOOLCHAIN = 'scripts/toolchain';
const PLATFORM = `${WINDOWS ? 'win' : process.platform}-${process.arch}`;
const PINNED = path.join(TOOLCHAIN, 'node_modules', `node-${PLATFORM}`);
const PINNED_NODE = at(PINNED, 'bin', WINDOWS ? 'node.exe' : 'node');
/** What the tools and the broker need where there is no pinned Node for the platform. */
const NODE_MAJOR_MIN = 22;

function say(line) {
  process.stderr.write(`odradek: ${line}\n`);
}

class StepFailed extends Error {}

/** Runs a command; shows what it printed only when it failed. */
function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], shell: WINDOWS && command === 'npm' });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => reject(new StepFailed(`${command} did not start: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new StepFailed(
            `${Buffer.concat(output).toString().trimEnd()}\n${args.map((word) => path.basename(word)).join(' ')} failed`,
          ),
        );
    });
  });
}

function installed(cwd) {
  const words = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  return npm ? run(process.execPath, [npm, ...words], cwd) : run('npm', words, cwd);
}

/** Puts the pinned Node first on the path of every npm script. */
function linkNode() {
  mkdirSync(at('node_modules/.bin'), { recursive: true });
  if (!existsSync(PINNED_NODE)) return;
  if (WINDOWS) {
    writeFileSync(at('node_modules/.bin/node.cmd'), `@"${PINNED_NODE}" %*\r\n`);
    // `npm start` says exec, which is a word of the shell elsewhere.
    writeFileSync(at('node_modules/.bin/exec.cmd'), '@%*\r\n');
    return;
  }
  rmSync(at('node_modules/.bin/node'), { force: true });
  symlinkSync(path.join('../..', PINNED, 'bin/node'), at('node_modules/.bin/node'));
}

async function install() {
  const stamp = at('node_modules/.odradek-stamp');
  const hash = hashFiles(root, ['package-lock.json', `${TOOLCHAIN}/package-lock.json`], PLATFORM);
  if (stampFits(stamp, hash)) return;
  say('installing dependencies');
  await Promise.all([installed(root), installed(at(TOOLCHAIN))]);
  linkNode();
  if (!existsSync(PINNED_NODE) && Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
    const found = `this machine has ${process.version}`;
    throw new StepFailed(`there is no pinned Node for ${PLATFORM} and ${found}: install Node 24 and try again`);
  }
  writeStamp(stamp, hash);
}

async function compile() {
  const stamp = at('dist/.stamp');
  const sources = filesUnder(root, 'src');
  const hash = hashFiles(root, [
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/bundle.mjs',
    'scripts/entries.mjs',
    ...sources,
  ]);
  if (stampFits(stamp, hash)) return;
  say('compiling TypeScript to dist/');
  await run(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], root);
  const expected = new Set(sources.map((file) => path.relative('src', file).replace(/\.ts$/, '')));
  for (const file of filesUnder(root, 'dist')) {
    if (!expected.has(path.relative('dist', file).replace(/(\.d\.ts|\.js)$/, ''))) rmSync(at(file));
  }
  await run(existsSync(PINNED_NODE) ? PINNED_NODE : process.execPath, [at('scripts/bundle.mjs'), at('dist')], root);
  writeStamp(stamp, hash);
}

async function addon() {
  const { buildAddon } = await import('./build-addon.mjs');
  const result = await buildAddon({ root, nodedir: existsSync(PINNED_NODE) ? at(PINNED) : undefined });
  if (!result.built) say(`no addon, so the portable transport runs (slower, same behaviour): ${result.reason}`);
  else if (result.method !== 'stamp') say('built the addon');
}

const steps = process.argv[2] === 'install' ? [install] : [install, compile, addon];
try {
  for (const step of steps) await step();
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  say(error.message);
  process.exitCode = 1;
}
