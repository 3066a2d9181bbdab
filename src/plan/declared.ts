import type { World } from '../model/state.ts';
import type { HostPolicy, Persist } from '../policy/policy.ts';
import { wishesOf } from '../script/derive.ts';
import type { Plan, PlanPlace } from './plan.ts';

type Declared = Plan['declared'][number];

const persisting: Readonly<Record<Persist['until'], string>> = {
  nothing: 'holds until the next boot',
  boots: 'holds across boots',
  drivers: 'holds across boots, before other drivers come',
};

/** What a policy says shall be and no step of a plan brings about: it is told, so that nobody takes it for done. */
export function declaredOf(
  policy: HostPolicy,
  world: World,
  place: (place: Persist['place']) => PlanPlace,
): readonly Declared[] {
  const declared = [
    ...wishesOf(policy, world).beyond.map(({ what, sentence, cause, place: at }): Declared => {
      return { what, sentence: `${sentence}: ${cause}`, why: [place(at)] };
    }),
    ...policy.persists.map(({ policy: name, until, place: at }): Declared => {
      return { what: 'persist', sentence: `policy ${name} ${persisting[until]}`, why: [place(at)] };
    }),
  ];
  return declared.sort((a, b) => (a.sentence < b.sentence ? -1 : a.sentence > b.sentence ? 1 : 0));
}
