import { report } from '../../src/diagnostics/report.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { established } from './acting.ts';
import type { Invocation } from './invocation.ts';
import type { Reading } from './machine.ts';

/**
 * A snapshot just taken of this machine, or of the tree in `sysroot`, or why there is none. Of this machine it tells what
 * earlier plans established, too, from the journals.
 */
export async function takeSnapshot(invocation: Invocation, sysroot?: string): Promise<Reading> {
  const { io, line } = invocation;
  const reading = await io.machine.read(sysroot);
  if (reading !== null) {
    const { snapshot } = reading;
    if (snapshot === undefined || sysroot !== undefined) return reading;
    return { ...reading, snapshot: { ...snapshot, established: toldBy(invocation) } };
  }
  const file = sysroot ?? '/';
  const cures = ['name the folder that holds `sys`, `proc` and `dev` of the captured machine'];
  return { diagnostics: [report('VP2901', line.placeOf(file), { file }, { cures })] };
}

function toldBy(invocation: Invocation): NonNullable<Snapshot['established']> {
  const read = established(invocation);
  if ('established' in read) return [...read.established];
  const [{ message }] = read.diagnostics;
  return { unknown: message };
}
