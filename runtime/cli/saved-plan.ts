import { check } from '../../src/check/check.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import { canonical } from '../../src/machine/canonical.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { policyDigest } from '../../src/plan/digest.ts';
import { makePlan } from '../../src/plan/make.ts';
import type { Plan, PlanStep } from '../../src/plan/plan.ts';
import { staleness } from '../../src/plan/stale.ts';
import { readPlan } from '../../src/wire/read.ts';
import type { Invocation } from './invocation.ts';
import { type Loaded, load } from './load.ts';
import { kinds, readText } from './read.ts';

/** A plan of `plan --out`, with the files that it was made from when they are at hand. */
export interface SavedPlan {
  readonly file: string;
  readonly plan: Plan;
  /** The policies as they are now; absent when not all of them are where the plan says. */
  readonly policies?: Loaded;
}

export type SavedPlanReading = {
  readonly saved?: SavedPlan;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
};

/** Whether an operand of `apply` is a plan rather than a policy. */
export function isPlanFile(operand: string): boolean {
  return operand.endsWith('.json');
}

/** Reads the plan, and looks for its policies under the names that it records. */
export function readSavedPlan({ io, line, options }: Invocation, file: string): SavedPlanReading {
  const read = readText(io.files, file, line.placeOf(file), kinds.plan, true);
  if ('problem' in read) return { diagnostics: [read.problem], sources: new Map() };
  const { plan, diagnostics } = readPlan(file, read.text);
  const sources = new Map([[file, read.text]]);
  if (plan === undefined) return { diagnostics, sources };
  const names = plan.policyFiles ?? [];
  const absent = names.filter((name) => io.files.read(name, kinds.policy.limit, false).kind === 'missing');
  if (names.length === 0 || absent.length > 0) return { saved: { file, plan }, diagnostics, sources };
  const policies = load(io, line, names, options.machine);
  return { saved: { file, plan, policies }, diagnostics, sources };
}

/** The snapshot that a rehearsal boots: the one given, or the one that the plan's host names in its policy. */
export function snapshotFor(
  { file, plan, policies }: SavedPlan,
  { io, line, options }: Invocation,
): { readonly snapshot?: Snapshot; readonly loaded: Loaded; readonly diagnostics: readonly Diagnostic[] } {
  const loaded = policies ?? load(io, line, [], options.machine);
  const { machines } = loaded;
  const machine =
    machines.find(({ name }) => name === plan.host) ?? (machines.length === 1 ? machines[0] : undefined);
  if (machine !== undefined) return { snapshot: machine.snapshot, loaded, diagnostics: loaded.diagnostics };
  const cures = ['give its snapshot: `--machine FILE`', 'or run it in the folder where the plan was made'];
  const missing = report('VP2907', line.placeOf(file), { host: plan.host }, { cures });
  return { loaded, diagnostics: [...loaded.diagnostics, missing] };
}

/** Why the plan is not to be carried out any more, told at its file. A rehearsal acts on no machine. */
export function stale(
  { file, plan, policies }: SavedPlan,
  snapshot: Snapshot,
  today: string,
  rehearsal: boolean,
): readonly Diagnostic[] {
  const digest = policies === undefined ? {} : { policyDigest: policyDigest(policies.sources) };
  return staleness(plan, { snapshot, today, rehearsal, ...digest }, file);
}

/**
 * The plan that the policies compile to now, which has to have the saved one's deeds: whoever can write a plan file
 * could write other deeds into it than a policy would be allowed. What is carried out is the plan made here, never the
 * text of the file. A plan whose policies are gone can be rehearsed, and nothing more.
 */
export function compiledAnew(
  { file, plan, policies }: SavedPlan,
  snapshot: Snapshot,
  { line, options: { today, strict, native } }: Invocation,
): { readonly plan?: Plan; readonly diagnostics: readonly Diagnostic[] } {
  if (policies === undefined) {
    if (!native) return { plan, diagnostics: [] };
    const names = plan.policyFiles ?? [];
    const causes = [names.length === 0 ? 'it names none' : `it was made from ${names.join(', ')}`];
    const cures = ['run it in the folder where the plan was made, with its policies beside it'];
    return { diagnostics: [report('VP5009', line.placeOf(file), {}, { causes, cures })] };
  }
  const machines = [{ name: plan.host, snapshot }];
  const { diagnostics, hosts } = check({ sources: policies.sources, machines, today, strict });
  const host = hosts.find((each) => each.host === plan.host);
  if (host?.checked === undefined) return { diagnostics };
  const fresh = makePlan(host.checked, { sources: policies.sources, today });
  const step = firstDifference(plan.steps, fresh.steps);
  if (step === null) return { plan: fresh, diagnostics: host.diagnostics };
  const cures = ['make the plan again and read it: `vfioplan plan`'];
  return { diagnostics: [report('VP5008', line.placeOf(file), { step }, { cures })] };
}

/** The number of the first step that is not done, or not undone, by the same operation; null: there is none. */
function firstDifference(saved: readonly PlanStep[], fresh: readonly PlanStep[]): number | null {
  const deed = (step: PlanStep | undefined): string =>
    step === undefined
      ? ''
      : canonical([step.operation, 'none' in step.undo ? null : step.undo.operation, step.identity]);
  for (let index = 0; index < Math.max(saved.length, fresh.length); index += 1) {
    if (deed(saved[index]) !== deed(fresh[index])) return index + 1;
  }
  return null;
}
