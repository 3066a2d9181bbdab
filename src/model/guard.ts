import type { Errno } from './errno.ts';
import type { Iommufd } from './iommufd-state.ts';
import type { Op } from './op.ts';
import type { Result } from './outcome.ts';
import { inProfile, type PerProfile, type ProfileId } from './profiles.ts';
import type { Container, DeviceFile, State, VfioGroup, World } from './state.ts';

/**
 * What the descriptor of a request names, as each kind of file has it. A request reaches its guards only on a file that
 * knows it, so none of them has to ask what it is asked of.
 */
export type Its<O extends Op> = O extends { readonly op: 'device.read' | 'device.write' | 'device.mmap' }
  ? null
  : O extends { readonly fd: number }
    ? O['op'] extends `container.${string}`
      ? Container
      : O['op'] extends `group.${string}`
        ? VfioGroup
        : O['op'] extends `iommufd.${string}`
          ? Iommufd
          : O['op'] extends `device.${string}`
            ? DeviceFile
            : null
    : null;

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
  applies(world: World, state: State, op: O, its: Its<O>): boolean;
  /** The state that the refusal leaves, where the kernel had done part of the work by then; otherwise the one before. */
  leaves?(world: World, state: State, op: O, its: Its<O>): State;
  /** The processes that a call without errno waits for. */
  waitsFor?(world: World, state: State, op: O, its: Its<O>): readonly number[];
}

/** A guard as one kernel makes the test. */
export interface Asked extends Omit<Guard, 'leaves' | 'waitsFor'> {
  readonly errno: Errno | null;
  readonly citation: string;
  readonly leaves: Guard['leaves'] | undefined;
  readonly waitsFor: Guard['waitsFor'] | undefined;
  /** What every refusal by it is; null where the call does not return. */
  readonly refusal: Result | null;
}

/** The guards of a rule as one kernel asks them. */
export function askedIn(rule: Rule, id: ProfileId): readonly Asked[] {
  return inProfile(rule.guards, id).map((guard) => {
    const { errno, citation } = guard;
    return asked(
      guard,
      errno === null || typeof errno === 'string' ? errno : inProfile(errno, id),
      typeof citation === 'string' ? citation : inProfile(citation, id),
    );
  });
}

/** All look alike, for every step goes through many of them. */
export function asked(guard: Guard | Asked, errno: Errno | null, citation: string): Asked {
  const { id, words, applies, leaves, waitsFor } = guard;
  const refusal: Result | null = errno === null ? null : { ok: false, errno, guard: id };
  return { id, words, errno, citation, applies, leaves, waitsFor, refusal };
}

/** What an operation that no guard refused does. */
export interface Done {
  /** The state after it; left out when nothing changed. */
  readonly state?: State;
  readonly value: number;
  readonly out?: { readonly [field: string]: number | bigint | string };
}

/** The answer of what is asked, or done without a change, and has nothing to say but that it succeeded. */
export const zero: Done = { value: 0 };

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
  | 'configuration'
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
  readonly ioctl?: {
    readonly on: 'container' | 'group' | 'device' | 'iommufd' | 'kvm' | 'vm' | 'kvm-device';
    readonly request: number;
  };
  readonly guards: PerProfile<readonly Guard<O>[]>;
  /** Only asked when no guard applies. */
  effect(world: World, state: State, op: O, its: Its<O>): Done;
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
