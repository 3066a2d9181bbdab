import { type IommuGroup, isUnknown, type Snapshot } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles, textOf } from './files.ts';
import { reason } from './functions.ts';
import { unitOf } from './iommu-units.ts';
import { factOf } from './kernel.ts';

/** IOMMU units, groups, and whether device interrupts are remapped. */
export function readIommu(files: MachineFiles): Snapshot['iommu'] {
  const units = files.list('/sys/class/iommu');
  const groups = files.list('/sys/kernel/iommu_groups');
  // The class exists with the first unit or with the IOMMU core (drivers/iommu/iommu-sysfs.c); a sysfs without it has none.
  const names = isMissing(units) ? (noneIn(files, '/sys/class', units.absent) ? [] : reason(units)) : units;
  return {
    units: names,
    translation: isUnknown(names) ? names : names.map((name) => unitOf(files, name)),
    interruptRemapping: remappingOf(files),
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
