import { configurationOf, isOurs, textAt } from '../machine/configuration.ts';
import { isUnknown, known } from '../machine/snapshot.ts';
import type { Law } from '../model/law.ts';
import { laws } from '../model/laws.ts';
import type { Op } from '../model/op.ts';
import type { Outcome } from '../model/outcome.ts';
import type { State, World } from '../model/state.ts';
import { step } from '../model/step.ts';
import { restored } from '../model/undo.ts';
import { show } from '../model/view.ts';
import type { HostPolicy } from '../policy/policy.ts';
import { wishesOf } from '../script/derive.ts';
import { driverPath, overridePath, parameterPath, virtualCountPath } from '../script/paths.ts';
import { putBackOf } from '../script/put-back.ts';
import { textOf } from '../script/wishes.ts';
import { worldOf } from '../script/world.ts';
import { opOf } from './operation.ts';
import type { Plan, PlanStep } from './plan.ts';

/**
 * The proof of a plan, by replay on the model from the snapshot's state:
 *
 * 1. every step succeeds, finds what it says it finds and leaves what it says it leaves;
 * 2. every law of the model holds of every step and in every state on the way, and no step acts on a function that the
 *    policy protects;
 * 3. every function that the policy binds ends at its driver, every physical one with the virtual functions that it shall have, every node with those who may use it, and no-IOMMU mode
 *    is off unless it is permitted, every configuration file has its text, and what an earlier plan established for nobody
 *    any more is as it was found;
 * 4. undoing any prefix in reverse leads back to where the prefix began, but for what is declared lasting.
 *
 * The fourth is shown by induction, in time linear in the steps: each undo, done right after its step, restores the
 * whole state before the step (`restored` compares everything but taint and log, which no operation's answer depends
 * on); so the undo of step k leaves what step k-1 left, and so on down. The reverse of the whole plan is run as well.
 *
 * Throws `PlanBug` when the plan does not do what it says: a bug of vfioplan, never the user's mistake.
 */
export function prove(plan: Plan, policy: HostPolicy): void {
  const { world, state: start } = worldOf(policy);
  const protectedOnes = new Set(policy.protects.flatMap(({ functions }) => functions));
  for (const { operation, number } of plan.steps) {
    if ('device' in operation && protectedOnes.has(operation.device))
      bug(`step ${number} acts on what is protected`);
  }
  const end = replay(world, start, plan.steps);
  proveGoal(world, end, policy);
  proveReturned(world, end, policy);
  proveOwners(world, end, plan, policy);
  proveConfiguration(end, policy);
  proveReverse(world, start, end, plan.steps);
}

/** The state after the last step. */
function replay(world: World, start: State, steps: readonly PlanStep[]): State {
  const here = laws.filter(({ profiles }) => profiles.includes(world.profile.id));
  let state = start;
  for (const each of steps) {
    const before = state;
    const op = opOf(each.operation);
    expectShows(world, before, each, 'before');
    const outcome = step(world, before, op);
    if (!outcome.result.ok) bug(`step ${each.number} (${op.op}) is refused by ${outcome.result.guard}`);
    state = outcome.state;
    proveLaws(here, world, before, op, outcome);
    expectShows(world, state, each, 'after');
    proveUndo(world, before, state, each);
  }
  return state;
}

function proveLaws(here: readonly Law[], world: World, before: State, op: Op, outcome: Outcome): void {
  for (const { id, onState, onStep, statement } of here) {
    const holds =
      (onStep === undefined || onStep(world, before, op, outcome)) &&
      (onState === undefined || onState(world, outcome.state));
    if (!holds) bug(`${op.op} breaks law ${id}: ${statement}`);
  }
}

function proveUndo(world: World, before: State, after: State, each: PlanStep): void {
  if ('none' in each.undo) {
    if (!restored(before, after)) bug(`step ${each.number} cannot be undone: ${each.undo.none}`);
    return;
  }
  const undone = perform(world, after, opOf(each.undo.operation), `the undo of step ${each.number}`);
  if (!restored(before, undone)) bug(`the undo of step ${each.number} does not restore what was`);
  for (const [path, shown] of Object.entries(each.undo.after)) {
    if (show(world, undone, path) !== shown) bug(`the undo of step ${each.number} leaves ${path} otherwise`);
    if (shown !== each.before[path] && each.lasting.length === 0) {
      bug(`the undo of step ${each.number} changes ${path} for good and does not say so`);
    }
  }
}

