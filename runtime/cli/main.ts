#!/usr/bin/env node
import { version } from './version.ts';

/**
 * The program. `--version` answers before anything else is loaded; everything after that is `run()`, which knows the
 * world only as the `Io` that is made here.
 */
if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-V')) {
  process.stdout.write(`${version}\n`);
} else {
  const [{ run }, { processIo }] = await Promise.all([import('./run.ts'), import('./process-io.ts')]);
  process.exitCode = await run(process.argv.slice(2), processIo(new URL('.', import.meta.url)));
}
