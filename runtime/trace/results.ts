import type { Result } from '../../src/model/outcome.ts';
import type { TraceOperation, TraceResult } from '../../src/wire/trace.ts';
import type { Reply } from '../lower/lower.ts';
import { opens, wide } from './operations.ts';

/** What a kernel answered, as a trace has it. `waits` names the processes that a call without end waits for. */
export function resultOf(reply: Reply | Result, waits: readonly string[] = []): TraceResult {
  if (!reply.ok) {
    return 'errno' in reply && reply.errno !== 'blocked' ? { errno: reply.errno } : { blocks: waits };
  }
  const { value, out } = reply;
  if (out === undefined) return { value };
  const fields = Object.entries(out).map(([name, its]) => [name, typeof its === 'bigint' ? wide(its) : its]);
  return { value, out: Object.fromEntries(fields) };
}

/** One thing that a trace tells and a kernel answered otherwise. */
export interface Difference {
  /** `answer`, a field as `out.flags`, a path, `taint` or `log`. */
  readonly subject: string;
  readonly expected: string;
  readonly got: string;
}

/** How the answer differs from the trace's; what the trace does not tell does not. */
export function differences(
  operation: TraceOperation,
  told: TraceResult,
  got: TraceResult,
): readonly Difference[] {
  if ('errno' in told || 'blocks' in told || 'errno' in got || 'blocks' in got) {
    return answerOf(told) === answerOf(got) ? [] : [answers(operation, told, got)];
  }
  const found: Difference[] = [];
  const numbered = !opens(operation.op) && told.value !== undefined;
  if (numbered && told.value !== got.value) found.push(answers(operation, told, got));
  for (const [field, its] of Object.entries(told.out ?? {})) {
    const here = got.out !== undefined && Object.hasOwn(got.out, field) ? got.out[field] : undefined;
    if (!equal(its, here)) {
      const shown = here === undefined ? 'nothing' : `${here}`;
      found.push({ subject: `out.${field}`, expected: `${its}`, got: shown });
    }
  }
  return found;
}

/** The answer in a word or two: `0`, `EPERM`, `a descriptor`, `no return`. */
export function answerWords(operation: TraceOperation, result: TraceResult): string {
  const answer = answerOf(result);
  return opens(operation.op) && answer === valueWords(result) ? 'a descriptor' : answer;
}

function answers(operation: TraceOperation, told: TraceResult, got: TraceResult): Difference {
  return { subject: 'answer', expected: answerWords(operation, told), got: answerWords(operation, got) };
}

function answerOf(result: TraceResult): string {
  if ('errno' in result) return result.errno;
  return 'blocks' in result ? 'no return' : valueWords(result);
}

function valueWords(result: TraceResult): string {
  return 'value' in result ? `${result.value}` : 'success';
}

/** A recorder may have written a small number of 64 bits as a plain one. */
function equal(told: number | string, got: number | string | undefined): boolean {
  if (told === got) return true;
  if (got === undefined || typeof told === typeof got) return false;
  const [text, number] = typeof told === 'string' ? [told, got] : [got as string, told];
  return /^0x[0-9a-f]{1,16}$/.test(text) && BigInt(text) === BigInt(number);
}
