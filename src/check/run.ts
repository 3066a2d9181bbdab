import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import type { Address } from '../machine/snapshot.ts';
import { guardOf } from '../model/guards.ts';
import type { Op } from '../model/op.ts';
import type { State } from '../model/state.ts';
import { step } from '../model/step.ts';
import { restored, undoOf } from '../model/undo.ts';
import type { Script, ScriptStep } from '../script/script.ts';
import type { Finding } from './finding.ts';
import { Laws } from './laws.ts';
import { unasked } from './leaving.ts';
import { nowhere, type Subject } from './subject.ts';

export interface Run {
  readonly diagnostics: readonly Diagnostic[];
  /** The state after every step that was not refused. */
  readonly state: State;
  /** Functions of which something is wrong that has been said, by a rule or here. */
  readonly explained: ReadonlySet<Address>;
}

/**
 * Runs a script on the model. Of a function that a rule has explained no refusal is reported; of the others the first
 * only, since what follows on the same function fails because of it. A refused step that concerns all functions (a
 * module, a parameter) explains all later refusals. After each step the policy's laws are asked.
 */
export function runScript(subject: Subject, script: Script, known: ReadonlySet<Address>): Run {
  const explained = new Set(known);
  const diagnostics: Diagnostic[] = [];
  const laws = new Laws(subject);
  const judge = (findings: Iterable<Finding>): void => {
    for (const finding of findings) {
      if (!('diagnostic' in finding) || finding.about.some((address) => explained.has(address))) continue;
      diagnostics.push(finding.diagnostic);
    }
  };
  let { state } = subject;
  for (const each of script.steps) {
    const before = state;
    const { result, state: after } = step(subject.world, before, each.op);
    state = after;
    judge(laws.after(each, before, after));
    const problem = result.ok ? noWayBack(subject, before, after, each) : refusal(subject, each, result);
    if (!problem) continue;
    const about = functionsOf(subject, each.op);
    const quiet = about === 'all' ? explained.size > 0 : about.some((address) => explained.has(address));
    for (const address of about === 'all' ? subject.functions.keys() : about) explained.add(address);
    if (!quiet) diagnostics.push(problem);
  }
  judge(laws.untouched(state));
  return { diagnostics, state, explained };
}

function functionsOf({ world, state }: Subject, op: Op): readonly Address[] | 'all' {
  if ('device' in op) return [op.device];
  if (op.op !== 'node.own') return 'all';
  const name = op.path.slice('/dev/vfio/'.length);
  const group = Number(name);
  const members = state.iommuGroups.find(({ id, fake }) => id === group && !fake)?.devices ?? [];
  const addresses = members.flatMap((index) => world.hardware[index]?.address ?? []);
  return addresses.length > 0 ? addresses : 'all';
}

/** A plan is carried out only if each of its steps can be undone exactly: that is what a rollback rests on. */
function noWayBack(subject: Subject, before: State, after: State, each: ScriptStep): Diagnostic | null {
  // Root can always give a node back.
  if (each.op.op === 'node.own') return null;
  const undo = undoOf(subject.world, before, each.op);
  if (!('none' in undo) || restored(before, after)) return null;
  const [place = nowhere, ...others] = each.why;
  return report(
    'VP4196',
    place,
    { step: each.sentence },
    {
      related: others.map((other) => ({ place: other, message: 'this statement wants the step, too' })),
      causes: [`to take it back: ${undo.none}`],
      cures: [
        'make the machine such that the way back is open (load what is missing, set the parameter), then take a new snapshot',
        'or do this step by hand, and let the policy begin after it',
        ...namingIt(each),
      ],
      fixes: unasked(subject, each.why),
    },
  );
}

/** What no statement wants is put back, and is not when one says what it shall be. */
function namingIt({ op, why }: ScriptStep): readonly string[] {
  return why.length === 0 && 'device' in op
    ? [`or name ${op.device} in a policy, which then says what it shall be, so that it is not put back`]
    : [];
}

function refusal(
  subject: Subject,
  each: ScriptStep,
  result: { readonly guard: string; readonly errno?: string },
): Diagnostic {
  const { sentence, why } = each;
  const { words, citation } = guardOf(subject.world.profile, result.guard);
  const errno = result.errno ?? 'no answer: the call waits';
  const [place = nowhere, ...others] = why;
  return report(
    'VP4199',
    place,
    { step: sentence, errno },
    {
      related: others.map((other) => ({ place: other, message: 'this statement wants the step, too' })),
      causes: [words],
      cures: [
        'change what the statement asks for, or the machine, so that the kernel has no reason to refuse',
        ...namingIt(each),
      ],
      fixes: unasked(subject, why),
      kernel: { step: sentence, guard: words, errno, citation },
    },
  );
}
