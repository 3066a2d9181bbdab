import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import { writeLines } from '../../src/wire/write.ts';
import { linuxHolders } from '../execute/holders.ts';
import { type NativeRecording, recordNatively as recordTrace } from '../trace/native.ts';
import { nativeProblems } from '../trace/native-script.ts';
import { type Ending, hasErrors, refusal } from './exit.ts';
import type { Invocation } from './invocation.ts';
import { takeSnapshot } from './live.ts';
import { obstacleTo } from './obstacle.ts';
import { save } from './save.ts';
import { traceInput } from './trace-input.ts';
import { counted, printable } from './words.ts';

/** `vfioplan record --native`: the script is judged, for this machine as it was read a moment before, and then made here. */
export async function recordNatively(invocation: Invocation): Promise<Ending> {
  const { io, line, options } = invocation;
  const { out } = options;
  if (out === undefined) {
    const cures = ['name a file: `--out trace.jsonl`'];
    const what = 'what is recorded on this machine is kept in a file';
    return refusal([report('VP2910', line.placeOf('--native'), { what }, { cures })], new Map(), 'usage');
  }
  const obstacle = await obstacleTo('record', invocation);
  if (obstacle !== null) return refusal([obstacle], new Map());
  const live = await takeSnapshot(invocation);
  if (live.snapshot === undefined || hasErrors(live.diagnostics)) return refusal(live.diagnostics, new Map());
  const { diagnostics, sources, ready, exit } = traceInput(invocation, live.snapshot);
  if (ready === undefined) return refusal(diagnostics, sources, exit);
  const { trace, snapshot, profile } = ready;
  const problems = nativeProblems(trace, snapshot, options.allowChanges);
  if (problems.length > 0) return refusal([...diagnostics, ...problems], sources);
  // Whether the file can be written is known before anything is done.
  const unwritable = save(invocation, out, '');
  if (unwritable !== null) return unwritable;
  const backend = await io.machine.backend();
  const holders = (device: string) => (backend.kind === 'linux' ? linuxHolders(device, []) : []);
  const recording = io.uninterrupted(() => recordTrace(trace, snapshot, profile, backend, holders));
  const unsaved = save(invocation, out, writeLines(recording.records));
  return unsaved ?? ending(invocation, recording, diagnostics, sources);
}

function ending(
  { line }: Invocation,
  { records, unmade, undone, left }: NativeRecording,
  diagnostics: readonly Diagnostic[],
  sources: Ending['sources'],
): Ending {
  const calls = records.filter(({ record }) => record === 'call').length;
  const shown = (text: string | null): string => (text === null ? 'nothing' : `\`${text}\``);
  const found = left.map(({ path, was, is }) =>
    report('VP6206', line.placeOf('--native'), { path, was: shown(was), is: shown(is) }),
  );
  const words = [`recorded: ${counted(calls, 'operation') || 'no operation'} on this machine`];
  for (const { line: number, waitsFor } of unmade)
    words.push(`line ${number} was not made: it would wait until ${printable(waitsFor)} closes the device`);
  if (undone > 0) words.push(`taken back: ${counted(undone, 'change')}`);
  return {
    exit: found.length === 0 ? 'done' : 'rollback-incomplete',
    diagnostics: [...diagnostics, ...found],
    sources,
    human: `${words.join('; ')}\n`,
    json: { calls, unmade, undone, left },
  };
}
