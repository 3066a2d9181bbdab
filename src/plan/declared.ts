import type { Place } from '../diagnostics/diagnostic.ts';
import type { HostPolicy } from '../policy/policy.ts';
import { wishesOf } from '../script/derive.ts';
import type { Plan, PlanPlace } from './plan.ts';

type Declared = Plan['declared'][number];

/** What a policy says shall be and no step of a plan brings about: it is told, so that nobody takes it for done. */
export function declaredOf(policy: HostPolicy, place: (place: Place) => PlanPlace): readonly Declared[] {
  const declared = wishesOf(policy).beyond.map(
    ({ what, sentence, cause, place: at }): Declared => ({
      what,
      sentence: `${sentence}: ${cause}`,
      why: [place(at)],
    }),
  );
  return declared.sort((a, b) => (a.sentence < b.sentence ? -1 : a.sentence > b.sentence ? 1 : 0));
}
