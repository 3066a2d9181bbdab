import type { Interrupts } from './core-device.ts';
import type { Hardware, World } from './state.ts';

/** The kinds of interrupt that a device of vfio-pci has, by index (VFIO_PCI_*_IRQ_INDEX). */
export const irq = { intx: 0, msi: 1, msix: 2, error: 3, request: 4, count: 5 } as const;

/** VFIO_IRQ_SET_*: what the data are, and what is done. */
export const irqSet = { none: 1, bool: 2, eventfd: 4, mask: 8, unmask: 16, trigger: 32 } as const;

/** What the data are taken for. Before v4.9 more than one kind could be named, and NONE went before the others. */
export function dataOf(flags: number): 0 | 1 | 2 | 4 {
  if (flags & irqSet.none) return irqSet.none;
  if (flags & irqSet.bool) return irqSet.bool;
  return flags & irqSet.eventfd ? irqSet.eventfd : 0;
}

/** The kind that is enabled, as the index that enables it. */
export const kindOf: readonly Interrupts[] = ['intx', 'msi', 'msix'];

/** How many vectors there are of a kind (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_get_irq_count). */
export function vectorsOf(world: World, hardware: Hardware, index: number): number {
  switch (index) {
    case irq.intx:
      return hasIntx(world, hardware) ? 1 : 0;
    case irq.msi:
      return hardware.msiVectors;
    case irq.msix:
      return hardware.msixVectors;
    case irq.error:
      return hardware.express ? 1 : 0;
    default:
      return index === irq.request ? 1 : 0;
  }
}

/** The interrupt pin as users see it: virtual functions have none, and broken ones are hidden (vfio_config_init). */
export function hasIntx(world: World, hardware: Hardware): boolean {
  if (hardware.interruptPin === 0 || hardware.physicalFunction !== null) return false;
  return !(world.profile.hidesBrokenIntx && hardware.vendor === '8086' && broken.test(hardware.device));
}

/** Intel's 40-gigabit controllers and the X550 (vfio_pci_core.c:vfio_pci_nointx), unless `nointxmask` says otherwise. */
const broken = /^(157[24]|158[0134-9ab]|37d[0-2]|1563)$/;

/**
 * How many vectors a device gets that asks for `wanted`, at most its own (pci_alloc_irq_vectors). Without interrupt
 * remapping x86 gives one MSI vector alone (arch/x86/kernel/apic/msi.c); of MSI-X all are taken to be free.
 */
export function granted(world: World, index: number, wanted: number): number {
  return index === irq.msi && wanted > 1 && !world.interruptRemapping ? 1 : wanted;
}
