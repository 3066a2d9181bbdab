import { capabilityNames } from '../../abi/capability.ts';
import type { Credentials } from '../../backend.ts';
import { AddressSpace } from './memory.ts';
import type { OpenFile } from './open-file.ts';

/** A process of the simulated kernel: who it is, what it has open and mapped. */
export interface Process {
  readonly pid: number;
  who: Credentials;
  /** By descriptor. The numbers are those of the model's table, so that both agree on the lowest free one. */
  readonly files: (OpenFile | undefined)[];
  readonly memory: AddressSpace;
}

export function newProcess(pid: number, who: Credentials): Process {
  return { pid, who, files: [], memory: new AddressSpace() };
}

/** The descriptors that are open. */
export function descriptorsOf({ files }: Process): readonly number[] {
  return files.flatMap((file, fd) => (file === undefined ? [] : [fd]));
}

/** What the kernel log and /proc call every process here. */
export const commandName = 'vfioplan';

/** The capability set as /proc/PID/status prints it. */
export function capabilityMask(names: readonly string[]): string {
  const bits = names.reduce((mask, name) => {
    const bit = capabilityNames.indexOf(name.replace(/^CAP_/, ''));
    return bit === -1 ? mask : mask | (1n << BigInt(bit));
  }, 0n);
  return bits.toString(16).padStart(16, '0');
}
