import type { Diagnostic, Place } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import type { Address } from '../../src/machine/snapshot.ts';
import { besideOf } from '../../src/model/configuration.ts';
import { certain } from '../../src/plan/numbered.ts';
import { opOf } from '../../src/plan/operation.ts';
import type { PlanOperation } from '../../src/plan/plan.ts';
import type { JournalIntent, JournalLeft } from '../../src/wire/journal.ts';
import { observe, presentNode } from '../lower/observe.ts';
import type { Run } from './run.ts';
import {
  type Difference,
  deviceOf,
  difference,
  identityAt,
  look,
  nodesOf,
  outlivesBoot,
  quoted,
  type Shows,
  virtualFunctionsOf,
} from './verify.ts';

type Undo = Exclude<JournalIntent['undo'], { readonly none: string }>;

/**
 * Takes steps back, the last one first. Each is looked at before: what already shows what it should is left alone, so
 * that an undo which was interrupted, or was never needed, can be done again. Each is looked at after: an undo that
 * did not restore what it should is left in the list that is returned, and the others are still taken back.
 *
 * Of what a plan does to the running machine nothing outlives a boot: after one, what is not there at all (a module that is
 * not loaded again, and its parameters and nodes) needs no undo. Files of a disk do outlive it.
 *
 * A journal that cannot be written does not stop this: the intents on disk are enough to begin it again.
 */
export function undoAll(
  run: Run,
  intents: readonly JournalIntent[],
  rebooted = false,
): readonly JournalLeft[] {
  const left: JournalLeft[] = [];
  const start = startOf(intents);
  for (const intent of intents.toReversed()) {
    const reason = undoOne(run, intent, start, rebooted);
    if (reason !== null) left.push({ step: intent.step, sentence: undoSentence(intent), reason });
  }
  return left;
}

/** What every touched path showed before the first step. */
export function startOf(intents: readonly JournalIntent[]): Shows {
  const start: Record<string, string | null> = {};
  for (const { before } of intents) {
    for (const [path, value] of Object.entries(before)) if (!(path in start)) start[path] = value;
  }
  return start;
}

/** Why the step is not undone; null when it is. */
function undoOne(run: Run, intent: JournalIntent, start: Shows, rebooted: boolean): string | null {
  const { step } = intent;
  if ('none' in intent.undo) return null;
  run.tell({ kind: 'undo', step, sentence: intent.undo.sentence });
  const moved = atPresent(run, intent.undo);
  const its = certainOf(intent);
  const [before, undo] = [moved(its), { ...intent.undo, after: moved(intent.undo.after) }];
  const now = { ...look(run.backend, before), ...goneNode(run, undo.operation) };
  // Undone before, never done, or swept away by a reboot: in all three cases it shows what it should.
  const fine = [undo.after, before, moved(only(start, its))];
  const present = fine.some((shows) => difference(onlyPresent(shows, now), now) === null);
  // A module that is there after a boot somebody else has loaded, and functions of his may be with it.
  const swept = rebooted && (present || undo.operation.op === 'module.unload');
  if (swept || fine.some((shows) => difference(shows, now) === null)) {
    run.append({ record: 'undone', step, errno: null, observed: now, matches: true });
    return null;
  }
  const obstacle = obstacleTo(run, undo.operation, intent.identity);
  if (obstacle !== null) return obstacle;
  run.append({ record: 'undo', step });
  const errno = run.perform(opOf(remaining(run, undo.operation)));
  const observed = look(run.backend, undo.after);
  const found = difference(undo.after, observed);
  run.count(undo.after, observed);
  run.append({ record: 'undone', step, errno, observed, matches: errno === null && found === null });
  if (errno !== null) return `the kernel answered ${errno}`;
  return found === null ? null : describeDifference(found);
}

