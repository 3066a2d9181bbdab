import { profileIds } from '../../src/model/profiles.ts';
import type { Exit } from './exit-codes.ts';
import type { Options, Run } from './invocation.ts';

/** What is said about a command. */
export interface CommandDescription {
  /** Words as typed: `snapshot import`. */
  readonly name: string;
  /** One line. */
  readonly purpose: string;
  /** What a newcomer must know beyond it. */
  readonly text?: string;
  readonly operands: readonly { readonly name: string; readonly text: string }[];
  readonly options: readonly OptionDescription[];
  readonly examples: readonly { readonly words: string; readonly text: string }[];
  readonly exits: readonly Exit[];
  readonly load: () => Promise<Run>;
}

export interface OptionDescription {
  readonly key: keyof Options;
  /** As commander reads it: `--out <file>`. */
  readonly flags: string;
  readonly text: string;
  /** A default to show; what it says is done in `options.ts`. */
  readonly shows?: string;
  readonly repeats?: boolean;
}

export const format: OptionDescription = {
  key: 'format',
  flags: '--format <human|json>',
  text: 'how the result is written on stdout',
  shows: 'human',
};

/** A snapshot is JSON in any case. */
export const documentFormat: OptionDescription = { ...format, text: 'how a refusal is written' };

export const stateDirectory: OptionDescription = {
  key: 'stateDir',
  flags: '--state-dir <folder>',
  text: 'where journals and the lock are kept',
  shows: '/var/lib/vfioplan',
};

export const judging: readonly OptionDescription[] = [
  {
    key: 'machine',
    flags: '--machine <[name=]file>',
    text: "a snapshot, and the host that it stands for; without a name, the snapshot's own host name. May be repeated",
    repeats: true,
  },
  { key: 'live', flags: '--live', text: 'read this machine instead of a snapshot (nothing is changed)' },
  stateDirectory,
  {
    key: 'today',
    flags: '--today <date>',
    text: 'the date, YYYY-MM-DD, that permissions with an end are compared with',
    shows: "the machine's date",
  },
  {
    key: 'strict',
    flags: '--strict',
    text: 'a fact that the snapshot does not tell, and that matters, is an error',
  },
];

export const host: OptionDescription = {
  key: 'host',
  flags: '--host <name>',
  text: 'only this host of the policy; with --live and --native, the host that this machine is',
};

export const profile: OptionDescription = {
  key: 'profile',
  flags: '--profile <kernel>',
  text: `the kernel that is simulated: ${profileIds.join(', ')}`,
  shows: "the trace's, or the nearest to the machine's release",
};

export const policies = {
  name: '<policy...>',
  text: 'policy files (.vfio); what they import and the snapshots that their hosts name are read too',
};
