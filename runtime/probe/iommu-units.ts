import type { IommuUnit } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles, textOf } from './files.ts';

/** What an IOMMU unit can do, as far as its driver shows or the driver's name says it. */
export function unitOf(files: MachineFiles, name: string): IommuUnit {
  const at = `/sys/class/iommu/${name}`;
  if (!isMissing(files.list(`${at}/intel-iommu`))) return intelUnit(files, name, `${at}/intel-iommu`);
  if (!isMissing(files.list(`${at}/amd-iommu`))) return amdUnit(name);
  const unknown = { unknown: `${at} shows no registers` };
  return { name, addressBits: unknown, pageSizes: unknown, snoopControl: unknown };
}

/**
 * The page tables of version 1, which are the driver's choice, take any address (drivers/iommu/amd/iommu.c:
 * dma_max_address, amd_iommu_enforce_cache_coherency, AMD_IOMMU_PGSIZES).
 */
function amdUnit(name: string): IommuUnit {
  return { name, addressBits: 64, pageSizes: '0xffffff7ffffff000', snoopControl: true };
}

/** The registers CAP and ECAP (Intel VT-d Architecture Specification, 11.4.2 and 11.4.3; drivers/iommu/intel/iommu.h). */
function intelUnit(files: MachineFiles, name: string, at: string): IommuUnit {
  const [cap, ecap] = [registerAt(files, `${at}/cap`), registerAt(files, `${at}/ecap`)];
  const unknownCap = { unknown: `${at}/cap holds no register` };
  const unknownEcap = { unknown: `${at}/ecap holds no register` };
  return {
    name,
    addressBits: cap === null ? unknownCap : ecap === null ? unknownEcap : intelBits(cap, ecap),
    pageSizes: cap === null ? unknownCap : intelPageSizes(cap),
    snoopControl: ecap === null ? unknownEcap : bit(ecap, 7n),
    dirtyTracking: ecap === null ? unknownEcap : intelDirtyTracking(files, ecap),
  };
}

/** drivers/iommu/intel/iommu.h:ssads_supported: in scalable mode, which the command line may say, or the build. */
function intelDirtyTracking(files: MachineFiles, ecap: bigint): IommuUnit['dirtyTracking'] & {} {
  if (!(bit(ecap, 43n) && bit(ecap, 45n) && bit(ecap, 48n))) return false;
  const text = textOf(files, '/proc/cmdline');
  const words = isMissing(text) ? [] : text.trim().split(/\s+/);
  const modes = words
    .filter((word) => word.startsWith('intel_iommu='))
    .flatMap((word) => word.slice('intel_iommu='.length).split(','));
  const last = modes.findLast((mode) => mode === 'sm_on' || mode === 'sm_off');
  if (last === undefined) return { unknown: 'no file tells whether the unit is in scalable mode' };
  return last === 'sm_on';
}

function registerAt(files: MachineFiles, path: string): bigint | null {
  const text = textOf(files, path);
  return isMissing(text) || !/^[\da-f]{1,16}$/.test(text.trim()) ? null : BigInt(`0x${text.trim()}`);
}

const bit = (register: bigint, place: bigint) => ((register >> place) & 1n) === 1n;

/** SAGAW has a bit for each number of levels: 39 bits at place 1, nine more at each of the next. */
const widths = [
  { place: 3n, bits: 57 },
  { place: 2n, bits: 48 },
  { place: 1n, bits: 39 },
];

/**
 * drivers/iommu/intel/iommu.c:__iommu_calculate_sagaw, prepare_domain_attach_device: the deepest tables, not beyond
 * MGAW. In scalable mode, which no file tells, they are those that both stages have: the narrower counts. Where there
 * is the first stage alone, an address is canonical, and its uppermost bit is none of its own.
 */
function intelBits(cap: bigint, ecap: bigint): number {
  const second = (cap >> 8n) & 0x1fn;
  const first = 0b0100n | (bit(cap, 60n) ? 0b1000n : 0n);
  const most = Number((cap >> 16n) & 0x3fn) + 1;
  const widest = (levels: bigint) =>
    Math.min(most, widths.find(({ place }) => bit(levels, place))?.bits ?? 30);
  const scalable = bit(ecap, 43n) && bit(ecap, 47n);
  if (!scalable) return widest(second);
  return bit(ecap, 46n) ? Math.min(widest(second), widest(first & second)) : widest(first) - 1;
}

/** SLLPS: 2 MiB, and with its second bit 1 GiB too (domain_super_pgsize_bitmap). */
function intelPageSizes(cap: bigint): string {
  const large = (cap >> 34n) & 3n;
  return large >= 2n ? '0x40201000' : large === 1n ? '0x201000' : '0x1000';
}
