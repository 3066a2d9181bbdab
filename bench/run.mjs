// `npm run bench`: bundles the benchmarks as the product is bundled, and runs them. Prints figures and ratios, measured
// side by side in one run; nothing here asserts a time.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { guestPlugin } from '../build/guest-plugin.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outfile = join(root, 'dist', 'bench.mjs');

await build({
  absWorkingDir: root,
  entryPoints: ['bench/bench.ts'],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  loader: { '.md': 'text' },
  plugins: [guestPlugin()],
  logLevel: 'warning',
});
execFileSync(process.execPath, ['--expose-gc', outfile, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
