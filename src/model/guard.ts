import type { Errno } from './errno.ts';
import type { Op } from './op.ts';
import { inProfile, type PerProfile, type ProfileId } from './profiles.ts';
import type { State, World } from './state.ts';

/**
 * One test that the kernel makes before it does what was asked. `applies` says that the operation is refused here; an
 * operation's guards stand in the kernel's order, and the first that applies answers.
 */
export interface Guard<O extends Op = Op> {
  readonly id: string;
  /** What is wrong, as a short sentence. */
  readonly words: string;
  /** Null where the call does not return: see `waitsFor`. */
  readonly errno: Errno | PerProfile<Errno> | null;
  /** Kernel file and function. */
  readonly citation: string | PerProfile<string>;
  applies(world: World, state: State, op: O): boolean;
  /** The state that the refusal leaves, where the kernel had done part of the work by then; otherwise the one before. */
  leaves?(world: World, state: State, op: O): State;
  /** The processes that a call without errno waits for. */
  waitsFor?(world: World, state: State, op: O): readonly number[];
}

/** A guard as one kernel makes the test. */
export interface Asked extends Guard {
  readonly errno: Errno | null;
  readonly citation: string;
}

/** The guards of a rule as one kernel asks them. */
export function askedIn(rule: Rule, id: ProfileId): readonly Asked[] {
  return inProfile(rule.guards, id).map((guard) => ({
    ...guard,
    errno: guard.errno === null || typeof guard.errno === 'string' ? guard.errno : inProfile(guard.errno, id),
    citation: typeof guard.citation === 'string' ? guard.citation : inProfile(guard.citation, id),
  }));
}

/** What an operation that no guard refused does. */
export interface Done {
  readonly state: State;
  readonly value: number;
  readonly out?: { readonly [field: string]: number | bigint | string };
}

/** The objects by which docs/model.md groups operations. */
export type Subject =
  | 'container'
  | 'group'
  | 'device'
  | 'cdev'
  | 'iommufd'
  | 'sysfs'
  | 'modules'
  | 'files'
  | 'kvm';

/** What docs/model.md says of an operation beside its guards. */
interface Words<O extends Op> {
  readonly object: Subject;
  /** The system call, as somebody would write it. */
  readonly call: string;
  /** Each argument; the page explains once the `pid`, `fd` and `argsz` that most have. */
  readonly arguments: { readonly [Argument in Exclude<keyof O, 'op' | 'pid' | 'fd' | 'argsz'>]: string };
  /** What it does when no guard refuses it. */
  readonly effect: string;
  /** The operation that takes it back, or `none: ` and the reason. */
  readonly undo: string;
}

export interface Rule<O extends Op = Op> {
  readonly words: Words<O>;
  /** Of an ioctl: whose it is, and its number. Asked of another kind of file, the number means what it means there. */
  readonly ioctl?: { readonly on: 'container' | 'group' | 'device' | 'iommufd'; readonly request: number };
  readonly guards: PerProfile<readonly Guard<O>[]>;
  /** Only asked when no guard applies. */
  effect(world: World, state: State, op: O): Done;
  /** The operation that takes `op` back, as far as its kind has one; `undoOf` proves it on the model. */
  undo(world: World, before: State, op: O): Op | { readonly none: string };
}

/** Guards of requests that no kernel before 6.12 is asked for: those have no file that they could be made on. */
export function since612<O extends Op>(...guards: readonly Guard<O>[]): PerProfile<readonly Guard<O>[]> {
  return { seed: [], '6.12': guards };
}

/** Guards that every profile makes in the same order. */
export function everywhere<O extends Op>(...guards: readonly Guard<O>[]): PerProfile<readonly Guard<O>[]> {
  return { seed: guards };
}
