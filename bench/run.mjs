// `npm run bench`: bundles the benchmarks as the product is bundled, and runs them. Prints figures and ratios, measured
// side by side in one run; nothing here asserts a time.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { guestPlugin } from '../build/guest-plugin.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const programs = [['bench'], ['steps', '--in-place'], ['steps']];
const outdir = join(root, 'dist', 'bench');

await build({
  absWorkingDir: root,
  entryPoints: ['bench/bench.ts', 'bench/steps.ts'],
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  loader: { '.md': 'text' },
  plugins: [guestPlugin()],
  logLevel: 'warning',
});
for (const [name, ...how] of programs) {
  const program = join(outdir, `${name}.mjs`);
  execFileSync(process.execPath, ['--expose-gc', program, ...how], {
    cwd: root,
    stdio: 'inherit',
  });
}
