import type { Held } from './holdings.ts';
import { type Address, type BlockDevice, type Fact, isUnknown, type Snapshot } from './snapshot.ts';
import { topologyOf } from './topology.ts';

/** A use of a disk: `stacked` is a device-mapper, md or loop device on top; `signed` any signature in its first blocks. */
export type DiskUse = 'root' | 'boot' | 'mounted' | 'swap' | 'stacked' | 'signed';

/**
 * Whether a disk of the function is in use, through its partitions and whatever is stacked on them. The chain leads from
 * the function to the mount: disk, partition, holder, mount point.
 */
export function diskUse(snapshot: Snapshot, address: Address, use: DiskUse): Held {
  const tower = towerOf(snapshot, address);
  const doubts = [...tower.doubts];
  for (const { device, chain } of tower.floors) {
    const proof = proofOf(device, use);
    if (isUnknown(proof)) doubts.push({ fact: `/blockDevices/${device.name}`, unknown: proof.unknown });
    else if (proof !== null) return { is: 'held', chain: [...chain, proof] };
  }
  const [doubt] = doubts;
  return doubt === undefined ? { is: 'free' } : { is: 'unknown', ...doubt };
}

interface Floor {
  readonly device: BlockDevice;
  readonly chain: readonly string[];
}

interface Doubt {
  readonly fact: string;
  readonly unknown: string;
}

/** Every block device that stands on a function, and what is not known about which those are. */
interface Tower {
  readonly floors: readonly Floor[];
  readonly doubts: readonly Doubt[];
}

interface DiskIndex {
  readonly byName: ReadonlyMap<string, BlockDevice>;
  readonly partitions: ReadonlyMap<string, readonly BlockDevice[]>;
  readonly ofFunction: ReadonlyMap<Address, readonly BlockDevice[]>;
  /** Whole devices that may hang on any function. */
  readonly homeless: readonly BlockDevice[];
}

const indexes = new WeakMap<readonly BlockDevice[], DiskIndex>();

function towerOf(snapshot: Snapshot, address: Address): Tower {
  const pci = topologyOf(snapshot).functions.get(address);
  const listed: Fact<readonly string[]> = pci?.blockDevices ?? {
    unknown: 'the snapshot has no such function',
  };
  const devices = snapshot.blockDevices;
  if (isUnknown(devices)) {
    const none = !isUnknown(listed) && listed.length === 0;
    return { floors: [], doubts: none ? [] : [{ fact: '/blockDevices', unknown: devices.unknown }] };
  }
  const index = indexOf(devices);
  const doubts: Doubt[] = [];
  const wholes = new Set(index.ofFunction.get(address));
  if (isUnknown(listed)) {
    const [homeless] = index.homeless;
    if (homeless !== undefined && isUnknown(homeless.function))
      doubts.push({ fact: `/blockDevices/${homeless.name}/function`, unknown: homeless.function.unknown });
  } else
    for (const name of listed) {
      const device = index.byName.get(name);
      if (device === undefined) doubts.push(missing(name));
      else wholes.add(device);
    }
  const floors: Floor[] = [...wholes].map((device) => ({
    device,
    chain: [`${called(device)} is a disk of ${address}`],
  }));
  climb(index, floors, doubts);
  return { floors, doubts };
}

/** Adds to `floors` what stands on those already there: partitions and holders, each device once. */
function climb(index: DiskIndex, floors: Floor[], doubts: Doubt[]): void {
  const seen = new Set(floors.map(({ device }) => device));
  for (let at = 0; at < floors.length; at += 1) {
    const floor = floors[at];
    if (floor === undefined) continue;
    const { device, chain } = floor;
    const add = (above: BlockDevice, link: string): void => {
      if (seen.has(above)) return;
      seen.add(above);
      floors.push({ device: above, chain: [...chain, `${called(above)} ${link} ${device.name}`] });
    };
    for (const partition of index.partitions.get(device.name) ?? []) add(partition, 'is a partition of');
    if (isUnknown(device.holders))
      doubts.push({ fact: `/blockDevices/${device.name}/holders`, unknown: device.holders.unknown });
    else
      for (const name of device.holders) {
        const holder = index.byName.get(name);
        if (holder === undefined) doubts.push(missing(name));
        else add(holder, 'is stacked on');
      }
  }
}

function indexOf(devices: readonly BlockDevice[]): DiskIndex {
  const known = indexes.get(devices);
  if (known !== undefined) return known;
  const byName = new Map<string, BlockDevice>();
  const partitions = new Map<string, BlockDevice[]>();
  const ofFunction = new Map<Address, BlockDevice[]>();
  const homeless: BlockDevice[] = [];
  for (const device of devices) {
    byName.set(device.name, device);
    if (device.parent !== null) append(partitions, device.parent, device);
    else if (isUnknown(device.function)) homeless.push(device);
    else if (device.function !== null) append(ofFunction, device.function, device);
  }
  const index = { byName, partitions, ofFunction, homeless };
  indexes.set(devices, index);
  return index;
}

function append(lists: Map<string, BlockDevice[]>, key: string, device: BlockDevice): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [device]);
  else list.push(device);
}

/** Why the device has this use, null when it has not. */
function proofOf(device: BlockDevice, use: DiskUse): Fact<string | null> {
  switch (use) {
    case 'root':
      return mounted(device, (point) => point === '/');
    case 'boot':
      return mounted(device, (point) => /^\/(boot|efi)($|\/)/.test(point));
    case 'mounted':
      return mounted(device, () => true);
    case 'swap':
      return isUnknown(device.swap) ? device.swap : device.swap ? `${device.name} is swap space` : null;
    case 'stacked': {
      if (isUnknown(device.holders)) return device.holders;
      const [holder] = device.holders;
      return holder === undefined ? null : `${holder} is stacked on ${device.name}`;
    }
    case 'signed':
      if (isUnknown(device.signature)) return device.signature;
      return device.signature === null ? null : `${device.name} carries a ${device.signature} signature`;
  }
}

function mounted(device: BlockDevice, wanted: (point: string) => boolean): Fact<string | null> {
  if (isUnknown(device.mounts)) return device.mounts;
  const point = device.mounts.find(wanted);
  return point === undefined ? null : `${device.name} is mounted at ${point}`;
}

function called({ name, label }: BlockDevice): string {
  return label === undefined ? name : `${name} (${label})`;
}

function missing(name: string): Doubt {
  return { fact: `/blockDevices/${name}`, unknown: `the snapshot has no block device ${name}` };
}
