import { report } from '../../src/diagnostics/report.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { established } from './acting.ts';
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

/** A snapshot just taken of this machine, with what earlier plans established on it. */
export async function takeWhole(
  invocation: Invocation,
  earlier: Earlier = established(invocation),
): Promise<Reading> {
  const reading = await takeSnapshot(invocation);
  const { snapshot } = reading;
  if (snapshot === undefined) return reading;
  return { ...reading, snapshot: { ...snapshot, established: toldBy(earlier) } };
}

type Earlier = ReturnType<typeof established>;

function toldBy(read: Earlier): NonNullable<Snapshot['established']> {
  if ('established' in read) return [...read.established];
  const [{ message }] = read.diagnostics;
  return { unknown: message };
}
