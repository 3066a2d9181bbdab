import type { Diagnostic, Place } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import { digestOf } from '../../src/plan/digest.ts';
import { opOf } from '../../src/plan/operation.ts';
import type { Plan, PlanStep } from '../../src/plan/plan.ts';
import type { JournalHeader, JournalIntent } from '../../src/wire/journal.ts';
import type { Backend } from '../backend.ts';
import { isOpen } from './history.ts';
import {
  type Ending,
  locked,
  Run,
  type RunOptions,
  readHistory,
  refused,
  unfinished,
  unusable,
} from './run.ts';
import { type Failure, isFailure, type JournalStore } from './store.ts';
import { incomplete, obstacleTo, undoAll } from './undo.ts';
import {
  arrivalsOf,
  type Difference,
  deviceOf,
  difference,
  identityAt,
  look,
  quoted,
  type Shows,
} from './verify.ts';

/**
 * Carries a plan out on a kernel, simulated or real, one step after another: look whether the machine is as the step
 * expects, write the intent to the journal and to disk, act, look again, compare with the prediction, write the
 * outcome. The first difference ends it, and what was done is taken back in reverse, each undo verified like a step.
 *
 * Nothing is done without its intent on disk, and nothing at all unless every step finds the machine as the plan
 * expects it before the first. The last look is at everything again, because others may have answered to a step later
 * than the kernel did (udev sets owners of nodes).
 */
export function execute(plan: Plan, backend: Backend, store: JournalStore, options: RunOptions): Ending {
  const place: Place = { file: `plan:${plan.host}`, span: { start: 0, end: 0 } };
  if (plan.steps.length === 0) return { ...refused([]), verdict: 'done' };
  return locked(store, options.time, place, () => {
    const earlier = nextGeneration(store, place);
    if (typeof earlier !== 'number') return refused(earlier);
    const stale = unready(plan, backend, place);
    if (stale.length > 0) return refused(stale);
    const sink = store.create(earlier);
    if (isFailure(sink)) return refused([unusable(place, sink)]);
    const run = new Run(backend, sink, options);
    try {
      const header = run.append(headerOf(plan, backend, earlier, options));
      if (header !== null) return { ...refused([unusable(place, header)]), generation: earlier };
      return carryOut(run, plan, earlier, place);
    } finally {
      sink.close();
    }
  });
}

/** The number of the next journal, or why none may be begun. */
function nextGeneration(store: JournalStore, place: Place): number | readonly Diagnostic[] {
  const generations = store.generations();
  if (isFailure(generations)) return [unusable(place, generations)];
  const newest = generations[generations.length - 1];
  if (newest === undefined) return 1;
  const read = readHistory(store, newest);
  if ('diagnostics' in read) return read.diagnostics;
  const { history } = read;
  return history !== undefined && isOpen(history) ? [unfinished(history)] : newest + 1;
}

/** What is not as the plan expects before its first step: paths by their first mention, and identities. */
function unready(plan: Plan, backend: Backend, place: Place): readonly Diagnostic[] {
  const seen = new Set<string>();
  const identified = new Set<string>();
  const arriving = new Set<string>();
  const found: Diagnostic[] = [];
  for (const step of plan.steps) {
    for (const device of arrivalsOf(step)) arriving.add(device);
    const fresh: Record<string, string | null> = {};
    for (const [path, value] of Object.entries(step.before)) if (!seen.has(path)) fresh[path] = value;
    for (const path of [...Object.keys(step.before), ...Object.keys(step.after)]) seen.add(path);
    const wrong = difference(fresh, look(backend, fresh));
    if (wrong !== null) found.push(unexpected(place, step, wrong));
    const device = deviceOf(step.operation);
    if (device === null || step.identity === null || identified.has(device)) continue;
    identified.add(device);
    // What an earlier step brings is not there yet; whether it is what it should be is asked before it is bound.
    if (arriving.has(device)) continue;
    const identity = identityAt(backend, device);
    if (identity !== step.identity) found.push(stranger(place, step, device, identity));
  }
  return found;
}

function carryOut(run: Run, plan: Plan, generation: number, place: Place): Ending {
  const begun: JournalIntent[] = [];
  for (const step of plan.steps) {
    run.tell({ kind: 'step', step: step.number, sentence: step.sentence });
    const trouble = carryOutStep(run, step, begun, place);
    if (trouble !== null) return rollBack(run, begun, generation, trouble);
  }
  // What waits to be confirmed has no end yet.
  const ended = (): Failure | null => (run.confirmWithin === undefined ? endOf(run) : null);
  const trouble = lastLook(run, plan, place) ?? unwritten(place, plan.steps.length, ended());
  if (trouble !== null) return rollBack(run, begun, generation, trouble);
  return {
    verdict: run.confirmWithin === undefined ? 'done' : 'held',
    generation,
    predictions: run.predictions,
    diagnostics: [],
  };
}

/** Null when the step was done as predicted; it is in `begun` once its intent is on disk. */
function carryOutStep(run: Run, step: PlanStep, begun: JournalIntent[], place: Place): Diagnostic | null {
  const wrong = difference(step.before, look(run.backend, step.before));
  if (wrong !== null) return unexpected(place, step, wrong);
  const obstacle = obstacleOf(run, step, place);
  if (obstacle !== null) return obstacle;
  const intent = intentOf(step);
  const unheard = unwritten(place, step.number, run.append(intent));
  if (unheard !== null) return unheard;
  begun.push(intent);
  const errno = run.perform(opOf(step.operation));
  const observed = look(run.backend, step.after);
  run.count(step.after, observed);
  const other = difference(step.after, observed);
  const matches = errno === null && other === null;
  const lost = run.append({ record: 'outcome', step: step.number, errno, observed, matches });
  if (errno !== null) return denied(place, step, errno);
  if (other !== null) return surprised(place, step, other);
  return unwritten(place, step.number, lost);
}

