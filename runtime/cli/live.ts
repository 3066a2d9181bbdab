import { report } from '../../src/diagnostics/report.ts';
import type { Invocation } from './invocation.ts';
import type { Reading } from './machine.ts';

/** A snapshot just taken of this machine, or of the tree in `sysroot`, or why there is none. */
export async function takeSnapshot({ io, line }: Invocation, sysroot?: string): Promise<Reading> {
  const reading = await io.machine.read(sysroot);
  if (reading !== null) return reading;
  const file = sysroot ?? '/';
  const cures = ['name the folder that holds `sys`, `proc` and `dev` of the captured machine'];
  return { diagnostics: [report('VP2901', line.placeOf(file), { file }, { cures })] };
}
