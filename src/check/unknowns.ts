import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import type { Assumption } from '../policy/policy.ts';
import type { Precondition } from '../script/script.ts';
import { listed } from './subject.ts';

/** A fact that must be known; `choosing`: the choice of a device rested on it. */
export interface Need extends Assumption {
  readonly choosing?: boolean;
}

type UnknownCode = 'VP3301' | 'VP3302' | 'VP3303' | 'VP3304' | 'VP3305' | 'VP3306' | 'VP3307';

/**
 * Unknown is never taken for safe: every fact that something rests on becomes a precondition, which a live machine
 * must show before anything is done, and a warning. One warning for each kind of fact, however many functions have it,
 * and one cause for each fact.
 */
export function reportNeeds(
  host: string,
  needs: readonly Need[],
): { readonly diagnostics: Diagnostic[]; readonly preconditions: Precondition[] } {
  const preconditions = new Map<string, Precondition>();
  const byCode = new Map<UnknownCode, Need[]>();
  const told = new Set<string>();
  for (const need of needs) {
    const { fact, sentence, unknown, place, expects } = need;
    const key = `${fact} ${sentence}`;
    const earlier = preconditions.get(key);
    const why = [...(earlier?.why ?? []), place];
    preconditions.set(key, { fact, sentence, unknown, why, ...(expects ? { expects } : {}) });
    if (earlier || told.has(fact)) continue;
    told.add(fact);
    const code = codeOf(need);
    byCode.set(code, [...(byCode.get(code) ?? []), need]);
  }
  const diagnostics = [...byCode].map(([code, of]) => warning(code, host, of));
  return { diagnostics, preconditions: [...preconditions.values()] };
}

function warning(code: UnknownCode, host: string, needs: readonly Need[]): Diagnostic {
  const facts = listed([...new Set(needs.map(({ fact }) => `\`${fact}\``))]);
  const place = (needs[0] as Need).place;
  const causes = needs
    .slice(0, 12)
    .map(({ fact, sentence, unknown }) => `${sentence}? ${fact} is unknown: ${unknown}`);
  const more = needs.length - causes.length;
  return report(
    code,
    place,
    { facts, host },
    {
      causes: more > 0 ? [...causes, `and ${more} more of the kind`] : causes,
      cures: ['take a snapshot on the machine itself with `vfioplan snapshot`: it reads these facts'],
    },
  );
}

const kinds: readonly (readonly [RegExp, UnknownCode])[] = [
  [/^\/(blockDevices|netdevs|routes|managementPeers)\b|\/(netdevs|blockDevices)$/, 'VP3302'],
  [/^\/(kernel|modules|drivers)\b/, 'VP3303'],
  [/^\/(iommu|nodes)\b|\/iommuGroup$/, 'VP3304'],
  [/^\/(users|userGroups)\b/, 'VP3306'],
  [/^\/configuration\b/, 'VP3307'],
];

function codeOf({ fact, choosing }: Need): UnknownCode {
  if (choosing) return 'VP3301';
  return kinds.find(([pattern]) => pattern.test(fact))?.[1] ?? 'VP3305';
}
