import type { TestResult } from '../tests/result.ts';
import { placeJson, traceLines } from './test-view.ts';

/** Results as JUnit's XML, which build servers show: a suite for each file, times in seconds. */
export function junit(
  results: readonly TestResult[],
  seconds: readonly number[],
  texts: ReadonlyMap<string, string>,
): string {
  const files = new Map<string, string[]>();
  const failures = new Map<string, number>();
  for (const [index, result] of results.entries()) {
    const { file } = result.place;
    const cases = files.get(file) ?? [];
    files.set(file, cases);
    cases.push(testCase(result, seconds[index] ?? 0, texts));
    if (!result.passed) failures.set(file, (failures.get(file) ?? 0) + 1);
  }
  const suites = [...files].map(([file, cases]) => {
    const counts = `tests="${cases.length}" failures="${failures.get(file) ?? 0}"`;
    return `  <testsuite name="${escaped(file)}" ${counts}>\n${cases.join('')}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

function testCase(result: TestResult, time: number, texts: ReadonlyMap<string, string>): string {
  const { name, host, place, passed, diagnostics, trace } = result;
  const where = `file="${escaped(place.file)}" line="${placeJson(place, texts).line}"`;
  const head = `    <testcase name="${escaped(name)}" classname="${escaped(host)}" ${where} time="${time.toFixed(3)}"`;
  if (passed) return `${head}/>\n`;
  const failures = diagnostics.map(({ code, message }) => {
    const text = escaped(traceLines(trace).join('\n'));
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
