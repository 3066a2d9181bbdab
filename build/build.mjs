// Bundles what is published: the command line (one entry, a chunk for each command, and the thread that runs tests), the library, its declarations and
// the editor's page. `--if-changed` skips all of it when no input changed since the last build.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { guestPlugin } from './guest-plugin.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const stamp = join(dist, '.inputs');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

function filesUnder(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !/[/\\](dist|node_modules)([/\\]|$)/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name));
}

function inputsDigest() {
  const hash = createHash('sha256');
  const files = ['grammar', 'src', 'runtime', 'editor', 'examples', 'build'].flatMap(filesUnder);
  files.push(join(root, 'package-lock.json'), join(root, 'package.json'));
  for (const file of files.sort()) {
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

async function bundle() {
  const shared = {
    absWorkingDir: root,
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: ['koffi'],
    define: { VFIOPLAN_VERSION: JSON.stringify(version) },
    loader: { '.md': 'text' },
    plugins: [guestPlugin()],
    logLevel: 'warning',
    minifySyntax: true,
    minifyWhitespace: true,
    // Bundled CommonJS packages ask for Node's own modules through require().
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  };
  const entries = { vfioplan: 'runtime/cli/main.ts', 'test-worker': 'runtime/cli/test-worker.ts' };
  await build({ ...shared, entryPoints: entries, chunkNames: 'chunks/[name]-[hash]', splitting: true });
  await build({ ...shared, entryPoints: { index: 'src/index.ts' } });
}

function run(script, ...args) {
  execFileSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
}

const digest = inputsDigest();
const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
if (!(fresh && process.argv.includes('--if-changed'))) {
  console.error('Building …');
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  await bundle();
  chmodSync(join(dist, 'vfioplan.mjs'), 0o755);
  // `vfioplan explain` reads them beside the program.
  cpSync(join(root, 'src/diagnostics/pages'), join(dist, 'pages'), { recursive: true });
  run('ts7/bin/tsc', '-p', 'tsconfig.types.json');
  run('vite/bin/vite.js', 'build', 'editor', '--logLevel', 'warn');
  writeFileSync(stamp, digest);
}
