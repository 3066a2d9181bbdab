import { type IommuGroup, isUnknown, type Snapshot } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles, textOf } from './files.ts';
import { reason } from './functions.ts';
import { unitOf } from './iommu-units.ts';
import { factOf } from './kernel.ts';

/** IOMMU units, groups, whether device interrupts are remapped, and where it is a question whether DMA is coherent. */
export function readIommu(files: MachineFiles, architecture: Snapshot['architecture']): Snapshot['iommu'] {
  const units = files.list('/sys/class/iommu');
  const groups = files.list('/sys/kernel/iommu_groups');
  // The class exists with the first unit or with the IOMMU core (drivers/iommu/iommu-sysfs.c); a sysfs without it has none.
  const names = isMissing(units) ? (noneIn(files, '/sys/class', units.absent) ? [] : reason(units)) : units;
  return {
    units: names,
    translation: isUnknown(names) ? names : names.map((name) => unitOf(files, name)),
    interruptRemapping: remappingOf(files),
    ...coherentOf(files, architecture, isMissing(units) ? [] : units),
    groups: isMissing(groups)
      ? noneIn(files, '/sys/kernel', groups.absent)
        ? []
        : reason(groups)
      : groups
          .filter((name) => /^\d{1,7}$/.test(name))
          .map((name) => groupOf(files, name))
          .sort((a, b) => a.id - b.id),
  };
}

function noneIn(files: MachineFiles, directory: string, absent: boolean): boolean {
  const listed = files.list(directory);
  return absent && !isMissing(listed) && listed.length > 0;
}

const reservedTypes = ['direct', 'direct-relaxable', 'reserved', 'msi'] as const;

function groupOf(files: MachineFiles, name: string): IommuGroup {
  const at = `/sys/kernel/iommu_groups/${name}`;
  const text = textOf(files, `${at}/reserved_regions`);
  const group = { id: Number(name), type: factOf(files, `${at}/type`) };
  if (isMissing(text)) return { ...group, reserved: reason(text) };
  const lines = text.split('\n').filter((line) => line !== '');
  const reserved = lines.flatMap((line) => {
    const [start = '', end = '', word] = line.split(/\s+/);
    const type = reservedTypes.find((each) => each === word);
    const [from, to] = [start, end].map((part) => part.replace(/^0x0*(?=.)/, '0x').toLowerCase());
    const sound = [from, to].every((part) => part !== undefined && /^0x[0-9a-f]{1,16}$/.test(part));
    return sound && from !== undefined && to !== undefined && type !== undefined
      ? [{ start: from, end: to, type }]
      : [];
  });
  return reserved.length === lines.length
    ? { ...group, reserved }
    : { ...group, reserved: { unknown: `${at}/reserved_regions holds a line that is none` } };
}

/**
 * On x86 the name of an interrupt's chip says whether it is remapped: `IR-PCI-MSI` (arch/x86/kernel/apic/msi.c,
 * drivers/iommu/{intel,amd}). Elsewhere, and without any MSI in use, nothing in sysfs tells.
 */
function remappingOf(files: MachineFiles): Snapshot['iommu']['interruptRemapping'] {
  const interrupts = files.list('/sys/kernel/irq');
  if (isMissing(interrupts)) return reason(interrupts);
  const chips = interrupts.map((number) => factOf(files, `/sys/kernel/irq/${number}/chip_name`));
  const messages = chips.filter((chip) => !isUnknown(chip) && /^(IR-)?PCI-MSI/.test(chip));
  const remapped = messages.filter((chip) => !isUnknown(chip) && chip.startsWith('IR-'));
  if (messages.length === 0)
    return { unknown: 'no interrupt of a PCI function tells whether it is remapped' };
  if (remapped.length === 0) return false;
  return remapped.length === messages.length
    ? true
    : { unknown: 'some interrupts of PCI functions are remapped and others are not' };
}

/**
 * Only the SMMUs of ARM may lack it. Their drivers believe the firmware: the property `dma-coherent` of a device tree's
 * node (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c:arm_smmu_device_dt_probe, of_dma_is_coherent), which a bus above may
 * have as well. What ACPI says (IORT) is in no file of text.
 */
function coherentOf(
  files: MachineFiles,
  architecture: Snapshot['architecture'],
  units: readonly string[],
): Pick<Snapshot['iommu'], 'coherent'> {
  if (architecture === 'x86_64' || architecture === 'i686' || units.length === 0) return {};
  const nodes = units.map((unit) => files.list(`/sys/class/iommu/${unit}/device/of_node`));
  const told = nodes.every((node) => !isMissing(node) && node.includes('dma-coherent'));
  return {
    coherent: told ? true : { unknown: 'no device tree says dma-coherent of every IOMMU' },
  };
}
