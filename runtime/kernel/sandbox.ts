/**
 * The simulated kernel, from outside: boots a machine from its snapshot inside the sandbox and gives processes on it,
 * each the same interface as a real kernel's.
 *
 * What the simulation has and Linux has not: it never blocks (`WouldBlock` instead), and what it does not know answers
 * ENOSYS. What it leaves out of Linux: files that take writes the model does not know (config, msi_bus …), contents of
 * device registers.
 */
import guest from 'guest:kernel';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { ProfileId } from '../../src/model/profiles.ts';
import type { Backend, Credentials } from '../backend.ts';
import type { Fault } from './faults.ts';
import { SystemInterface } from './interface.ts';
import { bootTimes, defaultLimits, type Limits, Script } from './quickjs.ts';

export interface SandboxOptions extends Partial<Limits> {
  /** The kernel version; default: the one nearest to the snapshot's release. */
  readonly profile?: ProfileId;
  readonly faults?: readonly Fault[];
}

export interface Sandbox {
  /** A new process. Throws `SandboxFailure` once a limit of the sandbox was reached, as every call on it does. */
  process(credentials: Credentials): SimulatedProcess;
  /** The kernel log since boot, oldest first, one line an entry, without time stamps; without the first `skip` lines. */
  kernelLog(skip?: number): string[];
  /** Ends the sandbox and everything in it. */
  dispose(): void;
}

export interface SimulatedProcess extends Backend {
  readonly kind: 'simulated';
  /** Its process id, as under /proc. */
  readonly pid: number;
  /** Changes who the process is, as setresuid(2) and capset(2) do; its descriptors stay. */
  become(credentials: Credentials): void;
  /** Gives another process of the same sandbox a descriptor of the same open file (SCM_RIGHTS); its number there, or a negative errno. */
  pass(fd: number, to: SimulatedProcess): number;
  /** Ends the process: all that it has open is closed. Later calls throw `ProcessKilled`. */
  exit(): void;
}

/** Milliseconds after which a sandbox has answered, or has failed, whatever it was asked: to boot takes the longest. */
export function longestSilence({ deadlineMs = defaultLimits.deadlineMs }: SandboxOptions): number {
  return bootTimes * deadlineMs;
}

/** Boots a machine as the snapshot shows it. Rejects with `SandboxFailure` when a limit is reached while booting. */
export async function bootSandbox(snapshot: Snapshot, options: SandboxOptions = {}): Promise<Sandbox> {
  const { profile, faults = [] } = options;
  const limits: Limits = {
    memoryLimitBytes: options.memoryLimitBytes ?? defaultLimits.memoryLimitBytes,
    stackLimitBytes: options.stackLimitBytes ?? defaultLimits.stackLimitBytes,
    deadlineMs: options.deadlineMs ?? defaultLimits.deadlineMs,
  };
  const script = await Script.start(guest, limits, {
    snapshot: JSON.stringify(snapshot),
    options: JSON.stringify({ profile, faults }),
  });
  const kernel = new SystemInterface(script);
  return {
    process: (credentials) => kernel.spawn(credentials),
    kernelLog: (skip) => kernel.log(skip),
    dispose: () => script.stop(),
  };
}