/** A node that has come back with its function under another number is looked at where it is: what paths show, by their present names. */
function atPresent(
  { backend }: Run,
  { operation }: Undo,
): (shows: Shows) => { [path: string]: string | null } {
  const own = operation.op === 'node.own' ? operation : undefined;
  const present = own?.of === undefined ? null : presentNode(backend, own.path, own.of);
  return (shows) =>
    Object.fromEntries(
      Object.entries(shows).map(([path, value]) => [path === own?.path ? (present ?? path) : path, value]),
    );
}

/** What was shown before a step, without what has a number that the kernel hands out: another may have that by now. */
function certainOf({ before, after, operation }: JournalIntent): Shows {
  const isCertain = certain(operation, before, after);
  return Object.fromEntries(Object.entries(before).filter(([path]) => isCertain(path)));
}

/** A node with a number that went away with its function: what stands at its path by now belongs to another. */
function goneNode({ backend }: Run, operation: PlanOperation): Shows {
  if (operation.op !== 'node.own' || operation.of === undefined) return {};
  return presentNode(backend, operation.path, operation.of) === null ? { [operation.path]: null } : {};
}

/**
 * Of several modules to unload, those that are still there: an undo that was stopped may have begun. Of a file whose
 * writing was stopped, what was written beside it.
 */
function remaining({ backend }: Run, operation: PlanOperation): PlanOperation {
  if (operation.op === 'config.remove' && observe(backend, operation.path) === null)
    return { op: 'config.remove', path: besideOf(operation.path) };
  if (operation.op !== 'module.unload') return operation;
  const names = [operation.module, ...(operation.also ?? [])];
  const there = names.filter((name) => observe(backend, `/sys/module/${name.replaceAll('-', '_')}`) !== null);
  const [module, ...also] = there;
  return module === undefined ? operation : { op: 'module.unload', module, also };
}

function only(shows: Shows, paths: Shows): Shows {
  return Object.fromEntries(Object.keys(paths).map((path) => [path, shows[path] ?? null]));
}

/** Without the paths at which there is nothing now, because of a boot. */
function onlyPresent(shows: Shows, now: Shows): Shows {
  return Object.fromEntries(
    Object.entries(shows).filter(([path]) => outlivesBoot(path) || (now[path] ?? null) !== null),
  );
}

/** What forbids an operation right now, in words: another device at its address, or a process that has it open. */
export function obstacleTo(run: Run, operation: PlanOperation, identity: string | null): string | null {
  const device = deviceOf(operation);
  if (device === null) return null;
  if (operation.op === 'driver.bind' && identity !== null) {
    const found = identityAt(run.backend, device);
    if (found !== identity) return `${device} is ${found ?? 'gone'} and not ${identity}`;
  }
  for (const losing of losingTheirDriver(run, operation, device)) {
    const holders = run.holders(losing, nodesOf(run.backend, losing));
    if (holders.length > 0) return `${holders.join(', ')} has it open`;
  }
  return null;
}

/** Functions that an operation takes from their driver, where Linux would wait for whoever has them open. */
function losingTheirDriver({ backend }: Run, operation: PlanOperation, device: Address): readonly Address[] {
  if (operation.op === 'driver.unbind') return [...virtualFunctionsOf(backend, device), device];
  return operation.op === 'device.sriov_numvfs' && operation.text === '0'
    ? virtualFunctionsOf(backend, device)
    : [];
}

function describeDifference({ path, expected, found }: Difference): string {
  return `${path} shows ${quoted(found)} instead of ${quoted(expected)}`;
}

/** The one diagnostic for a rollback that left something behind. */
export function incomplete(place: Place, generation: number, left: readonly JournalLeft[]): Diagnostic {
  const causes = left.map(({ step, sentence, reason }) => `step ${step}, ${sentence}: ${reason}`);
  const cures = ['remove what stands in the way and run `vfioplan recover`'];
  return report('VP6009', place, { count: left.length, generation }, { causes, cures });
}

function undoSentence({ undo }: JournalIntent): string {
  return 'none' in undo ? undo.none : undo.sentence;
}
