/** What an Intel unit's registers CAP and ECAP say, as far as the snapshot tells of what it can do. */
import { type IommuUnit, isUnknown, type Snapshot } from '../../../src/machine/snapshot.ts';

/** What the snapshot tells of a unit. */
export function unitNamed({ iommu }: Snapshot, name: string): IommuUnit | undefined {
  const told = iommu.translation === undefined || isUnknown(iommu.translation) ? [] : iommu.translation;
  return told.find((unit) => unit.name === name);
}

/** Intel VT-d Architecture Specification, 11.4.2 and 11.4.3; null where too little is told. */
export function registersOf({
  addressBits,
  pageSizes,
  snoopControl,
  dirtyTracking,
}: IommuUnit): { readonly cap: bigint; readonly ecap: bigint } | null {
  if (isUnknown(addressBits) || isUnknown(pageSizes) || isUnknown(snoopControl)) return null;
  const levels = addressBits > 48 ? 3n : addressBits > 39 ? 2n : 1n;
  const sizes = BigInt(pageSizes);
  const large = ((sizes >> 21n) & 1n) | (((sizes >> 30n) & 1n) << 1n);
  const cap = (large << 34n) | (BigInt(addressBits - 1) << 16n) | (1n << (8n + levels));
  // SMTS, SLADS and SMPWC, which make it (drivers/iommu/intel/iommu.h:ssads_supported).
  const tracks = dirtyTracking === true ? (1n << 43n) | (1n << 45n) | (1n << 48n) : 0n;
  return { cap, ecap: tracks | (snoopControl ? 1n << 7n : 0n) };
}
