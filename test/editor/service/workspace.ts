import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Meaning,
  meaningOf,
  type Spot,
  type Workspace,
  withText,
} from '../../../editor/service/workspace.ts';
import { readSnapshot } from '../../../src/wire/read.ts';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));

/** A text of the examples, by its name there. */
export function example(name: string): string {
  return readFileSync(join(examples, name), 'utf8');
}

/** Files on the machine of an example. Where a text has a `|`, which the language does not know, is the spot. */
export function at(
  files: Readonly<Record<string, string>>,
  machine = '01-nic-without-iommu/machine.json',
): { readonly workspace: Workspace; readonly spot: Spot; readonly meaning: Meaning } {
  const { snapshot } = readSnapshot(machine, example(machine));
  if (snapshot === undefined) throw new Error(`${machine} is no snapshot`);
  const machines = [{ name: String(snapshot.hostname), snapshot }];
  let workspace: Workspace = { readings: new Map(), machines, today: '2026-12-01' };
  let spot: Spot | undefined;
  for (const [file, text] of Object.entries(files)) {
    const offset = text.indexOf('|');
    if (offset >= 0) spot = { file, offset };
    workspace = withText(workspace, file, text.replace('|', ''));
  }
  return { workspace, spot: spot ?? { file: '', offset: 0 }, meaning: meaningOf(workspace) };
}

/** The first example, with the spot in front of the first `words`, or after as many characters of them. */
export function nic(words: string, after = 0, change: (text: string) => string = (text) => text) {
  const text = change(example('01-nic-without-iommu/policy.vfio'));
  const offset = text.indexOf(words) + after;
  return at({ 'policy.vfio': `${text.slice(0, offset)}|${text.slice(offset)}` });
}

export function textAt(
  workspace: Workspace,
  file: string,
  { start, end }: { start: number; end: number },
): string {
  return workspace.readings.get(file)?.text.slice(start, end) ?? '';
}
