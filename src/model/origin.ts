import type { IommuGroup, World } from './state.ts';

/** Which of the world's groups a group is, whatever its id is now: the one that its devices name. */
export function originOf(world: World, { devices }: IommuGroup): number | null {
  return world.hardware[devices[0] ?? -1]?.group ?? null;
}
