import { lineIndex, positionAt } from '../../grammar/lines.ts';
import type { Place } from '../../src/diagnostics/diagnostic.ts';
import type { Coverage } from '../tests/coverage.ts';
import type { TestResult, TraceStep } from '../tests/result.ts';
import { counted, printable } from './words.ts';

/** Tests as a person reads them: each with its verdict, those that failed with what was done, and what none has shown. */
export function testsView(
  results: readonly TestResult[],
  coverage: Coverage,
  texts: ReadonlyMap<string, string>,
  whole: boolean,
): string {
  if (results.length === 0) return 'the policies have no tests\n';
  const lines = results.flatMap((result) => {
    const head = `${result.passed ? 'ok    ' : 'FAILED'}  ${result.name} (${result.host})`;
    return result.passed ? [head] : [head, ...failureLines(result, texts)];
  });
  const failed = results.filter(({ passed }) => !passed).length;
  lines.push(
    `${counted(results.length, 'test')}: ${failed === 0 ? 'all passed' : `${failed} failed`}`,
    `${coverage.exercised} of ${counted(coverage.statements, 'statement') || 'no statements'} exercised`,
  );
  if (whole) {
    const left = (why: string, list: Coverage['unused']) =>
      list.map(
        ({ policy, place }) => `  ${why}: ${placeText(place, texts)} in ${policy}: ${quote(place, texts)}`,
      );
    lines.push(...left('not exercised', coverage.unused), ...left('refused nothing', coverage.unrefused));
    if (coverage.refusals.length > 0) lines.push(`  refusals seen: ${coverage.refusals.join(', ')}`);
  }
  return `${lines.map(printable).join('\n')}\n`;
}

/** What was done, one call a line, with the guard that refused; and what was not as the test says. */
export function failureLines(
  { trace, diagnostics }: TestResult,
  texts: ReadonlyMap<string, string>,
): readonly string[] {
  const ends = diagnostics.flatMap(({ code, message, place, causes }) => [
    `  end  ${placeText(place, texts)}: ${code}: ${message}`,
    ...causes.map((cause) => `         because: ${cause}`),
  ]);
  return [...traceLines(trace), ...ends];
}

function traceLines(trace: readonly TraceStep[]): readonly string[] {
  return trace.flatMap(({ who, what, answer, reason }, index) => [
    `  ${String(index + 1).padStart(3)}  ${who}: ${what} = ${answer}`,
    ...(reason === undefined ? [] : [`         ${reason.words} (${reason.citation})`]),
  ]);
}

function positionOf(
  { file, span }: Place,
  texts: ReadonlyMap<string, string>,
): { line: number; column: number } {
  return positionAt(lineIndex(texts.get(file) ?? ''), span.start);
}

/** For programs: the file, and line and column from 1. */
export function placeJson(
  place: Place,
  texts: ReadonlyMap<string, string>,
): { readonly file: string; readonly line: number; readonly column: number } {
  const { line, column } = positionOf(place, texts);
  return { file: place.file, line, column };
}

function placeText(place: Place, texts: ReadonlyMap<string, string>): string {
  const { line, column } = positionOf(place, texts);
  return `${place.file}:${line}:${column}`;
}

function quote({ file, span }: Place, texts: ReadonlyMap<string, string>): string {
  const text = (texts.get(file) ?? '').slice(span.start, span.end).replace(/\s+/g, ' ');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
