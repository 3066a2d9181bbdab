import type { CheckedPolicy } from '../check/checked.ts';
import type { Address } from '../machine/snapshot.ts';
import type { Op } from '../model/op.ts';
import type { State, World } from '../model/state.ts';
import { step } from '../model/step.ts';
import { undoOf } from '../model/undo.ts';
import { lastingOf, show, touched } from '../model/view.ts';
import type { HostPolicy } from '../policy/policy.ts';
import type { Script, ScriptStep } from '../script/script.ts';
import { sentenceOf } from '../script/sentence.ts';
import { worldOf } from '../script/world.ts';
import { accessOf } from './access.ts';
import { declaredOf } from './declared.ts';
import { policyDigest, snapshotDigest } from './digest.ts';
import { certain, isNumberOfDevice } from './numbered.ts';
import { operationOf } from './operation.ts';
import { placesIn, type Sources } from './places.ts';
import type { Plan, PlanPlace, PlanStep } from './plan.ts';
import { prove } from './prove.ts';
import { reliesOf } from './relies.ts';

/**
 * A checked policy becomes a plan: each operation with what it changes, what takes it back and which statement wants
 * it. The plan is then replayed on the model and proved (`prove.ts`); a plan that cannot be proved is a bug of ours
 * and is never returned.
 */
export interface PlanContext {
  /** The policy files that were checked, imports included. */
  readonly sources: Sources;
  /** `YYYY-MM-DD` */
  readonly today: string;
}

export function makePlan(checked: CheckedPolicy, context: PlanContext): Plan {
  const plan = draftPlan(checked, context);
  prove(plan, checked.policy);
  return plan;
}

function draftPlan({ policy, script }: CheckedPolicy, { sources, today }: PlanContext): Plan {
  const { world, state: start } = worldOf(policy);
  const place = placesIn(sources);
  const { steps, end } = stepsOf(world, start, policy, script, place);
  const until = untilOf(policy, script);
  // Those of a policy that was checked say the same.
  const [confirm] = policy.confirms;
  return {
    format: 'vfioplan.plan',
    version: 1,
    host: policy.host,
    today,
    ...(until === undefined ? {} : { until }),
    profile: world.profile.id,
    policyDigest: policyDigest(sources),
    policyFiles: sources.map(({ file }) => file),
    snapshotDigest: snapshotDigest(policy.snapshot),
    relies: reliesOf(policy, script),
    steps,
    ...(confirm === undefined ? {} : { confirmWithin: confirm.seconds }),
    preconditions: script.preconditions.map(({ why, ...rest }) => ({ ...rest, why: why.map(place) })),
    declared: [...declaredOf(policy, place)],
    access: accessOf(policy, world, end),
  };
}

function stepsOf(
  world: World,
  start: State,
  policy: HostPolicy,
  script: Script,
  place: (place: ScriptStep['why'][number]) => PlanPlace,
): { readonly steps: readonly PlanStep[]; readonly end: State } {
  const identities = new Map(
    [...policy.snapshot.functions, ...policy.arriving].map(({ address, vendor, device }) => [
      address,
      `${vendor}:${device}`,
    ]),
  );
  const names = namesOf(policy);
  let state = start;
  const steps = script.steps.map((each, index) => {
    const before = state;
    state = step(world, before, each.op).state;
    const back = wayBack(world, before, state, each.op);
    const paths = foretold(world, before, each.op);
    const [shown, shows] = [showAll(world, before, paths), showAll(world, state, paths)];
    const operation = operationOf(each.op);
    // When a step is taken back, other numbers may be free than when it was done.
    const told = paths.filter(certain(operation, shown, shows));
    return {
      number: index + 1,
      operation,
      sentence: each.sentence,
      identity: identities.get(subjectOf(each.op) ?? '') ?? null,
      before: shown,
      after: shows,
      undo: undoFor(world, back, told, names),
      lasting: [...lastingOf(world, before, each.op)],
      why: each.why.map(place),
    };
  });
  return { steps, end: state };
}

/** The function that a step acts on, or whose node it gives away. */
function subjectOf(op: Op): Address | undefined {
  return op.op === 'node.own' ? op.of : 'device' in op ? op.device : undefined;
}

/** What takes a step back, with the state after it, or why nothing does. */
type Back = { readonly op: Op; readonly state: State } | { readonly none: string };

function wayBack(world: World, before: State, after: State, op: Op): Back {
  const undo = undoOf(world, before, op);
  return 'none' in undo ? { none: undo.none } : { op: undo, state: step(world, after, undo).state };
}

function undoFor(
  world: World,
  back: Back,
  paths: readonly string[],
  names: ReadonlyMap<Address, string>,
): PlanStep['undo'] {
  if ('none' in back) return back;
  return {
    operation: operationOf(back.op),
    sentence: sentenceOf(back.op, names),
    after: showAll(world, back.state, paths),
  };
}

/**
 * The paths whose state a step foretells. X of vfioX is the lowest that is free: nothing is said of it where the snapshot
 * does not tell which are taken.
 */
function foretold(world: World, before: State, op: Op): readonly string[] {
  const paths = touched(world, before, op);
  if (world.strangers !== null) return paths;
  const own = op.op === 'node.own' ? op.path : null;
  return paths.filter((path) => path === own || !isNumberOfDevice(path));
}

function showAll(world: World, state: State, paths: readonly string[]): { [path: string]: string | null } {
  const shows: { [path: string]: string | null } = {};
  for (const path of paths) shows[path] = show(world, state, path);
  return shows;
}

/** Only a plan that switches no-IOMMU mode on, or binds under it, ends with the permission. */
function untilOf({ noiommu, snapshot, arriving }: HostPolicy, { steps }: Script): string | undefined {
  if (noiommu.until === undefined || !noiommu.allowed || noiommu.expired) return undefined;
  const groupless = new Set(
    [...snapshot.functions, ...arriving]
      .filter(({ iommuGroup }) => iommuGroup === null)
      .map(({ address }) => address),
  );
  const uses = steps.some(
    ({ op }) =>
      (op.op === 'parameter.write' && op.text === 'Y') ||
      (op.op === 'driver.bind' && groupless.has(op.device)),
  );
  return uses ? noiommu.until : undefined;
}

function namesOf({ binds, creates, allows }: HostPolicy): ReadonlyMap<Address, string> {
  const names = new Map<Address, string>();
  for (const { device, functions } of [...allows, ...creates, ...binds]) {
    for (const address of functions) names.set(address, device);
  }
  return names;
}
