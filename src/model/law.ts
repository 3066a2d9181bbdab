import type { Op } from './op.ts';
import type { Outcome } from './outcome.ts';
import { type ProfileId, profileIds, profilesSince } from './profiles.ts';
import type { State, World } from './state.ts';

/**
 * What VFIO promises, as predicates: on every reachable state, or on every step. A law names the kernels that keep it;
 * the seed re-examined viability at each use instead of claiming the group.
 */
export interface Law {
  readonly id: string;
  readonly statement: string;
  /** Where the kernel enforces it. */
  readonly enforcedBy: string;
  readonly profiles: readonly ProfileId[];
  /** Whether the law holds in a state. */
  readonly onState?: (world: World, state: State) => boolean;
  /** Whether it holds of a step from `before`. */
  readonly onStep?: (world: World, before: State, op: Op, outcome: Outcome) => boolean;
}

export const everyKernel: readonly ProfileId[] = profileIds;

/** Those that claim a group when it enters a container; before them its devices were judged at every use. */
export const claiming: readonly ProfileId[] = profilesSince('6.1');

export const walking: readonly ProfileId[] = profileIds.filter((id) => !claiming.includes(id));
