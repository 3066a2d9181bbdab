/**
 * vfioplan as a library: the very functions that the command line is made of. All are pure: they read no file and ask
 * no clock; give them texts, snapshots and a date, and they answer with data. They throw only for a bug of vfioplan.
 */

/** Judges policy texts against machine snapshots: diagnostics, and for each sound host a `CheckedPolicy`. */
export { check } from './check/check.ts';
export type { CheckedHost, CheckedPolicy, CheckInput, Checking } from './check/checked.ts';
export type { Code } from './diagnostics/codes.ts';
export type { Diagnostic, Edit, Fix, KernelAnswer, Place, Severity } from './diagnostics/diagnostic.ts';
/** What a diagnostic code means: `explain('VP2901')`. */
export { type Explanation, explain, explainAll } from './diagnostics/explain.ts';
/** Draws diagnostics as the command line does, with carets under the text. */
export { render } from './diagnostics/render.ts';
/** Lays a policy out, and proves that nothing but white space was changed. */
export { type Formatting, format } from './format/format.ts';
export type { Address, Fact, PciFunction, Snapshot, Unknown } from './machine/snapshot.ts';
export { isUnknown } from './machine/snapshot.ts';
/** A plan as people read it: its steps and why, what lasts, what must hold before, who can use what afterwards. */
export { describePlan } from './plan/describe.ts';
/** Makes the plan of a host that `check` found sound, and proves it on the model. */
export { makePlan as plan, type PlanContext } from './plan/make.ts';
export type { Plan, PlanOperation, PlanStep } from './plan/plan.ts';
/** Why a plan that was made earlier must not be carried out any more. */
export { type Present, staleness } from './plan/stale.ts';
/** A policy file's tree and what is wrong with its words alone: the first stage of `check`, at the pace of typing. */
export { type Reading, readDocument } from './syntax/read.ts';
/** The files that a policy names: what a caller has to read before it can check. */
export { type References, referencesOf } from './syntax/references.ts';
/** Documents: JSON text in, a snapshot or a plan or coded diagnostics out, for any text. */
export { readPlan, readSnapshot } from './wire/read.ts';
export { writeCanonical, writePretty } from './wire/write.ts';
