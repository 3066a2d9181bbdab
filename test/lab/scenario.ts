import type { Guest } from './guest/guest.ts';

/** A machine, and what is done and expected on it. The host reads the machine; the guest runs `run`. */
export interface Scenario {
  readonly name: string;
  /** One sentence for the person who reads the output. */
  readonly about: string;
  /** QEMU's chipset and devices. */
  readonly machine: readonly string[];
  /** Words on the kernel's command line. */
  readonly commandLine: string;
  readonly run: (guest: Guest) => Promise<void>;
}
