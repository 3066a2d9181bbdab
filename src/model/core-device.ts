import type { State } from './state.ts';

/**
 * What vfio-pci keeps of an open device (struct vfio_pci_core_device), as far as a later call can tell: it begins anew
 * with the first open and ends with the last close (vfio_pci_core_enable, vfio_pci_core_disable). Who is signalled by an
 * interrupt is not kept: nothing but the signal would show it.
 */
export interface CoreDevice {
  /** irq_type: which kind of interrupt is enabled. */
  readonly interrupts: Interrupts;
  /** How many MSI or MSI-X vectors were enabled. */
  readonly vectors: number;
  /** The eventfd's file whose signal unmasks INTx; closing that file ends it (virqfd_wakeup). */
  readonly unmask: number | null;
  /** Whether somebody is signalled of errors, and of the host's wish to have the device back. */
  readonly error: boolean;
  readonly request: boolean;
  readonly ioeventfds: readonly Ioeventfd[];
  /** Memory decoding in the COMMAND register as users see it: without it no memory is read or written. */
  readonly memory: boolean;
  /** Bytes of configuration space that users wrote and that reach no hardware, by offset. */
  readonly written: { readonly [offset: number]: number };
  /** LOW_POWER_ENTRY was done and LOW_POWER_EXIT was not. */
  readonly lowPower: boolean;
}

export type Interrupts = 'none' | 'intx' | 'msi' | 'msix';

/** A write that the kernel makes when an eventfd is signalled. */
export interface Ioeventfd {
  readonly bar: number;
  readonly position: number;
  readonly size: number;
  readonly data: bigint;
}

export const untouched: CoreDevice = {
  interrupts: 'none',
  vectors: 0,
  unmask: null,
  error: false,
  request: false,
  ioeventfds: [],
  memory: true,
  written: {},
  lowPower: false,
};

/** The devices once the last descriptor of an eventfd is closed (drivers/vfio/virqfd.c:virqfd_wakeup, EPOLLHUP). */
export function forgetEventfd(devices: State['devices'], file: number): State['devices'] {
  if (!devices.some(({ vfio }) => vfio?.core?.unmask === file)) return devices;
  return devices.map((device) => {
    const { vfio } = device;
    if (vfio?.core?.unmask !== file) return device;
    return { ...device, vfio: { ...vfio, core: { ...vfio.core, unmask: null } } };
  });
}

/** Structure as text, the same for the same; a bigint has no JSON. */
export function coreKey(core: CoreDevice): string {
  return JSON.stringify(core, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
}
