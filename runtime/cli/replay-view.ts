import type { Diagnostic, KernelAnswer } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import type { Trace, TraceCall } from '../../src/wire/trace.ts';
import type { Divergence, Replay } from '../trace/replay.ts';
import { answerWords, type Difference } from '../trace/results.ts';
import type { Reason } from '../trace/shadow.ts';
import { operationWords } from '../trace/words.ts';
import { counted, printable } from './words.ts';

/** How many operations are shown before and after the one that differs. */
const around = 3;

/** How many guards that did not apply are named. */
const mostGuards = 4;

/** What a replay found, for a person: the summary, or the operations around the first that differs. */
export function replayView(trace: Trace, replay: Replay): string {
  const { made, compared, observations, untold, divergence, profile } = replay;
  const told = [
    counted(compared, 'answer'),
    counted(observations, 'observation'),
    untold === 0 ? '' : `${untold} not told whole`,
  ].filter((words) => words !== '');
  const counts = `${counted(made, 'operation') || 'no operation'} on the simulated kernel ${profile}`;
  const compares = told.length === 0 ? 'nothing to compare' : `compared: ${told.join(', ')}`;
  if (divergence === undefined) return `agrees: ${counts}; ${compares}\n`;
  return `differs: after ${counts}; ${compares}\n\n${surroundings(trace, divergence)}`;
}

/** The divergence as a diagnostic: expected, got and why. */
export function divergenceReport({ call, differences, reason, silent, tried }: Divergence): Diagnostic {
  const [first, ...others] = differences;
  if (first === undefined) throw new Error('a divergence without a difference');
  const operation = printable(operationWords(call.record.operation, call.record.untold));
  const causes = others.map(
    (other) =>
      `${subjectWords(other)} is ${quoted(other.expected)} in the trace too, and ${quoted(other.got)} here`,
  );
  if (tried > 1)
    causes.push(
      `what the trace does not tell was tried in ${tried} ways, and no way is answered so; this is the plainest`,
    );
  causes.push(
    ...silent.slice(0, mostGuards).map((guard) => `this guard did not apply here: ${reasonWords(guard)}`),
  );
  if (silent.length > mostGuards) causes.push(`nor did ${silent.length - mostGuards} more that answer so`);
  if (first.subject === 'answer' && reason === null && silent.length === 0)
    causes.push('no guard of the model refuses it here, nor would one answer so');
  const kernel = reason === null ? undefined : kernelAnswer(operation, reason);
  if (reason !== null && kernel === undefined) causes.push(`here it waits: ${reasonWords(reason)}`);
  const holes = {
    operation,
    subject: subjectWords(first),
    expected: quoted(first.expected),
    got: quoted(first.got),
  };
  const cures = [
    'where a real kernel answered so, the model is wrong: please report it with the trace',
    'where the trace was written by hand, correct the line',
  ];
  return report('VP6201', call.place, holes, { causes, cures, ...(kernel === undefined ? {} : { kernel }) });
}

function kernelAnswer(operation: string, { words, errno, citation }: Reason): KernelAnswer | undefined {
  return errno === null ? undefined : { step: `\`${operation}\``, guard: words, errno, citation };
}

function subjectWords({ subject }: Difference): string {
  if (subject === 'answer') return 'the answer';
  return subject === 'taint' || subject === 'log' ? `the ${subject}` : `\`${subject}\``;
}

function reasonWords({ words, citation }: Reason): string {
  return `${words} (${citation})`;
}

function surroundings(trace: Trace, { call, got }: Divergence): string {
  const calls = trace.records.flatMap(({ record, line }) =>
    record.record === 'call' ? [{ record, line }] : [],
  );
  const at = calls.findIndex(({ line }) => line === call.line);
  const shown = calls.slice(Math.max(0, at - around), at + around + 1);
  const wide = String(shown.at(-1)?.line ?? 0).length;
  const rows = shown.map(({ record, line }) => {
    const mark = line === call.line ? '>' : ' ';
    const here = line === call.line ? `   here: ${answerWords(record.operation, got)}` : '';
    return `${mark} ${String(line).padStart(wide)}  ${callWords(record)}${here}\n`;
  });
  return rows.join('');
}

function callWords(call: TraceCall): string {
  const { process, operation, result } = call;
  const answer = result === undefined ? 'not told' : answerWords(operation, result);
  return `${process}: ${printable(operationWords(operation, call.untold))} = ${printable(answer)}`;
}

function quoted(text = ''): string {
  const line = text.split('\n').join('; ');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
