import type { Bar, Fact, PciFunction } from '../../src/machine/snapshot.ts';
import { isUnknown } from '../../src/machine/snapshot.ts';
import { readConfigSpace } from './config-space.ts';
import { isMissing, linkName, type MachineFiles, type Missing, textOf } from './files.ts';

/** PCI functions as sysfs shows them (Documentation/ABI/testing/sysfs-bus-pci). */

export const devicesPath = '/sys/bus/pci/devices';

/** What other parts of the machine tell of a function. */
export interface Attached {
  readonly netdevs: Fact<readonly string[]>;
  readonly blockDevices: Fact<readonly string[]>;
  readonly drivers: Fact<readonly string[]>;
  /** Serial number of the NVMe controller, when it is one. */
  readonly release: Fact<string>;
}

/** The function at `address`, or the path that it cannot be without. */
export function readFunction(
  files: MachineFiles,
  address: string,
  attached: Attached,
): PciFunction | Missing {
  const at = `${devicesPath}/${address}`;
  const vendor = hex(files, `${at}/vendor`, 4);
  if (isUnknown(vendor)) return asMissing(vendor);
  const device = hex(files, `${at}/device`, 4);
  if (isUnknown(device)) return asMissing(device);
  const classCode = hex(files, `${at}/class`, 6);
  if (isUnknown(classCode)) return asMissing(classCode);
  const bytes = files.bytes(`${at}/config`);
  const config = isMissing(bytes)
    ? {
        headerType: reason(bytes),
        multifunction: reason(bytes),
        capabilities: reason(bytes),
        serial: reason(bytes),
      }
    : readConfigSpace(bytes);
  const override = textOf(files, `${at}/driver_override`);
  return {
    address,
    vendor,
    device,
    subsystemVendor: hex(files, `${at}/subsystem_vendor`, 4),
    subsystemDevice: hex(files, `${at}/subsystem_device`, 4),
    class: classCode,
    revision: hex(files, `${at}/revision`, 2),
    headerType: config.headerType,
    multifunction: config.multifunction,
    driver: linkOrNone(files, `${at}/driver`),
    // A driver_override that is not set reads as "(null)" (drivers/pci/pci-sysfs.c driver_override_show).
    driverOverride: isMissing(override)
      ? reason(override)
      : ['', '(null)'].includes(override)
        ? null
        : override,
    drivers: attached.drivers,
    iommuGroup: groupOf(files, at),
    iommuUnit: linkOrNone(files, `${at}/iommu`),
    slot: slotOf(files, address),
    firmwareLabel: firmwareLabelOf(files, at),
    serial: serialOf(files, at, classCode, config.serial),
    numaNode: integer(files, `${at}/numa_node`),
    resetMethods: resetMethodsOf(files, at, attached.release),
    bars: barsOf(files, at),
    capabilities: config.capabilities,
    sriov: sriovOf(files, at),
    physicalFunction: linkOrNone(files, `${at}/physfn`),
    netdevs: attached.netdevs,
    blockDevices: attached.blockDevices,
  };
}

/** A reason without the flag that only this room knows. */
export function reason({ unknown }: Missing): { readonly unknown: string } {
  return { unknown };
}

function asMissing({ unknown }: { readonly unknown: string }): Missing {
  return { unknown, absent: true };
}

function hex(files: MachineFiles, path: string, digits: number): Fact<string> {
  const text = textOf(files, path);
  if (isMissing(text)) return reason(text);
  const found = /^0x([0-9a-fA-F]{1,8})$/.exec(text.trim())?.[1]?.toLowerCase();
  if (found === undefined || found.length > digits) return { unknown: `${path} holds no such number` };
  return found.padStart(digits, '0');
}

function integer(files: MachineFiles, path: string): Fact<number> {
  const text = textOf(files, path);
  if (isMissing(text)) return reason(text);
  return /^-?\d{1,9}$/.test(text.trim()) ? Number(text) : { unknown: `${path} holds no number` };
}

function linkOrNone(files: MachineFiles, path: string): Fact<string | null> {
  const name = linkName(files, path);
  return isMissing(name) ? (name.absent ? null : reason(name)) : name;
}

function groupOf(files: MachineFiles, at: string): PciFunction['iommuGroup'] {
  const name = linkOrNone(files, `${at}/iommu_group`);
  if (name === null || isUnknown(name)) return name;
  return /^\d{1,7}$/.test(name) ? Number(name) : { unknown: `${at}/iommu_group names no number` };
}

/** The path of the device link, `../../../devices/pci0000:00/0000:00:03.1/0000:02:00.0`, from the root bus down. */
function slotOf(files: MachineFiles, address: string): Fact<readonly string[]> {
  const target = files.link(`${devicesPath}/${address}`);
  if (isMissing(target)) return reason(target);
  const parts = target.split('/');
  const root = parts.findLastIndex((part) => /^pci[0-9a-f]{4,8}:[0-9a-f]{2}$/.test(part));
  if (root < 0) return { unknown: `the link of ${address} names no root bus` };
  return [parts[root] ?? '', ...parts.slice(root + 1).map((part) => part.replace(/^.*:/, ''))];
}

