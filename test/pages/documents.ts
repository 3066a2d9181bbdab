import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sysrootFiles } from '../../runtime/probe/files.ts';
import { probe } from '../../runtime/probe/probe.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { maxDocumentBytes } from '../../src/wire/document.ts';
import { readFacter, readJournal, readSnapshot } from '../../src/wire/read.ts';
import { readTrace } from '../../src/wire/read-trace.ts';
import { writeCanonical } from '../../src/wire/write.ts';
import { captureServer } from '../runtime/probe/tree.ts';
import { snapshotOf } from '../src/machine/handmade.ts';

/** Provocations of what is wrong with documents and with the machine that is read. */
const digest = '0'.repeat(64);
const header = writeCanonical({
  record: 'header',
  format: 'vfioplan.journal',
  version: 1,
  generation: 1,
  host: 'edge-01',
  backend: 'simulated',
  time: '2026-01-01T00:00:00Z',
  bootId: null,
  policyDigest: digest,
  snapshotDigest: digest,
  planDigest: digest,
  steps: 0,
});
const pci = {
  bus_type: { name: 'PCI' },
  sysfs_bus_id: '0000:00:01.0',
  module_alias: 'pci:v00008086d00001572sv00000000sd00000000bc02sc00i00',
};

export const documentProvocations: Readonly<Record<string, () => readonly string[]>> = {
  'read a snapshot of 40 MiB': () => codesOf(readSnapshot('s.json', ' '.repeat(maxDocumentBytes * 1.25))),
  'read a snapshot of three million values': () =>
    codesOf(readSnapshot('s.json', `[${'0,'.repeat(3_000_000)}0]`)),
  'read a snapshot of ordinary size': () => codesOf(readSnapshot('s.json', writeCanonical(snapshotOf()))),
  'read a journal whose last line is torn': () => codesOf(readJournal('j', `${header}\n{"record":"int`)),
  'read a journal with two headers': () => codesOf(readJournal('j', `${header}\n${header}\n`)),
  'read a trace': () => traced(''),
  'read a trace with a line of 300,000 characters': () => traced(' '.repeat(300_000)),
  'read a trace with a NUL byte': () => traced('\0\0\0'),
  'read a whole journal': () => codesOf(readJournal('j', `${header}\n`)),
  'import a snapshot as a report': () => codesOf(readFacter('r.json', writeCanonical(snapshotOf()))),
  'import a report with a function without ids': () => imported([{ ...pci, module_alias: 'x' }]),
  'import a report without functions': () => imported([]),
  'import a report': () => imported([pci]),
  'read a tree without /sys/bus/pci': () => captured('sys/bus/pci'),
  'read a tree with a function without its vendor': () =>
    captured('sys/devices/pci0000:00/0000:00:03.0/vendor'),
  'read a captured tree': () => captured(),
};

function codesOf({ diagnostics }: { readonly diagnostics: readonly Diagnostic[] }): readonly string[] {
  return diagnostics.map(({ code }) => code);
}

function traced(line: string): readonly string[] {
  const header = '{"record":"header","format":"vfioplan.trace","version":1}';
  return codesOf(readTrace('trace.jsonl', `${header}\n${line}\n`));
}

function imported(functions: readonly unknown[]): readonly string[] {
  return codesOf(readFacter('r.json', JSON.stringify({ version: 1, hardware: { pci: functions } })));
}

function captured(without?: string): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'vfioplan-page-'));
  try {
    captureServer(root);
    if (without !== undefined) rmSync(join(root, without), { recursive: true });
    return codesOf(probe(sysrootFiles(root)));
  } finally {
    rmSync(root, { recursive: true });
  }
}
