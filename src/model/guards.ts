import type { Guard } from './guard.ts';
import { rules } from './ops.ts';
import type { Profile } from './profiles.ts';
import { noProcess } from './step.ts';

/** What a guard says and where the kernel makes the test. `id` comes from a `Result`; any other is a bug and throws. */
export function guardOf(profile: Profile, id: string): { readonly words: string; readonly citation: string } {
  const guard = guardsOf(profile).get(id);
  if (guard === undefined) throw new Error(`no operation has a guard ${id}`);
  const { words, citation } = guard;
  return { words, citation: typeof citation === 'string' ? citation : citation[profile.id] };
}

/** Every guard of a profile, by id. */
export function guardsOf(profile: Profile): ReadonlyMap<string, Guard> {
  const known = byProfile.get(profile.id);
  if (known !== undefined) return known;
  const guards = new Map<string, Guard>([[noProcess.id, noProcess]]);
  for (const rule of Object.values(rules)) {
    for (const guard of rule.guards[profile.id]) guards.set(guard.id, guard as Guard);
  }
  byProfile.set(profile.id, guards);
  return guards;
}

const byProfile = new Map<Profile['id'], ReadonlyMap<string, Guard>>();
