import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts';
import { report } from '../../../src/diagnostics/report.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { staleness } from '../../../src/plan/stale.ts';
import { established } from '../acting.ts';
import { executionView, nothingTouched, rehearsalView } from '../apply-view.ts';
import { type Ending, hasErrors, refusal } from '../exit.ts';
import type { Exit } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';
import { judge, plansOf } from '../judge.ts';
import { takeWhole } from '../live.ts';
import { carryOut, exitOf, type NativeDeed } from '../native.ts';
import { obstacleTo } from '../obstacle.ts';
import { type Rehearsal, rehearse } from '../rehearse.ts';
import { compiledAnew, isPlanFile, readSavedPlan, snapshotFor, stale } from '../saved-plan.ts';

/**
 * `vfioplan apply`: every plan is rehearsed on a simulated copy of its machine. With `--native` the machine is this
 * one, read a moment before, and what came through the rehearsal is then carried out here.
 */
export async function apply(invocation: Invocation): Promise<Ending> {
  const { native } = invocation.options;
  const obstacle = native ? await obstacleTo('apply', invocation) : null;
  if (obstacle !== null) return refusal([obstacle], new Map());
  // What is unfinished, or waits to be confirmed, is not built upon, even where nothing is to be done.
  const earlier = native ? established(invocation) : undefined;
  if (earlier !== undefined && 'diagnostics' in earlier) return refusal(earlier.diagnostics, new Map());
  const live = native ? await takeWhole(invocation, earlier) : undefined;
  if (live !== undefined && live.snapshot === undefined) return refusal(live.diagnostics, new Map());
  const prepared = preparations(invocation, live?.snapshot);
  if (hasErrors(prepared.diagnostics)) return refusal(prepared.diagnostics, prepared.sources, prepared.exit);
  const rehearsals: Rehearsal[] = [];
  for (const { plan, snapshot } of prepared.works) {
    rehearsals.push(await rehearse(invocation.io, plan, snapshot));
  }
  const sound = rehearsals.every(({ execution }) => execution.verdict === 'done');
  const deed = native && sound ? await deedOf(invocation, prepared.works) : null;
  return ending(prepared, rehearsals, deed, native);
}

/** A plan, and the machine that it is for. */
interface Work {
  readonly plan: Plan;
  readonly snapshot: Snapshot;
}

interface Prepared {
  readonly works: readonly Work[];
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
  readonly exit?: Exit;
}

/** Makes the plans, or reads the saved one and sees whether it still holds. */
function preparations(invocation: Invocation, live: Snapshot | undefined): Prepared {
  const { operands } = invocation;
  const [first = ''] = operands;
  if (!operands.some(isPlanFile)) return fromPolicies(invocation, live);
  if (operands.length === 1) return fromSavedPlan(invocation, first, live);
  const what = 'a saved plan is applied alone';
  const cures = ['the policies that it was made from are found by their names in the plan'];
  const place = invocation.line.placeOf(operands.find(isPlanFile) ?? '');
  const diagnostics = [report('VP2910', place, { what }, { cures })];
  return { works: [], diagnostics, sources: new Map(), exit: 'usage' };
}

function fromPolicies(invocation: Invocation, live: Snapshot | undefined): Prepared {
  const judged = judge(invocation, live);
  const { diagnostics, hosts, loaded } = judged;
  const sources = loaded.texts;
  if (hasErrors(diagnostics)) return { works: [], diagnostics, sources };
  const plans = plansOf(judged, invocation.options.today);
  const snapshots = new Map(hosts.map(({ host, checked }) => [host, checked?.policy.snapshot]));
  const works = plans.flatMap((plan) => {
    const snapshot = snapshots.get(plan.host);
    // Only the machine that was just read is acted upon, whatever else the policies speak of.
    return snapshot === undefined || (live !== undefined && snapshot !== live) ? [] : [{ plan, snapshot }];
  });
  // What the machine does not tell even now is not known to hold: then it is not acted upon.
  const unmet = works.flatMap(({ plan }) =>
    live === undefined ? [] : staleness(plan, { snapshot: live, today: invocation.options.today }),
  );
  return { works, diagnostics: [...diagnostics, ...unmet], sources };
}

function fromSavedPlan(invocation: Invocation, file: string, live: Snapshot | undefined): Prepared {
  const read = readSavedPlan(invocation, file);
  if (read.saved === undefined) return { works: [], diagnostics: read.diagnostics, sources: read.sources };
  const found = live === undefined ? snapshotFor(read.saved, invocation) : undefined;
  const snapshot = live ?? found?.snapshot;
  const sources = new Map([...read.sources, ...(found?.loaded.texts ?? [])]);
  const before = [...read.diagnostics, ...(found?.diagnostics ?? [])];
  if (snapshot === undefined) return { works: [], diagnostics: before, sources };
  const old = [...before, ...stale(read.saved, snapshot, invocation.options.today, live === undefined)];
  if (hasErrors(old)) return { works: [], diagnostics: old, sources };
  const { plan, diagnostics } = compiledAnew(read.saved, snapshot, invocation);
  const all = [...old, ...diagnostics];
  return { works: plan === undefined ? [] : [{ plan, snapshot }], diagnostics: all, sources };
}

async function deedOf(invocation: Invocation, works: readonly Work[]): Promise<NativeDeed | null> {
  const [work] = works;
  return work === undefined ? null : carryOut(invocation, work.plan);
}

function ending(
  prepared: Prepared,
  rehearsals: readonly Rehearsal[],
  deed: NativeDeed | null,
  native: boolean,
): Ending {
  const executions = [
    ...rehearsals.map(({ execution }) => execution),
    ...(deed === null ? [] : [deed.execution]),
  ];
  const failed = executions.find(({ verdict }) => verdict !== 'done');
  const views = rehearsals.map(rehearsalView);
  if (deed !== null) views.push(executionView(deed.host, deed.execution, deed.steps, deed.confirmed));
  else views.push(nothingTouched);
  return {
    // A rehearsal that fails before an act on this machine is a refusal: nothing real was begun.
    exit: failed === undefined ? 'done' : native && deed === null ? 'refused' : exitOf(failed.verdict),
    diagnostics: [...prepared.diagnostics, ...executions.flatMap(({ diagnostics }) => diagnostics)],
    sources: prepared.sources,
    human: views.join('\n'),
    json: {
      native: deed !== null,
      rehearsals: rehearsals.map(({ plan, execution, trials, log }) => ({
        host: plan.host,
        plan,
        verdict: execution.verdict,
        predictions: execution.predictions,
        trials,
        kernelLog: log,
      })),
      ...(deed === null
        ? {}
        : {
            execution: {
              host: deed.host,
              verdict: deed.execution.verdict,
              generation: deed.execution.generation,
              confirmed: deed.confirmed,
              predictions: deed.execution.predictions,
            },
          }),
    },
  };
}
