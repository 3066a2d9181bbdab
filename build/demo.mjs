// `npm start`: the first example, the whole way, with the commands a person would type.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const policy = 'examples/01-nic-without-iommu/policy.vfio';
// A fixed day, so that the example's permission has not expired whenever this is run.
const day = ['--today', '2026-12-01'];

for (const command of ['check', 'plan', 'apply']) {
  console.log(`\n$ npx vfioplan ${command} ${policy}`);
  const run = spawnSync(process.execPath, ['dist/vfioplan.mjs', command, policy, ...day], {
    cwd: root,
    stdio: 'inherit',
  });
  if (run.status !== 0) process.exit(run.status ?? 70);
}
console.log(
  '\nNothing on this machine was changed: that was a rehearsal on a simulated kernel. More: npx vfioplan --help',
);
