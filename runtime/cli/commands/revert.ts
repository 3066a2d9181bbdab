import { report } from '../../../src/diagnostics/report.ts';
import type { Ending as Execution } from '../../execute/run.ts';
import { undoingView } from '../apply-view.ts';
import { letStay } from '../confirmation.ts';
import { type Ending, refusal } from '../exit.ts';
import type { Invocation } from '../invocation.ts';
import { exitOf, putRight, takeBack } from '../native.ts';
import { obstacleTo } from '../obstacle.ts';

/** `vfioplan revert [GENERATION]`. */
export async function revert(invocation: Invocation): Promise<Ending> {
  const { line, operands } = invocation;
  const [word] = operands;
  if (word !== undefined && !/^[1-9]\d{0,8}$/.test(word)) {
    const what = `\`${word}\` is not the number of a generation`;
    const cures = ['give the number that `vfioplan apply --native` printed'];
    return refusal([report('VP2910', line.placeOf(word), { what }, { cures })], new Map(), 'usage');
  }
  const obstacle = await obstacleTo('revert', invocation);
  if (obstacle !== null) return refusal([obstacle], new Map());
  return ending(await takeBack(invocation, word === undefined ? undefined : Number(word)));
}

/** `vfioplan confirm`. */
export async function confirm(invocation: Invocation): Promise<Ending> {
  const obstacle = await obstacleTo('confirm', invocation);
  return obstacle === null ? ending(await letStay(invocation)) : refusal([obstacle], new Map());
}

/** `vfioplan recover`. */
export async function recover(invocation: Invocation): Promise<Ending> {
  const obstacle = await obstacleTo('recover', invocation);
  return obstacle === null ? ending(await putRight(invocation)) : refusal([obstacle], new Map());
}

function ending(execution: Execution): Ending {
  const { verdict, generation, predictions, diagnostics } = execution;
  return {
    exit: recovered(execution) ? 'done' : exitOf(verdict),
    diagnostics,
    sources: new Map(),
    human: undoingView(execution),
    json: { verdict, generation, predictions },
  };
}

/** To have undone what was left behind is what a recovery is for. */
function recovered({ verdict }: Execution): boolean {
  return verdict === 'rolled back';
}
