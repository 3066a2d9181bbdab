import { sizeText } from '../policy/describe.ts';
import type { HostPolicy, Persist } from '../policy/policy.ts';
import type { Plan, PlanPlace } from './plan.ts';

type Declared = Plan['declared'][number];

const persisting: Readonly<Record<Persist['until'], string>> = {
  nothing: 'holds until the next boot',
  boots: 'holds across boots',
  drivers: 'holds across boots, before other drivers come',
};

/** What a policy says shall be and no step of a plan brings about: it is told, so that nobody takes it for done. */
export function declaredOf(
  { limits, persists }: HostPolicy,
  place: (place: Persist['place']) => PlanPlace,
): readonly Declared[] {
  const declared = [
    ...limits.map(({ who, bytes, place: at }): Declared => {
      const sentence = `${who.kind} ${who.name} may lock ${sizeText(bytes)} of memory`;
      return { what: 'limit', sentence, why: [place(at)] };
    }),
    ...persists.map(({ policy, until, place: at }): Declared => {
      return { what: 'persist', sentence: `policy ${policy} ${persisting[until]}`, why: [place(at)] };
    }),
  ];
  return declared.sort((a, b) => (a.sentence < b.sentence ? -1 : a.sentence > b.sentence ? 1 : 0));
}
