import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import { canonical } from '../machine/canonical.ts';
import { isUnknown, known, type Snapshot } from '../machine/snapshot.ts';
import { digestOf } from './digest.ts';
import { factsOf } from './facts.ts';
import type { Plan } from './plan.ts';

/** What a saved plan is held against before it is carried out. */
export interface Present {
  /** The machine as it is now. */
  readonly snapshot: Snapshot;
  /** `policyDigest()` of the policy as it is now; leave out when only the plan is at hand. */
  readonly policyDigest?: string;
  /** `YYYY-MM-DD` */
  readonly today: string;
  /**
   * The plan is only rehearsed, on the snapshot's own reading of what it does not tell: a precondition that is still
   * unknown may stand. Never so for a machine that is acted upon.
   */
  readonly rehearsal?: boolean;
}

/** At most so many changed facts are told one by one. */
const shownFacts = 20;

/**
 * Why a plan must not be carried out any more: the policy, the permission or a fact that it rests on has changed, or
 * a precondition does not hold. `[]`: it is as good as on the day it was made. Linear in the facts of the plan.
 */
export function staleness(plan: Plan, present: Present, file = `plan:${plan.host}`): readonly Diagnostic[] {
  const place: Place = { file, span: { start: 0, end: 0 } };
  const found: Diagnostic[] = [];
  if (present.policyDigest !== undefined && present.policyDigest !== plan.policyDigest) {
    found.push(report('VP5001', place, {}, { cures: [planAgain] }));
  }
  if (plan.until !== undefined && present.today > plan.until) {
    const cures = ['extend the permission in the policy, with a reason, and plan again'];
    found.push(report('VP5005', place, { until: plan.until, today: present.today }, { cures }));
  }
  const same = digestOf(present.snapshot) === plan.snapshotDigest;
  if (same && (plan.preconditions.length === 0 || present.rehearsal === true)) return found;
  return [...found, ...changedFacts(plan, present.snapshot, place), ...unmet(plan, present.snapshot, place)];
}

const planAgain = 'make the plan again and read it: `vfioplan plan`';

function changedFacts(plan: Plan, snapshot: Snapshot, place: Place): readonly Diagnostic[] {
  const at = factsOf(snapshot);
  const planned = plan.relies['/hostname'];
  const hostname = at('/hostname');
  if (planned !== undefined && !isUnknown(hostname) && canonical(hostname) !== planned) {
    const holes = { host: plan.host, found: String(known(hostname, 'unknown')) };
    return [report('VP5006', place, holes, { cures: ['give the snapshot of the host that was meant'] })];
  }
  const changed: string[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [fact, value] of Object.entries(plan.relies)) {
    const now = at(fact);
    if (isUnknown(now)) {
      const causes = [now.unknown];
      diagnostics.push(report('VP5007', place, { fact: `\`${fact}\`` }, { causes, cures: [planAgain] }));
    } else if (canonical(now) !== value) {
      changed.push(`\`${fact}\` was ${value} and is ${canonical(now)}`);
    }
  }
  if (changed.length > 0) {
    const more = changed.length - shownFacts;
    const causes = [...changed.slice(0, shownFacts), ...(more > 0 ? [`and ${more} more`] : [])];
    diagnostics.unshift(report('VP5002', place, { count: changed.length }, { causes, cures: [planAgain] }));
  }
  return diagnostics;
}

function unmet(plan: Plan, snapshot: Snapshot, place: Place): readonly Diagnostic[] {
  const at = factsOf(snapshot);
  const diagnostics: Diagnostic[] = [];
  for (const { fact, sentence, unknown, expects } of plan.preconditions) {
    if (expects === undefined) {
      const causes = [`when the plan was made: ${unknown}`];
      const cures = ['plan from a snapshot that tells it, or with `--live`'];
      diagnostics.push(report('VP5004', place, { fact: `\`${fact}\`` }, { causes, cures }));
      continue;
    }
    const now = at(fact);
    const shown = isUnknown(now) ? `nothing (${now.unknown})` : `\`${canonical(now)}\``;
    const holds = !isUnknown(now) && expects.some((value) => canonical(value) === canonical(now));
    if (!holds) diagnostics.push(report('VP5003', place, { sentence, found: shown }, { cures: [planAgain] }));
  }
  return diagnostics;
}
