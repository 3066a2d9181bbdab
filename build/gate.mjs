// `npm test`: types, lint, then every test that needs Node alone. Ends with one line, `N passed, N failed`; the two
// checks count as one test each.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const count = { passed: 0, failed: 0 };

function node(script, ...args) {
  const command = [join(root, 'node_modules', script), ...args];
  return spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' }).status === 0;
}

function check(name, passed) {
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name}`);
  count[passed ? 'passed' : 'failed'] += 1;
}

function tests() {
  const folder = mkdtempSync(join(tmpdir(), 'vfioplan-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const passed = node('vitest/vitest.mjs', 'run', ...reporters);
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    count.passed += numPassedTests;
    count.failed += numFailedTests;
    // A file that cannot be loaded, or an error outside any test, has no failed test of its own.
    if (!passed && numFailedTests === 0) count.failed += 1;
  } catch (error) {
    console.error(`the tests left no report: ${error.message}`);
    count.failed += 1;
  }
  rmSync(folder, { recursive: true, force: true });
}

check('types', node('ts7/bin/tsc', '--noEmit', '-p', 'tsconfig.json'));
check('lint and format', node('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'));
tests();
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exit(count.failed === 0 ? 0 : 1);
