import { report } from '../../src/diagnostics/report.ts';
import { type Ending, refusal } from './exit.ts';
import type { Invocation } from './invocation.ts';

/** Writes a result to the file that `--out` names, whole or not at all; the ending when it cannot. */
export function save({ io, line }: Invocation, file: string, text: string): Ending | null {
  const reason = io.files.write(file, text);
  if (reason === null) return null;
  const cures = ['name a file in a folder that exists and that you may write to'];
  return refusal([report('VP2909', line.placeOf(file), { file, reason }, { cures })], new Map());
}