function rollBack(
  run: Run,
  begun: readonly JournalIntent[],
  generation: number,
  trouble: Diagnostic,
): Ending {
  const left = undoAll(run, begun);
  const verdict = left.length === 0 ? 'rolled back' : 'incomplete';
  run.append({ record: 'end', verdict, left: [...left] });
  const more = left.length === 0 ? [] : [incomplete(trouble.place, generation, left)];
  return { verdict, generation, predictions: run.predictions, diagnostics: [trouble, ...more] };
}

function endOf(run: Run): Failure | null {
  return run.append({ record: 'end', verdict: 'done', left: [] });
}

/** Everything that the plan changed, once more. */
function lastLook(run: Run, { steps }: Plan, place: Place): Diagnostic | null {
  const final = new Map<string, { readonly value: string | null; readonly step: PlanStep }>();
  for (const step of steps) {
    for (const [path, value] of Object.entries(step.after)) final.set(path, { value, step });
  }
  const expected: Shows = Object.fromEntries([...final].map(([path, { value }]) => [path, value]));
  const wrong = difference(expected, look(run.backend, expected));
  const step = wrong === null ? undefined : final.get(wrong.path)?.step;
  return wrong === null || step === undefined ? null : surprised(place, step, wrong);
}

function intentOf({ number, operation, sentence, identity, before, after, undo }: PlanStep): JournalIntent {
  return { record: 'intent', step: number, operation, sentence, identity, before, after, undo };
}

function headerOf(
  plan: Plan,
  backend: Backend,
  generation: number,
  { time, bootId, confirmWithin }: RunOptions,
): JournalHeader {
  return {
    record: 'header',
    format: 'vfioplan.journal',
    version: 1,
    generation,
    host: plan.host,
    backend: backend.kind,
    time,
    bootId,
    policyDigest: plan.policyDigest,
    snapshotDigest: plan.snapshotDigest,
    planDigest: digestOf(plan),
    steps: plan.steps.length,
    ...(confirmWithin === undefined ? {} : { confirmWithin }),
  };
}

function obstacleOf(run: Run, step: PlanStep, place: Place): Diagnostic | null {
  const device = deviceOf(step.operation);
  if (device === null) return null;
  if (step.operation.op === 'driver.bind') {
    const identity = identityAt(run.backend, device);
    return identity === step.identity ? null : stranger(place, step, device, identity);
  }
  const obstacle = obstacleTo(run, step.operation, step.identity);
  if (obstacle === null) return null;
  const cures = ['end the process, or leave the function out of the policy'];
  const holes = { device, holders: obstacle.replace(/ has it open$/, '') };
  return report('VP6008', place, holes, { causes: [whyOf(step)], cures });
}

function unexpected(place: Place, step: PlanStep, { path, expected, found }: Difference): Diagnostic {
  const holes = { step: step.number, path, expected: quoted(expected), found: quoted(found) };
  const cures = ['make the plan again from the machine as it is: `vfioplan plan --live`'];
  return report('VP6004', place, holes, { causes: [whyOf(step)], cures });
}

function denied(place: Place, step: PlanStep, errno: string): Diagnostic {
  // The kernel counts who has a module's files open, and a snapshot does not tell that.
  const busy = step.operation.op === 'module.unload' && errno === 'EAGAIN';
  let cure = 'see the kernel log for its reason; report the difference from the model, with the journal';
  if (errno === 'EACCES' || errno === 'EPERM') cure = 'run as root';
  else if (busy)
    cure =
      'end the process that has a file of VFIO open: `fuser -v /dev/vfio/* /dev/vfio/devices/* /dev/iommu`';
  const holes = { step: step.number, errno, sentence: step.sentence };
  return report('VP6005', place, holes, { causes: [whyOf(step)], cures: [cure] });
}

function surprised(place: Place, step: PlanStep, { path, expected, found }: Difference): Diagnostic {
  const holes = { step: step.number, path, expected: quoted(expected), found: quoted(found) };
  const cures = ['see who else acts on it: udev rules, libvirt, another administrator'];
  return report('VP6006', place, holes, { causes: [whyOf(step)], cures });
}

function stranger(place: Place, step: PlanStep, device: string, found: string | null): Diagnostic {
  const holes = { device, found: found ?? 'gone', expected: step.identity ?? 'known', step: step.number };
  return report('VP6007', place, holes, { cures: ['take a new snapshot and plan again'] });
}

function unwritten(place: Place, step: number, failure: Failure | null): Diagnostic | null {
  if (failure === null) return null;
  const cures = [`make room for ${failure.path}, or give another directory with \`--state-dir\``];
  return report('VP6003', place, { step, errno: failure.errno }, { cures });
}

function whyOf({ sentence, why }: PlanStep): string {
  const [first] = why;
  return first === undefined
    ? sentence
    : `${sentence}, because ${first.file}:${first.line} says: ${first.text}`;
}
