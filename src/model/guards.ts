import type { Asked } from './guard.ts';
import { asking } from './ops.ts';
import type { Profile } from './profiles.ts';
import { noProcess } from './step.ts';

/** What a guard says and where the kernel makes the test. `id` comes from a `Result`; any other is a bug and throws. */
export function guardOf(profile: Profile, id: string): { readonly words: string; readonly citation: string } {
  const guard = guardsOf(profile).get(id);
  if (guard === undefined) throw new Error(`no operation has a guard ${id}`);
  return guard;
}

/** Every guard of a profile, by id. */
export function guardsOf(profile: Profile): ReadonlyMap<string, Asked> {
  const known = byProfile.get(profile.id);
  if (known !== undefined) return known;
  const guards = new Map<string, Asked>([[noProcess.id, noProcess]]);
  for (const call of Object.values(asking[profile.id])) {
    for (const guard of call.guards) guards.set(guard.id, guard);
  }
  byProfile.set(profile.id, guards);
  return guards;
}

const byProfile = new Map<Profile['id'], ReadonlyMap<string, Asked>>();
