// `npm run test:lab -- [--kernel K]… [WORD…]`: the lab (those of its jobs whose name has one of the words) on real Linux
// kernels under QEMU, 6.12 and the one with iommufd’s self-test unless others are asked for. Needs no hardware, no root and
// no network, only Debian packages; says which when they are missing.
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';
import { install, KERNELS, kernel, missingPackages, SELFTEST } from './kernel/build.mjs';
import { NEEDS } from './needs.mjs';

try {
  const { values, positionals } = parseArgs({
    options: { kernel: { type: 'string', multiple: true, default: ['6.12', SELFTEST] } },
    allowPositionals: true,
  });
  const missing = missingPackages(NEEDS);
  if (missing.length > 0) throw new Error(install(missing));
  const folders = {};
  for (const series of values.kernel) {
    if (!KERNELS.includes(series)) throw new Error(`no kernel ${series} here: ${KERNELS.join(', ')}`);
    folders[series] = await kernel(series, (line) => process.stderr.write(`${line}\n`));
  }
  register();
  const { runLab } = await import('./lab.ts');
  process.exitCode = (await runLab(folders, positionals)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
