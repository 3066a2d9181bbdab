import { itsOf } from '../../src/model/dispatch.ts';
import { errnoNumbers } from '../../src/model/errno.ts';
import { type Asked, asked as askedOf } from '../../src/model/guard.ts';
import { laws } from '../../src/model/laws.ts';
import type { OpKind } from '../../src/model/op.ts';
import { asking, asksInstead } from '../../src/model/ops.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { ProfileId } from '../../src/model/profiles.ts';
import { stepAsking } from '../../src/model/step.ts';
import { implied } from './implied.ts';
import { crossed, type Input, inputsOf } from './inputs.ts';

/**
 * Planted defects, one at a time: every guard of every kernel is dropped, given another errno, and made to change places
 * with the guard after it. A defect is caught when some input of the suite is answered otherwise than before.
 */
export interface Mutant {
  readonly profile: ProfileId;
  readonly op: OpKind;
  readonly guard: Asked;
  readonly defect: 'dropped' | 'errno' | 'swapped';
  readonly asked: readonly Asked[];
  /** The other guard of a swap. */
  readonly with?: Asked;
}

export interface Verdict {
  readonly mutant: Mutant;
  readonly caught: Input['from'] | null;
  /** Ids of laws that the defect breaks, on the same inputs. */
  readonly laws: readonly string[];
  /** Why nobody could tell it from the kernel. */
  readonly equivalent: string | null;
}

/** How many crossed inputs are tried for one kind of operation before it is said that none tells a defect. */
const patience = 30_000;

export function mutantsOf(profile: ProfileId): readonly Mutant[] {
  return (Object.entries(asking[profile]) as [OpKind, { readonly guards: readonly Asked[] }][]).flatMap(
    ([op, { guards }]) =>
      guards.flatMap((guard, place): Mutant[] => {
        const mutant = { profile, op, guard };
        const next = guards[place + 1];
        const errno = guard.errno === 'EDEADLK' ? 'EIO' : 'EDEADLK';
        return [
          { ...mutant, defect: 'dropped', asked: guards.filter((_, other) => other !== place) },
          { ...mutant, defect: 'errno', asked: guards.with(place, askedOf(guard, errno, guard.citation)) },
          ...(next === undefined
            ? []
            : [
                {
                  ...mutant,
                  defect: 'swapped',
                  asked: guards.with(place, next).with(place + 1, guard),
                  with: next,
                } as const,
              ]),
        ];
      }),
  );
}

/** Tries every mutant of a kernel. */
export function judge(profile: ProfileId, mutants = mutantsOf(profile)): readonly Verdict[] {
  const inputs = inputsOf(profile);
  const byOp = new Map<OpKind, Mutant[]>();
  for (const mutant of mutants) byOp.set(mutant.op, [...(byOp.get(mutant.op) ?? []), mutant]);
  return [...byOp].flatMap(([op, its]) => judgeAll(its, inputs.get(op) ?? []));
}

function judgeAll(mutants: readonly Mutant[], inputs: readonly Input[]): readonly Verdict[] {
  const caught = new Map<Mutant, Input>();
  const broken = new Map<Mutant, Set<string>>();
  const order = [...inputs].sort((a, b) => Number(b.from === 'vector') - Number(a.from === 'vector'));
  for (const input of order) {
    for (const mutant of mutants) {
      const outcome = differs(mutant, input);
      if (outcome === null) continue;
      if (!caught.has(mutant)) caught.set(mutant, input);
      const found = broken.get(mutant) ?? new Set();
      broken.set(mutant, found);
      for (const id of brokenBy(outcome, input)) found.add(id);
    }
  }
  let left = mutants.filter((mutant) => !caught.has(mutant) && equalErrno(mutant) === null);
  let tried = 0;
  for (const input of crossed(inputs)) {
    if (left.length === 0 || tried >= patience) break;
    tried += 1;
    for (const mutant of left) if (differs(mutant, input) !== null) caught.set(mutant, input);
    left = left.filter((mutant) => !caught.has(mutant));
  }
  const all = [...inputs, ...(left.length === 0 ? [] : take(crossed(inputs), tried))];
  return mutants.map((mutant) => ({
    mutant,
    caught: caught.get(mutant)?.from ?? null,
    laws: [...(broken.get(mutant) ?? [])],
    equivalent: caught.has(mutant)
      ? null
      : (equalErrno(mutant) ?? apart(mutant, all.length) ?? spoken(mutant, all)),
  }));
}

