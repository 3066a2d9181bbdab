import { isVfioDriver } from '../machine/drivers.ts';
import { type Fact, isUnknown, type PciFunction, type Snapshot } from '../machine/snapshot.ts';
import type { Assumption } from './profiles.ts';

/** Reads facts, and writes down each one that is unknown with the value taken instead. */
export class FactReader {
  readonly assumed: Assumption[];

  constructor(assumed: Assumption[]) {
    this.assumed = assumed;
  }

  read<T>(fact: string, told: Fact<T>, otherwise: T, taken: string): T {
    if (!isUnknown(told)) return told;
    this.assumed.push({ fact, taken, unknown: told.unknown });
    return otherwise;
  }
}

/** A group that VFIO made up for a device without one: its node says so, or it has no domain on a machine without IOMMU. */
export function isFake(snapshot: Snapshot, pci: PciFunction): boolean {
  const group = isUnknown(pci.iommuGroup) ? null : pci.iommuGroup;
  if (group === null || isUnknown(pci.driver) || pci.driver === null || !isVfioDriver(pci.driver))
    return false;
  if (
    !isUnknown(snapshot.nodes) &&
    snapshot.nodes.some(({ path }) => path === `/dev/vfio/noiommu-${group}`)
  ) {
    return true;
  }
  const groups = isUnknown(snapshot.iommu.groups) ? [] : snapshot.iommu.groups;
  const noUnits = !isUnknown(snapshot.iommu.units) && snapshot.iommu.units.length === 0;
  return noUnits && groups.some(({ id, type }) => id === group && type === 'unknown');
}

/** The parameters' texts that are known. */
export function textsOf(
  parameters: Readonly<Record<string, Fact<string>>> | undefined,
): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, text] of Object.entries(parameters ?? {})) if (!isUnknown(text)) texts[name] = text;
  return texts;
}
