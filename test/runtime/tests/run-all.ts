import { casesOf } from '../../../runtime/tests/cases.ts';
import { Ground } from '../../../runtime/tests/ground.ts';
import type { TestResult } from '../../../runtime/tests/result.ts';
import { runTest } from '../../../runtime/tests/run.ts';
import { check } from '../../../src/check/check.ts';
import type { CheckInput } from '../../../src/check/checked.ts';
import { readDocument } from '../../../src/syntax/read.ts';

/** Every test of the sources; a test on a snapshot finds it among the machines, by its path. */
export async function runAll(input: CheckInput): Promise<readonly TestResult[]> {
  const { sources, machines } = input;
  const documents = sources.map(({ file, text }) => readDocument(file, text).document);
  const cases = casesOf(documents, {
    names: check(input).hosts.map(({ host }) => host),
    machines,
    snapshotOf: (_, { snapshot }) => machines.find(({ name }) => name === snapshot?.text)?.snapshot,
  });
  const ground = new Ground(input);
  const results: TestResult[] = [];
  for (const each of cases) results.push(await runTest(each, ground, {}));
  return results;
}
