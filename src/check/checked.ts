import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { HostPolicy } from '../policy/policy.ts';
import type { Script } from '../script/script.ts';

declare const checked: unique symbol;

/** A host's policy that `check()` found sound. Only `check()` makes one, so an unchecked policy cannot be planned. */
export interface CheckedPolicy {
  readonly [checked]: true;
  readonly policy: HostPolicy;
  readonly script: Script;
}

export interface CheckedHost {
  readonly host: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Absent when a diagnostic is an error. */
  readonly checked?: CheckedPolicy;
}

export interface Checking {
  /** All diagnostics, those of no host first, sorted by file and place. */
  readonly diagnostics: readonly Diagnostic[];
  readonly hosts: readonly CheckedHost[];
}

export interface CheckInput {
  /** Policy files, imports included: path as the front door names it, and text. */
  readonly sources: readonly { readonly file: string; readonly text: string }[];
  /** Snapshots by the host they stand for: a host's name, or a path as written after `snapshot`. */
  readonly machines: readonly { readonly name: string; readonly snapshot: HostPolicy['snapshot'] }[];
  /** `YYYY-MM-DD`: permissions are compared with it. */
  readonly today: string;
  /** Unknown facts that matter are errors, not warnings. */
  readonly strict?: boolean;
}