/** drivers/pci/pci-label.c: `label` is there only where SMBIOS or ACPI names the device. */
function firmwareLabelOf(files: MachineFiles, at: string): Fact<string | null> {
  const text = textOf(files, `${at}/label`);
  if (isMissing(text)) return text.absent ? null : reason(text);
  return text.trim() === '' ? null : text.trim();
}

/** An NVMe controller is known by the serial number that its users know, everything else by that of PCI Express. */
function serialOf(
  files: MachineFiles,
  at: string,
  classCode: string,
  ofConfig: Fact<string | null>,
): Fact<string | null> {
  const controllers = classCode.startsWith('0108') ? files.list(`${at}/nvme`) : [];
  const controller = isMissing(controllers) ? undefined : controllers[0];
  if (controller === undefined) return ofConfig;
  const serial = textOf(files, `${at}/nvme/${controller}/serial`);
  return isMissing(serial) || serial.trim() === '' ? ofConfig : serial.trim();
}

const resetNames = ['device_specific', 'acpi', 'flr', 'af_flr', 'pm', 'bus', 'cxl_bus'] as const;

/**
 * Since 5.15 `reset_method` lists the methods, and is hidden when there are none (drivers/pci/pci.c
 * pci_dev_reset_method_attr_is_visible); an older kernel has no such file.
 */
function resetMethodsOf(files: MachineFiles, at: string, release: Fact<string>): PciFunction['resetMethods'] {
  const text = textOf(files, `${at}/reset_method`);
  if (isMissing(text)) {
    if (!text.absent || isUnknown(release)) return reason(text);
    const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
    return major > 5 || (major === 5 && minor >= 15)
      ? []
      : { unknown: `Linux ${release} does not list them` };
  }
  const words = text.split(/\s+/).filter((word) => word !== '');
  const methods = words.flatMap((word) => resetNames.find((name) => name === word) ?? []);
  return methods.length === words.length
    ? methods
    : { unknown: `${at}/reset_method holds \`${text.slice(0, 80)}\`` };
}

const RESOURCE_IO = 0x100n;
const RESOURCE_MEMORY = 0x200n;
const RESOURCE_PREFETCH = 0x2000n;

/** Lines of `resource`: start, end, flags (include/linux/ioport.h) of BAR 0 to 5 and the ROM. */
function barsOf(files: MachineFiles, at: string): PciFunction['bars'] {
  const text = textOf(files, `${at}/resource`);
  if (isMissing(text)) return reason(text);
  const bars: Bar[] = [];
  for (const [index, line] of text.split('\n').slice(0, 7).entries()) {
    if (!/^0x[0-9a-fA-F]{1,16}( 0x[0-9a-fA-F]{1,16}){2}$/.test(line))
      return { unknown: `${at}/resource holds a line that is none` };
    const [start = 0n, end = 0n, flags = 0n] = line.split(' ').map(BigInt);
    const kind = index === 6 ? 'rom' : flags & RESOURCE_IO ? 'io' : flags & RESOURCE_MEMORY ? 'memory' : null;
    const size = end - start + 1n;
    if (kind === null || flags === 0n || size <= 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) continue;
    bars.push({
      index,
      start: `0x${start.toString(16)}`,
      size: Number(size),
      kind,
      prefetchable: (flags & RESOURCE_PREFETCH) !== 0n,
    });
  }
  return bars;
}

function sriovOf(files: MachineFiles, at: string): PciFunction['sriov'] {
  const total = textOf(files, `${at}/sriov_totalvfs`);
  if (isMissing(total)) return total.absent ? null : reason(total);
  const [totalVfs, numVfs] = [integer(files, `${at}/sriov_totalvfs`), integer(files, `${at}/sriov_numvfs`)];
  if (isUnknown(totalVfs)) return totalVfs;
  if (isUnknown(numVfs)) return numVfs;
  return { totalVfs, numVfs, ...autoprobeOf(files, at), ...routingOf(files, at) };
}

/** Since 4.12; told where somebody switched it off. */
function autoprobeOf(files: MachineFiles, at: string): Pick<Sriov, 'driversAutoprobe'> {
  const text = textOf(files, `${at}/sriov_drivers_autoprobe`);
  return isMissing(text) || text.trim() !== '0' ? {} : { driversAutoprobe: false };
}

/** Since 4.13, and all three or none: without one of them the others place nothing. */
function routingOf(files: MachineFiles, at: string): Pick<Sriov, 'routing'> {
  const offset = integer(files, `${at}/sriov_offset`);
  const stride = integer(files, `${at}/sriov_stride`);
  const device = textOf(files, `${at}/sriov_vf_device`);
  if (isUnknown(offset) || isUnknown(stride) || isMissing(device)) return {};
  const id = /^[\da-f]{1,4}$/.exec(device.trim())?.[0]?.padStart(4, '0');
  return id === undefined ? {} : { routing: { offset, stride, device: id } };
}

type Sriov = Exclude<PciFunction['sriov'], { readonly unknown: string } | null>;
