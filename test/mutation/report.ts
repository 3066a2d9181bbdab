import { profileIds } from '../../src/model/profiles.ts';
import { judge, type Verdict } from './mutation.ts';

/** Prints the score of every kernel, and answers the exit code. */
export function main(args: readonly string[]): number {
  const kernels = profileIds.filter((id) => args.every((arg) => arg.startsWith('-')) || args.includes(id));
  const all = kernels.flatMap((kernel) => {
    const from = performance.now();
    const verdicts = judge(kernel);
    say(kernel, verdicts, performance.now() - from);
    return verdicts;
  });
  if (args.includes('--list')) {
    for (const { mutant, equivalent } of all) {
      if (equivalent !== null)
        console.log(`  ${mutant.profile} ${mutant.guard.id} ${mutant.defect}: ${equivalent}`);
    }
  }
  const missed = all.filter(isMissed);
  for (const { mutant } of missed)
    console.log(`NOT CAUGHT: ${mutant.profile} ${mutant.guard.id} ${mutant.defect}`);
  const guards = new Set(all.map(({ mutant }) => `${mutant.profile} ${mutant.guard.id}`)).size;
  const bad = new Set(missed.map(({ mutant }) => `${mutant.profile} ${mutant.guard.id}`)).size;
  const score = guards === 0 ? 0 : (100 * (guards - bad)) / guards;
  console.log(`mutation score: ${score.toFixed(1)} % of ${guards} guards`);
  return missed.length === 0 && guards > 0 ? 0 : 1;
}

export function isMissed({ caught, equivalent }: Verdict): boolean {
  return caught === null && equivalent === null;
}

function say(kernel: string, verdicts: readonly Verdict[], milliseconds: number): void {
  const count = (test: (verdict: Verdict) => boolean) => verdicts.filter(test).length;
  const by = (from: Verdict['caught']) => count(({ caught }) => caught === from);
  console.log(
    [
      `${kernel}: ${verdicts.length} defects, ${count(({ caught }) => caught !== null)} caught`,
      `by vectors ${by('vector')}, by provocations ${by('provocation')}, by crossed inputs ${by('crossing')}`,
      `laws alone would catch ${count(({ laws }) => laws.length > 0)}`,
      `${count(({ equivalent }) => equivalent !== null)} that cannot be observed`,
      `${count(isMissed)} missed`,
      `${(milliseconds / 1000).toFixed(1)} s`,
    ].join('; '),
  );
}
