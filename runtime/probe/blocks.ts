import type { BlockDevice, Fact } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles, type Missing, textOf } from './files.ts';
import { reason } from './functions.ts';
import { type Mount, mountOfFile, pointsOf, readMounts, readSwaps, type Swap } from './mounts.ts';
import { readSignature } from './signatures.ts';

/** Block devices, and who uses them (Documentation/ABI/stable/sysfs-block). */
export interface Blocks {
  readonly devices: Fact<readonly BlockDevice[]>;
  /** Whole disks by the functions that they hang on: an NVMe disk with two controllers hangs on both. */
  readonly ofFunction: Fact<ReadonlyMap<string, readonly string[]>>;
}

interface Raw {
  readonly name: string;
  /** The sysfs path that the class link leads to. */
  readonly path: string;
  readonly device: string;
  readonly parent: string | null;
  readonly label: string | undefined;
  readonly backing: string | undefined;
  readonly sectors: number;
}

interface Uses {
  readonly mounts: readonly Mount[] | Missing;
  readonly swaps: readonly Swap[] | Missing;
  /** Names of the devices of each multi-device file system, by each member's name. */
  readonly pools: ReadonlyMap<string, readonly string[]>;
  readonly loops: readonly Raw[];
}

export function readBlocks(files: MachineFiles): Blocks {
  const names = files.list('/sys/class/block');
  if (isMissing(names)) return { devices: reason(names), ofFunction: reason(names) };
  const raws = names.flatMap((name) => rawOf(files, name) ?? []);
  const uses: Uses = {
    mounts: readMounts(files),
    swaps: readSwaps(files),
    pools: poolsOf(files),
    loops: raws.filter(({ backing }) => backing?.startsWith('/dev/')),
  };
  const ofFunction = new Map<string, string[]>();
  const devices = raws.map((raw) => {
    const functions = functionsOf(files, raw);
    if (raw.parent === null)
      for (const address of functions)
        ofFunction.set(address, [...(ofFunction.get(address) ?? []), raw.name]);
    return blockDevice(files, raw, functions, uses);
  });
  return { devices, ofFunction };
}

function blockDevice(
  files: MachineFiles,
  raw: Raw,
  functions: readonly string[],
  { mounts, swaps, pools, loops }: Uses,
): BlockDevice {
  const { name, parent, label, sectors } = raw;
  const signature = readSignature(files, name, sectors);
  const names = new Set([name, ...(label === undefined ? [] : [label])]);
  const members = new Set([...names, ...(pools.get(name) ?? [])]);
  const isOn = (mount: Mount) =>
    mount.device === raw.device || (mount.device.startsWith('0:') && members.has(nameOf(mount.source)));
  const listed = files.list(`/sys/class/block/${name}/holders`);
  const nameOf = (path: string) => deviceName(files, path);
  return {
    name,
    function: functions[0] ?? null,
    parent,
    mounts: mountsOf(mounts, isOn, signature),
    swap: isMissing(swaps) ? reason(swaps) : isSwap(swaps, mounts, isOn, (path) => names.has(nameOf(path))),
    holders: isMissing(listed)
      ? reason(listed)
      : [...listed, ...loops.filter(({ backing = '' }) => nameOf(backing) === name).map((loop) => loop.name)],
    signature,
    serial: serialOf(files, raw),
    ...(label === undefined ? {} : { label }),
  };
}

function rawOf(files: MachineFiles, name: string): Raw | undefined {
  const at = `/sys/class/block/${name}`;
  const path = files.link(at);
  const sectors = textOf(files, `${at}/size`);
  const size = isMissing(sectors) ? Number.NaN : Number(sectors);
  const backing = textOf(files, `${at}/loop/backing_file`);
  // A loop or RAM disk without content, and the paths below an NVMe multipath disk, are nobody's; a floppy drive hangs on
  // no PCI function, and asking it for its signature takes seconds.
  if (/^(loop|nbd)\d+$/.test(name) && size === 0 && isMissing(backing)) return undefined;
  if (/^(ram|fd)\d+$/.test(name)) return undefined;
  if (textOf(files, `${at}/hidden`) === '1') return undefined;
  const target = isMissing(path) ? '' : path;
  const partition = !isMissing(files.status(`${at}/partition`));
  const mapped = textOf(files, `${at}/dm/name`);
  const device = textOf(files, `${at}/dev`);
  return {
    name,
    path: target,
    device: isMissing(device) ? '' : device,
    parent: partition ? (target.split('/').at(-2) ?? null) : null,
    label: isMissing(mapped) ? undefined : mapped,
    backing: isMissing(backing) ? undefined : backing,
    sectors: size,
  };
}

