import { dirname, isAbsolute, join } from 'node:path';
import { nearest } from '../../grammar/nearest.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { type ProfileId, profileIds } from '../../src/model/profiles.ts';
import { readSnapshot } from '../../src/wire/read.ts';
import { readTrace } from '../../src/wire/read-trace.ts';
import type { Trace } from '../../src/wire/trace.ts';
import { looksLikeStrace, readStrace } from '../trace/strace/read.ts';
import type { Exit } from './exit-codes.ts';
import type { Invocation } from './invocation.ts';
import { kinds, readText } from './read.ts';

/** A trace or a script, the machine that it is for and the kernel, or why not all of them are at hand. */
export interface TraceInput {
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
  /** How it ends when nothing is ready. */
  readonly exit?: Exit;
  readonly ready?: {
    readonly file: string;
    readonly trace: Trace;
    readonly snapshot: Snapshot;
    readonly profile: ProfileId | undefined;
  };
}

/**
 * Reads the file that the command line names, and the snapshot that it names in turn or that `--machine` gives; `live` is
 * this machine, and takes the place of any.
 */
export function traceInput(invocation: Invocation, live?: Snapshot): TraceInput {
  const { io, line, operands, options } = invocation;
  const [file = ''] = operands;
  const [, excess] = options.machine;
  if (excess !== undefined) {
    const what = 'a trace is of one machine';
    const problem = report('VP2910', line.placeOf(excess), { what }, { cures: ['give one `--machine`'] });
    return { diagnostics: [problem], sources: new Map(), exit: 'usage' };
  }
  const read = readText(io.files, file, line.placeOf(file), kinds.trace, true);
  if ('problem' in read) return { diagnostics: [read.problem], sources: new Map() };
  const strace = (options.input ?? (looksLikeStrace(read.text) ? 'strace' : 'trace')) === 'strace';
  const { trace, diagnostics } = strace ? readStrace(file, read.text) : readTrace(file, read.text);
  const sources = new Map([[file, read.text]]);
  if (trace === undefined) return { diagnostics, sources };
  const machine =
    live === undefined ? machineOf(invocation, file, trace, sources) : { snapshot: live, diagnostics: [] };
  const profile = profileOf(invocation, trace);
  const all = [...diagnostics, ...machine.diagnostics, ...profile.diagnostics];
  if (machine.snapshot === undefined || profile.diagnostics.length > 0) return { diagnostics: all, sources };
  const ready = { file, trace, snapshot: machine.snapshot, profile: profile.profile };
  return { diagnostics: all, sources, ready };
}

interface MachineReading {
  readonly snapshot?: Snapshot;
  readonly diagnostics: readonly Diagnostic[];
}

function machineOf(
  { io, line, options }: Invocation,
  file: string,
  trace: Trace,
  sources: Map<string, string>,
): MachineReading {
  const [given] = options.machine;
  const { machine } = trace.header.record;
  if (given === undefined && trace.snapshot !== undefined)
    return { snapshot: trace.snapshot, diagnostics: [] };
  const named = machine !== undefined && 'file' in machine ? machine.file : undefined;
  const path = given ?? (named === undefined || isAbsolute(named) ? named : join(dirname(file), named));
  if (path === undefined) {
    const cures = ['name its snapshot: `--machine machine.json`'];
    return { diagnostics: [report('VP6202', trace.header.place, {}, { cures })] };
  }
  const place = given === undefined ? trace.header.place : line.placeOf(given);
  const read = readText(io.files, path, place, kinds.snapshot, given !== undefined);
  if ('problem' in read) return { diagnostics: [read.problem] };
  sources.set(path, read.text);
  return readSnapshot(path, read.text);
}

interface ProfileReading {
  readonly profile?: ProfileId;
  readonly diagnostics: readonly Diagnostic[];
}

function profileOf({ line, options }: Invocation, { header }: Trace): ProfileReading {
  const name = options.profile ?? header.record.profile;
  if (name === undefined) return { diagnostics: [] };
  const profile = profileIds.find((id) => id === name);
  if (profile !== undefined) return { profile, diagnostics: [] };
  const meant = nearest(name, profileIds);
  const cures = [
    ...(meant === undefined ? [] : [`did you mean \`${meant}\`?`]),
    `the profiles are ${profileIds.map((id) => `\`${id}\``).join(', ')}`,
  ];
  const place = options.profile === undefined ? header.place : line.placeOf(name);
  return { diagnostics: [report('VP3053', place, { profile: name }, { cures })] };
}
