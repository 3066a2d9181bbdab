import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts';
import { report } from '../../../src/diagnostics/report.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { readFacter, readSnapshot } from '../../../src/wire/read.ts';
import { writePretty } from '../../../src/wire/write.ts';
import { type Ending, hasErrors, refusal } from '../exit.ts';
import type { Invocation } from '../invocation.ts';
import { takeSnapshot, takeWhole } from '../live.ts';
import { type Kind, kinds, readText } from '../read.ts';
import { save } from '../save.ts';
import { snapshotView } from '../snapshot-view.ts';

/** `vfioplan snapshot`: this machine, or the tree of `--sysroot`. */
export async function snapshot(invocation: Invocation): Promise<Ending> {
  const { sysroot } = invocation.options;
  const reading = sysroot === undefined ? takeWhole(invocation) : takeSnapshot(invocation, sysroot);
  return ending(invocation, await reading, new Map());
}

/** `vfioplan snapshot import FORMAT FILE`. */
export function importReport(invocation: Invocation): Ending {
  const { line, operands } = invocation;
  const [format = '', file = ''] = operands;
  if (format === 'nixos-facter') return read(invocation, file, kinds.report, readFacter);
  const what = `\`${format}\` is not a format that can be imported`;
  const cures = ['the format that can be imported is `nixos-facter`'];
  return refusal([report('VP2910', line.placeOf(format), { what }, { cures })], new Map(), 'usage');
}

/** `vfioplan snapshot show FILE`. */
export function show(invocation: Invocation): Ending {
  return read(invocation, invocation.operands[0] ?? '', kinds.snapshot, readSnapshot, snapshotView);
}

interface Reading {
  readonly snapshot?: Snapshot;
  readonly diagnostics: readonly Diagnostic[];
}

function read(
  invocation: Invocation,
  file: string,
  kind: Kind,
  reader: (file: string, text: string) => Reading,
  view?: (snapshot: Snapshot) => string,
): Ending {
  const answer = readText(invocation.io.files, file, invocation.line.placeOf(file), kind, true);
  if ('problem' in answer) return refusal([answer.problem], new Map());
  return ending(invocation, reader(file, answer.text), new Map([[file, answer.text]]), view);
}

/** A snapshot is a document, for people as for programs, unless there is a `view` of it. */
function ending(
  invocation: Invocation,
  { snapshot, diagnostics }: Reading,
  sources: ReadonlyMap<string, string>,
  view?: (snapshot: Snapshot) => string,
): Ending {
  if (snapshot === undefined || hasErrors(diagnostics)) return refusal(diagnostics, sources);
  const document = writePretty(snapshot);
  const { out } = invocation.options;
  const done = { exit: 'done', diagnostics, sources, json: {} } as const;
  if (out === undefined) return { ...done, human: view?.(snapshot) ?? document, document };
  return save(invocation, out, document) ?? { ...done, human: '', document: '' };
}
