import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { HostPolicy } from '../policy/policy.ts';
import type { Script } from '../script/script.ts';
import type { Reading } from '../syntax/read.ts';

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
  /** What its names mean on its machine, as far as they could be resolved; absent without a snapshot. */
  readonly policy?: HostPolicy;
}

export interface Checking {
  /** All diagnostics, those of no host first, sorted by file and place. */
  readonly diagnostics: readonly Diagnostic[];
  readonly hosts: readonly CheckedHost[];
}

export interface Source {
  /** Its path as the front door names it. */
  readonly file: string;
  readonly text: string;
  /** What was read of it, or of an earlier text of it: it spares work, and changes nothing of the answer. */
  readonly reading?: Reading;
}

export interface CheckInput {
  /** Policy files, imports included. */
  readonly sources: readonly Source[];
  /** Snapshots by the host they stand for: a host's name, or a path as written after `snapshot`. */
  readonly machines: readonly { readonly name: string; readonly snapshot: HostPolicy['snapshot'] }[];
  /** `YYYY-MM-DD`: permissions are compared with it. */
  readonly today: string;
  /** Unknown facts that matter are errors, not warnings. */
  readonly strict?: boolean;
  /** Only this host, with only these policies established; what the others forbid, protect and require holds too. */
  readonly only?: { readonly host: string; readonly policies: readonly string[] };
}