const pciAddress = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;

/** The PCI functions of a disk; of an NVMe disk with multipath those of all its controllers. */
function functionsOf(files: MachineFiles, { path }: Raw): readonly string[] {
  const direct = path.split('/').findLast((part) => pciAddress.test(part));
  if (direct !== undefined) return [direct];
  const subsystem = /\/nvme-subsystem\/(nvme-subsys\d+)\//.exec(path)?.[1];
  if (subsystem === undefined) return [];
  const listed = files.list(`/sys/class/nvme-subsystem/${subsystem}`);
  const controllers = isMissing(listed) ? [] : listed.filter((name) => /^nvme\d+$/.test(name));
  return controllers.flatMap((controller) => {
    const link = files.link(`/sys/class/nvme/${controller}`);
    return isMissing(link) ? [] : (link.split('/').findLast((part) => pciAddress.test(part)) ?? []);
  });
}

/** File systems that hide their disks: mounted somewhere, and which disks they are on cannot be told. */
const hiding = new Set(['zfs', 'bcachefs']);

function mountsOf(
  mounts: readonly Mount[] | Missing,
  isOn: (mount: Mount) => boolean,
  signature: Fact<string | null>,
): Fact<readonly string[]> {
  const points = pointsOf(mounts, isOn);
  if (isMissing(mounts) || !Array.isArray(points) || points.length > 0) return points;
  const hidden = mounts.find(({ type }) => hiding.has(type));
  const suspect = signature === 'ZFS' || signature === 'GPT' || typeof signature === 'object';
  return hidden !== undefined && suspect && signature !== null
    ? { unknown: `${hidden.source} is mounted at ${hidden.point}, and its disks are not told` }
    : points;
}

function isSwap(
  swaps: readonly Swap[],
  mounts: readonly Mount[] | Missing,
  isOn: (mount: Mount) => boolean,
  isNamed: (path: string) => boolean,
): Fact<boolean> {
  for (const { path, file } of swaps) {
    if (!file && isNamed(path)) return true;
    if (file && isMissing(mounts)) return reason(mounts);
    const mount = file && !isMissing(mounts) ? mountOfFile(mounts, path) : undefined;
    if (mount !== undefined && isOn(mount)) return true;
  }
  return false;
}

/** `/dev/mapper/vg-root` and `/dev/disk/by-id/…` are links to the kernel's name. */
function deviceName(files: MachineFiles, path: string): string {
  const target = path.startsWith('/dev/') ? files.link(path) : path;
  return (isMissing(target) ? path : target).split('/').at(-1) ?? '';
}

/** Members of mounted btrfs file systems (fs/btrfs/sysfs.c): a mount names only one of them. */
function poolsOf(files: MachineFiles): ReadonlyMap<string, readonly string[]> {
  const systems = files.list('/sys/fs/btrfs');
  const pools = new Map<string, readonly string[]>();
  for (const system of isMissing(systems) ? [] : systems) {
    const members = files.list(`/sys/fs/btrfs/${system}/devices`);
    if (isMissing(members)) continue;
    for (const member of members) pools.set(member, members);
  }
  return pools;
}

function serialOf(files: MachineFiles, { name, parent }: Raw): Fact<string | null> {
  if (parent !== null) return null;
  const at = `/sys/class/block/${name}`;
  // NVMe and MMC have it at the device, virtio at the disk (drivers/block/virtio_blk.c serial_show).
  for (const path of [`${at}/device/serial`, `${at}/serial`]) {
    const text = textOf(files, path);
    if (!isMissing(text) && text.trim() !== '') return text.trim();
  }
  // SCSI: the unit serial number page, after its four bytes of header (SPC-4, 7.8.15).
  const page = files.bytes(`${at}/device/vpd_pg80`);
  if (isMissing(page)) return { unknown: `${name} shows no serial number` };
  const serial = Buffer.from(page.subarray(4)).toString('latin1').trim();
  return serial === '' ? null : serial;
}