/** What the mutant does where it is not what the kernel does; null where both answer alike. */
function differs(mutant: Mutant, { world, state, op }: Input): Outcome | 'throws' | null {
  if (op.op !== mutant.op || !world.processes.has(op.pid)) return null;
  // Up to the first place where the two lists differ, and where neither guard applies, they are one.
  const its = itsOf(state, op);
  if (!mutant.guard.applies(world, state, op, its)) return null;
  if (mutant.defect === 'swapped' && !mutant.with?.applies(world, state, op, its)) return null;
  const mutated = asksInstead(asking[mutant.profile], { [mutant.op]: mutant.asked });
  const right = stepAsking(asking[mutant.profile], world, state, op);
  try {
    const wrong = stepAsking(mutated, world, state, op);
    return said(right) === said(wrong) ? null : wrong;
  } catch {
    return 'throws';
  }
}

/** What a caller sees of an outcome. */
function said({ result }: Outcome): string {
  if (result.ok) return `ok ${result.value}`;
  return 'errno' in result ? `${errnoNumbers[result.errno]}` : 'waits';
}

function brokenBy(outcome: Outcome | 'throws', { world, state, op }: Input): readonly string[] {
  if (outcome === 'throws') return [];
  const kept = laws.filter(({ profiles }) => profiles.includes(world.profile.id));
  return kept
    .filter(
      ({ onState, onStep }) =>
        onStep?.(world, state, op, outcome) === false || onState?.(world, outcome.state) === false,
    )
    .map(({ id }) => id);
}

/** A swap of two guards that answer the same is none. */
function equalErrno({ defect, guard, with: other }: Mutant): string | null {
  if (defect !== 'swapped' || guard.errno !== other?.errno || guard.errno === null) return null;
  return `both answer ${guard.errno}`;
}

/** A guard that another one speaks for: see `implied`. */
function spoken(mutant: Mutant, inputs: readonly Input[]): string | null {
  const { by, why, kernels } = implied[mutant.guard.id] ?? {};
  if (kernels?.includes(mutant.profile) === false) return null;
  const answers = new Set(inputs.flatMap((input) => answeredBy(mutant, input) ?? []));
  if (by === undefined) return answers.size === 0 && why !== undefined ? why : null;
  if (mutant.defect !== 'dropped' || !answers.has(by)) return null;
  return `${by} answers the same: ${why}`;
}

/** Which guard answers where the mutant lacks one that would. */
function answeredBy({ profile, op: kind, guard, asked }: Mutant, { world, state, op }: Input): string | null {
  if (op.op !== kind || !world.processes.has(op.pid)) return null;
  const its = itsOf(state, op);
  const first = asking[profile][kind].guards.find((each) => each.applies(world, state, op, its));
  if (first !== guard) return null;
  return asked.find((each) => each.applies(world, state, op, its))?.id ?? 'nobody';
}

function* take<T>(items: Iterable<T>, count: number): Iterable<T> {
  let taken = 0;
  for (const item of items) {
    if (taken >= count) return;
    taken += 1;
    yield item;
  }
}

/** A swap of guards that never apply together. */
function apart({ defect, with: other }: Mutant, tried: number): string | null {
  return defect === 'swapped'
    ? `it and ${other?.id} never apply together, in ${tried.toLocaleString('en')} inputs`
    : null;
}
