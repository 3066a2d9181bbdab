import type { TraceRecord } from '../../../src/wire/trace.ts';
import { writeLines } from '../../../src/wire/write.ts';
import { record as recordScript } from '../../trace/record.ts';
import { type Ending, refusal } from '../exit.ts';
import type { Invocation } from '../invocation.ts';
import { progressOn } from '../progress.ts';
import { recordNatively } from '../record-natively.ts';
import { save } from '../save.ts';
import { limitReport } from '../simulation-limit.ts';
import { traceInput } from '../trace-input.ts';

/** `vfioplan record SCRIPT`: makes the operations of a script, and writes down what the kernel answered. */
export async function record(invocation: Invocation): Promise<Ending> {
  if (invocation.options.native) return recordNatively(invocation);
  const { diagnostics, sources, ready, exit } = traceInput(invocation);
  if (ready === undefined) return refusal(diagnostics, sources, exit);
  const { io } = invocation;
  const { trace, snapshot, profile } = ready;
  const progress = progressOn(io);
  let records: readonly TraceRecord[];
  try {
    records = await recordScript(trace, snapshot, {
      ...io.sandboxLimits,
      ...(profile === undefined ? {} : { profile }),
      onProgress: (done) => progress.now(`${done} of ${trace.records.length} records`),
    });
  } catch (error) {
    return refusal([limitReport(invocation, error)], sources);
  } finally {
    progress.end();
  }
  const document = writeLines(records);
  const { out } = invocation.options;
  const done = { exit: 'done', diagnostics, sources, json: {} } as const;
  if (out === undefined) return { ...done, human: document, document };
  return save(invocation, out, document) ?? { ...done, human: '', document: '' };
}
