import { report } from '../../../src/diagnostics/report.ts';
import { placeOf } from '../../../src/syntax/places.ts';
import { casesOf } from '../../tests/cases.ts';
import { type Coverage, coverageOf } from '../../tests/coverage.ts';
import type { TestResult } from '../../tests/result.ts';
import { type Ending, hasErrors, refusal } from '../exit.ts';
import type { TestReport } from '../generated/test-result.ts';
import type { Invocation } from '../invocation.ts';
import { judge } from '../judge.ts';
import { junit } from '../junit.ts';
import { runTests } from '../run-tests.ts';
import { save } from '../save.ts';
import { placeJson, testsView } from '../test-view.ts';

/** `vfioplan test`: the tests that the policies have, each on a simulated copy of its machine. */
export async function test(invocation: Invocation): Promise<Ending> {
  const { line, options } = invocation;
  const { loaded, hosts, diagnostics } = judge(invocation);
  const { documents, machines, sources, texts } = loaded;
  const cases = casesOf(documents, {
    names: hosts.map(({ host }) => host),
    machines,
    snapshotOf: (origin, { snapshot }) =>
      snapshot && loaded.snapshotNamed(placeOf(origin, snapshot), snapshot.text),
  });
  // What is wrong with one host may be what a test expects; what is wrong with words and names is not.
  const own = new Set(hosts.flatMap((each) => each.diagnostics));
  const general = [...loaded.diagnostics, ...diagnostics].filter((each) => !own.has(each));
  const unique = [...new Set(general)];
  if (hasErrors(unique)) return refusal(unique, texts);
  const here = cases.filter(({ host }) => options.host === undefined || host === options.host);
  const chosen = here.filter(({ node }) => fits(node.name.text, options.filter));
  const [word] = options.filter;
  if (chosen.length === 0 && word !== undefined) {
    const names = here.map(({ node }) => `\`${node.name.text}\``);
    const cures = [names.length === 0 ? 'there are no tests' : `the tests are ${names.join(', ')}`];
    const what = `no test has \`${word}\` in its name`;
    return refusal([report('VP2910', line.placeOf(word), { what }, { cures })], texts, 'usage');
  }
  const timed = await runTests(invocation, chosen, sources);
  const results = timed.map(({ result }) => result);
  const coverage = coverageOf(documents, results);
  const unsaved = options.junit === undefined ? null : save(invocation, options.junit, junit(timed, texts));
  if (unsaved !== null) return unsaved;
  return {
    exit: results.every(({ passed }) => passed) ? 'done' : 'refused',
    diagnostics: [...unique, ...results.flatMap((each) => each.diagnostics)],
    sources: texts,
    human: testsView(results, coverage, texts, options.coverage),
    json: resultsJson(results, coverage, texts),
  };
}

function fits(name: string, filter: readonly string[]): boolean {
  return filter.length === 0 || filter.some((word) => name.includes(word));
}

function resultsJson(
  results: readonly TestResult[],
  coverage: Coverage,
  texts: ReadonlyMap<string, string>,
): Required<Pick<TestReport, 'tests' | 'coverage'>> {
  const covered = (list: Coverage['unused']) =>
    list.map(({ place, ...each }) => ({ ...each, ...placeJson(place, texts) }));
  return {
    tests: results.map(({ name, host, place, passed, diagnostics, trace }) => ({
      name,
      host,
      ...placeJson(place, texts),
      passed,
      codes: diagnostics.map(({ code }) => code),
      trace,
    })),
    coverage: { ...coverage, unused: covered(coverage.unused), unrefused: covered(coverage.unrefused) },
  };
}
