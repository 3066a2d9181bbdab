// `npm run test:lab [WORD…]`: the scenarios of the lab (those whose name has one of the words) on a real Linux kernel
// under QEMU. Needs no hardware, no root and no network, only Debian packages; says which when they are missing.
import { register } from 'tsx/esm/api';
import { install, kernel, missingPackages } from './kernel/build.mjs';
import { NEEDS } from './needs.mjs';

try {
  const missing = missingPackages(NEEDS);
  if (missing.length > 0) throw new Error(install(missing));
  const folder = await kernel('6.12', (line) => process.stderr.write(`${line}\n`));
  register();
  const { runLab } = await import('./lab.ts');
  process.exitCode = (await runLab(folder, process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