function proveReverse(world: World, start: State, end: State, steps: readonly PlanStep[]): void {
  let state = end;
  for (const each of steps.toReversed()) {
    if ('none' in each.undo) continue;
    state = perform(world, state, opOf(each.undo.operation), `the undo of step ${each.number}`);
  }
  if (!restored(start, state)) bug('undoing the whole plan does not lead back to the start');
}

function proveGoal(world: World, end: State, { binds, creates }: HostPolicy): void {
  for (const { functions, count } of creates) {
    for (const address of functions) {
      const shown = show(world, end, virtualCountPath(address));
      if (shown !== `${count}`) bug(`${address} ends with ${shown} virtual functions`);
    }
  }
  for (const bind of binds) {
    for (const address of bind.functions) {
      const bound = show(world, end, driverPath(address));
      // Which driver the kernel takes by itself is its own affair: `default` wants it to be free to choose.
      if (bind.to === 'default') {
        const override = show(world, end, overridePath(address));
        if (override !== '(null)') bug(`${address} keeps the override ${override}`);
      } else if (bound !== bind.driver(address)) bug(`${address} ends at ${bound ?? 'no driver'}`);
    }
  }
}

/** What an earlier plan changed and no policy names any more is as it was found. */
function proveReturned(world: World, end: State, policy: HostPolicy): void {
  const { functions, virtual } = putBackOf(policy);
  const gone = new Set(virtual.flatMap((each) => each.functions));
  for (const { address, driver, override } of functions) {
    if (gone.has(address)) continue;
    const bound = show(world, end, driverPath(address));
    if (bound !== driver) bug(`${address} is put back to ${bound ?? 'no driver'}`);
    const text = show(world, end, overridePath(address));
    if (text !== (override ?? '(null)')) bug(`${address} is put back with the override ${text}`);
  }
  for (const { address, count } of virtual) {
    const shown = show(world, end, virtualCountPath(address));
    if (shown !== count) bug(`${address} is put back with ${shown} virtual functions`);
  }
}

function proveOwners(world: World, end: State, { access }: Plan, policy: HostPolicy): void {
  const { allowed, expired } = policy.noiommu;
  const mode = show(world, end, parameterPath(world.profile.noiommuParameter));
  if (mode === 'Y' && (!allowed || expired)) bug('no-IOMMU mode stays on without a permission');
  const { users, userGroups } = policy.snapshot;
  for (const { who, nodes } of access) {
    const [kind, ...words] = who.split(' ');
    const name = words.join(' ');
    const uid = kind === 'user' ? known(users, []).find((each) => each.name === name)?.uid : undefined;
    const gid = kind === 'group' ? known(userGroups, []).find((each) => each.name === name)?.gid : undefined;
    for (const node of nodes) {
      const shown = show(world, end, node) ?? '';
      if (uid !== undefined && !new RegExp(`^6[0-7]0 ${uid}:`).test(shown))
        bug(`${who} does not get ${node}`);
      if (gid !== undefined && !new RegExp(`^[0-7]60 \\d+:${gid}$`).test(shown))
        bug(`${who} does not get ${node}`);
    }
  }
}

/** Every wanted file has its text, and no other of ours is left; what of it is not known is for a precondition. */
function proveConfiguration(end: State, policy: HostPolicy): void {
  const { files } = wishesOf(policy);
  const { snapshot } = policy;
  const wanted = new Map(files.map((file) => [file.path, textOf(snapshot, file)]));
  const dark = new Set(files.map(({ path }) => path).filter((path) => isUnknown(textAt(snapshot, path))));
  if (isUnknown(configurationOf(snapshot))) dark.clear();
  for (const [path, text] of wanted) {
    if (!dark.has(path) && end.configuration.files[path] !== text) bug(`${path} does not get its text`);
  }
  for (const [path, text] of Object.entries(end.configuration.files)) {
    if (isOurs(text) && !wanted.has(path)) bug(`${path} stays, and nobody wants it`);
  }
}

function perform(world: World, state: State, op: Op, what: string): State {
  const { result, state: after } = step(world, state, op);
  if (!result.ok) bug(`${what} (${op.op}) is refused by ${result.guard}`);
  return after;
}

function expectShows(world: World, state: State, each: PlanStep, when: 'before' | 'after'): void {
  for (const [path, shown] of Object.entries(each[when])) {
    const found = show(world, state, path);
    if (found !== shown) bug(`${when} step ${each.number} the model shows ${found} at ${path}, not ${shown}`);
  }
}

function bug(message: string): never {
  throw new PlanBug(message);
}

class PlanBug extends Error {
  override readonly name = 'PlanBug';
}
