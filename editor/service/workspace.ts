import { check, checkNames } from '../../src/check/check.ts';
import type { CheckedHost, CheckInput } from '../../src/check/checked.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { makePlan } from '../../src/plan/make.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { type Reading, readDocument } from '../../src/syntax/read.ts';

/** What is judged together: the files, and the machines that they speak of. A value: a change makes another. */
export interface Workspace {
  /** By file name, as the front door gives it. */
  readonly readings: ReadonlyMap<string, Reading>;
  readonly machines: CheckInput['machines'];
  /** `YYYY-MM-DD` */
  readonly today: string;
}

/** What the policies mean on their machines: the second wave. */
export interface Meaning {
  readonly diagnostics: readonly Diagnostic[];
  readonly hosts: readonly CheckedHost[];
  /** One for each host that is sound. */
  readonly plans: readonly Plan[];
}

/** A file and an offset in its text, in UTF-16 units. */
export interface Spot {
  readonly file: string;
  readonly offset: number;
}

/** The workspace with another text of one file. Costs what has changed in it. */
export function withText(workspace: Workspace, file: string, text: string): Workspace {
  const readings = new Map(workspace.readings);
  readings.set(file, readDocument(file, text, readings.get(file)));
  return { ...workspace, readings };
}

/** The first wave: what is wrong with words and names, at the pace of typing. */
export function wordsAndNames({ readings, machines }: Workspace): readonly Diagnostic[] {
  return checkNames([...readings.values()], machines);
}

/** The second wave: all that is wrong, and the plans of the hosts where nothing is. Throws for a bug of vfioplan only. */
export function meaningOf({ readings, machines, today }: Workspace): Meaning {
  const sources = [...readings].map(([file, reading]) => ({ file, text: reading.text, reading }));
  const { diagnostics, hosts } = check({ sources, machines, today });
  const plans = hosts.flatMap(({ checked }) =>
    checked === undefined ? [] : [makePlan(checked, { sources, today })],
  );
  return { diagnostics, hosts, plans };
}

/** What the second wave says beside the first. */
export function beyond(first: readonly Diagnostic[], all: readonly Diagnostic[]): readonly Diagnostic[] {
  const said = new Set(first.map(keyOf));
  return all.filter((diagnostic) => !said.has(keyOf(diagnostic)));
}

/** Two that say the same of the same place are one. */
export function keyOf({ code, place, message }: Diagnostic): string {
  return `${code} ${place.span.start} ${place.span.end} ${place.file} ${message}`;
}
