import { report } from '../../../src/diagnostics/report.ts';
import { describePlan } from '../../../src/plan/describe.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { writePretty } from '../../../src/wire/write.ts';
import { type Ending, hasErrors, refusal } from '../exit.ts';
import type { Invocation } from '../invocation.ts';
import { judge, plansOf } from '../judge.ts';
import { takeWhole } from '../live.ts';
import { save } from '../save.ts';
import { printableLines } from '../words.ts';

/** `vfioplan plan POLICY…`: a plan for each host, or the refusal that `check` would give. */
export async function plan(invocation: Invocation): Promise<Ending> {
  const { options } = invocation;
  const live = options.live ? await takeWhole(invocation) : undefined;
  const judged = judge(invocation, live?.snapshot);
  const diagnostics = [...(live?.diagnostics ?? []), ...judged.diagnostics];
  const { texts } = judged.loaded;
  if (hasErrors(diagnostics)) return refusal(diagnostics, texts);
  const plans = plansOf(judged, options.today);
  const problem = options.out === undefined ? null : saved(invocation, options.out, plans);
  if (problem !== null) return problem;
  const changes = plans.some(({ steps }) => steps.length > 0);
  return {
    exit: options.detailedExitcode && changes ? 'pending' : 'done',
    diagnostics,
    sources: texts,
    human: plans.map((plan) => printableLines(describePlan(plan))).join('\n'),
    json: { plans },
  };
}

function saved(invocation: Invocation, file: string, plans: readonly Plan[]): Ending | null {
  const [only] = plans;
  if (only !== undefined && plans.length === 1) return save(invocation, file, writePretty(only));
  const what = `a saved plan is for one host, and the policies have ${plans.length}`;
  const cures = ['choose one with `--host NAME`'];
  const place = invocation.line.placeOf(file);
  return refusal([report('VP2910', place, { what }, { cures })], new Map(), 'usage');
}
