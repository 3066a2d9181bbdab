// `npm run test:lab [WORD…]`: the lab (those of its jobs whose name has one of the words) on real Linux kernels under
// QEMU. Needs no hardware, no root and no network, only Debian packages; says which when they are missing.
import { register } from 'tsx/esm/api';
import { install, kernel, missingPackages, SERIES } from './kernel/build.mjs';
import { NEEDS } from './needs.mjs';

try {
  const missing = missingPackages(NEEDS);
  if (missing.length > 0) throw new Error(install(missing));
  const folders = {};
  for (const series of SERIES) {
    folders[series] = await kernel(series, (line) => process.stderr.write(`${line}\n`));
  }
  register();
  const { runLab } = await import('./lab.ts');
  process.exitCode = (await runLab(folders, process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
