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

export const noIommuChipset = ['-M', 'q35'];
export const intelChipset = ['-M', 'q35,kernel-irqchip=split', '-device', 'intel-iommu,intremap=on'];
export const intelCommandLine = 'intel_iommu=on';

/** A root port of its own for each device; `device` is QEMU's name of it. The n-th call's device is 0000:0n:00.0. */
export function behindRootPort(number: number, ...devices: readonly string[]): string[] {
  const port = `pcie-root-port,id=rp${number},bus=pcie.0,slot=${number},chassis=${number},addr=0x1${number}`;
  const functions = devices.flatMap((device, index) => [
    '-device',
    `${device},bus=rp${number},addr=0.${index}${devices.length > 1 && index === 0 ? ',multifunction=on' : ''}`,
  ]);
  return ['-device', port, ...functions];
}
