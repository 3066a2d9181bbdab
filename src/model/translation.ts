import { type Fact, type IommuUnit, isUnknown, type Snapshot } from '../machine/snapshot.ts';
import type { FactReader } from './facts.ts';
import { driverOfUnit, iommuDrivers } from './iommu-drivers.ts';
import type { Hardware, IommuHardware, IovaRange } from './state.ts';

/** What the IOMMU units of a machine translate, and for which groups. */
interface Translation {
  readonly aperture: bigint;
  /** What a group's own unit does not translate of that. */
  readonly beyond: ReadonlyMap<number, IovaRange>;
  readonly snooped: ReadonlySet<number>;
  readonly iommus: ReadonlyMap<number, IommuHardware>;
  readonly pageSizes: bigint;
}

/** Every unit has tables of three levels; more it may have. */
const fewestBits = 39;

interface Unit extends IommuHardware {
  readonly name: string;
  readonly bits: number;
  readonly snoops: boolean;
  readonly pageSizes: bigint;
}

/**
 * By the units that the snapshot tells. A group whose unit is not told is taken to be behind each of them: it may use
 * what all of them allow.
 */
export function translationOf(
  reader: FactReader,
  snapshot: Snapshot,
  hardware: readonly Hardware[],
): Translation {
  const units = unitsOf(reader, snapshot);
  const behind = unitsOfGroups(snapshot, units);
  const aperture = lastAddress(Math.max(fewestBits, ...units.filter(isWhole).map(({ bits }) => bits)));
  const beyond = new Map<number, IovaRange>();
  const snooped = new Set<number>();
  const iommus = new Map<number, IommuHardware>();
  for (const { group } of hardware) {
    if (group === null) continue;
    const its = behind.get(group) ?? units;
    // Groups without an IOMMU of the snapshot's, such as those that VFIO made up.
    if (its.length === 0) continue;
    const last = lastAddress(Math.min(...its.map(({ bits }) => bits)));
    if (last < aperture && its.every(isWhole)) beyond.set(group, { start: last + 1n, end: aperture });
    if (its.every(({ snoops }) => snoops)) snooped.add(group);
    const [{ driver } = { driver: 'other' as const }] = its;
    iommus.set(group, {
      driver: its.every((unit) => unit.driver === driver) ? driver : 'other',
      tracksDirty: its.every(({ tracksDirty }) => tracksDirty),
    });
  }
  const pageSizes = units.reduce((all, its) => all & its.pageSizes, (1n << 64n) - 1n);
  return { aperture, beyond, snooped, iommus, pageSizes };
}

/** Whether its driver makes use of all that it translates. */
function isWhole({ driver }: Unit): boolean {
  return iommuDrivers[driver].aperture === null;
}

function lastAddress(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}

/** drivers/iommu/intel/iommu.c:domain_update_iommu_superpage: what all units have. */
function unitsOf(reader: FactReader, { iommu }: Snapshot): readonly Unit[] {
  if (!isUnknown(iommu.units) && iommu.units.length === 0) return [];
  const told: Fact<readonly IommuUnit[]> = iommu.translation ?? {
    unknown: 'the snapshot is older than this fact',
  };
  if (isUnknown(told)) {
    const taken = `${fewestBits} bits, no snoop control, pages of 4 KiB`;
    reader.read('/iommu/translation', told, [], taken);
    const [name = ''] = isUnknown(iommu.units) ? [] : iommu.units;
    const hardware = { driver: driverOfUnit(name), tracksDirty: false };
    return [{ name: '', bits: fewestBits, snoops: false, pageSizes: 0x1000n, ...hardware }];
  }
  return told.map(({ name, addressBits, snoopControl, pageSizes, dirtyTracking }): Unit => {
    const at = `/iommu/translation/${name}`;
    return {
      name,
      bits: reader.read(`${at}/addressBits`, addressBits, fewestBits, `${fewestBits}`),
      snoops: reader.read(`${at}/snoopControl`, snoopControl, false, 'none'),
      pageSizes: BigInt(reader.read<string>(`${at}/pageSizes`, pageSizes, '0x1000', '4 KiB')),
      driver: driverOfUnit(name),
      // No plan asks for it: what is not known is no precondition of one.
      tracksDirty: dirtyTracking === true,
    };
  });
}

/** The unit of each group whose functions tell it. */
function unitsOfGroups(
  { functions }: Snapshot,
  units: readonly Unit[],
): ReadonlyMap<number, readonly Unit[]> {
  const behind = new Map<number, readonly Unit[]>();
  for (const { iommuGroup, iommuUnit } of functions) {
    if (isUnknown(iommuGroup) || iommuGroup === null || typeof iommuUnit !== 'string') continue;
    const its = units.filter(({ name }) => name === iommuUnit);
    if (its.length > 0) behind.set(iommuGroup, its);
  }
  return behind;
}
