import type { TestResult } from '../tests/result.ts';
import type { TimedResult } from './run-tests.ts';
import { failureLines, placeJson } from './test-view.ts';

/** Results as JUnit's XML, which build servers show: a suite for each file, times in seconds. */
export function junit(results: readonly TimedResult[], texts: ReadonlyMap<string, string>): string {
  const files = new Map<string, TimedResult[]>();
  for (const timed of results) {
    const { file } = timed.result.place;
    const its = files.get(file);
    if (its === undefined) files.set(file, [timed]);
    else its.push(timed);
  }
  const suites = [...files].map(([file, its]) => {
    const cases = its.map(({ result, seconds }) => testCase(result, seconds, texts));
    return `  <testsuite name="${escaped(file)}" ${totals(its)}>\n${cases.join('')}  </testsuite>\n`;
  });
  const head = `<testsuites ${totals(results)}>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${suites.join('')}</testsuites>\n`;
}

/** The time is that of all tests, one after the other. */
function totals(results: readonly TimedResult[]): string {
  const failures = results.filter(({ result }) => !result.passed).length;
  const time = results.reduce((sum, { seconds }) => sum + seconds, 0);
  return `tests="${results.length}" failures="${failures}" time="${time.toFixed(3)}"`;
}

function testCase(result: TestResult, time: number, texts: ReadonlyMap<string, string>): string {
  const { name, host, place, passed, diagnostics } = result;
  const where = `file="${escaped(place.file)}" line="${placeJson(place, texts).line}"`;
  const head = `    <testcase name="${escaped(name)}" classname="${escaped(host)}" ${where} time="${time.toFixed(3)}"`;
  if (passed) return `${head}/>\n`;
  const failures = diagnostics.map(({ code, message }) => {
    const text = escaped(failureLines(result, texts).join('\n'));
    return `      <failure type="${code}" message="${escaped(message)}">${text}</failure>\n`;
  });
  return `${head}>\n${failures.join('')}    </testcase>\n`;
}

/** XML 1.0 has no other control characters than tab and line breaks, not even as references. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;');
}
