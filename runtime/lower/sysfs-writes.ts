import type { Op } from '../../src/model/op.ts';
import { fcntl } from '../abi/fcntl.ts';
import { type Backend, WouldBlock } from '../backend.ts';

/** Operations that are one write to a file under /sys, of exactly their text. */

export type SysfsWrite = Extract<
  Op,
  {
    op:
      | `bus.${string}`
      | `driver.${'new' | 'remove'}_id`
      | `device.${'remove' | 'enable' | 'sysfs_reset' | 'reset_method' | 'sriov_numvfs' | 'sriov_autoprobe'}`
      | 'iommu_group.type';
  }
>;

type Paths = { readonly [Kind in SysfsWrite['op']]: (op: Extract<SysfsWrite, { op: Kind }>) => string };

const paths: Paths = {
  'driver.new_id': ({ driver }) => `/sys/bus/pci/drivers/${driver}/new_id`,
  'driver.remove_id': ({ driver }) => `/sys/bus/pci/drivers/${driver}/remove_id`,
  'bus.autoprobe': () => '/sys/bus/pci/drivers_autoprobe',
  'bus.rescan': ({ device }) => (device === undefined ? '/sys/bus/pci/rescan' : ofDevice(device, 'rescan')),
  'device.remove': ({ device }) => ofDevice(device, 'remove'),
  'device.enable': ({ device }) => ofDevice(device, 'enable'),
  'device.sysfs_reset': ({ device }) => ofDevice(device, 'reset'),
  'device.reset_method': ({ device }) => ofDevice(device, 'reset_method'),
  'device.sriov_numvfs': ({ device }) => ofDevice(device, 'sriov_numvfs'),
  'device.sriov_autoprobe': ({ device }) => ofDevice(device, 'sriov_drivers_autoprobe'),
  'iommu_group.type': ({ group }) => `/sys/kernel/iommu_groups/${group}/type`,
};

export function writeSysfs(backend: Backend, op: SysfsWrite): number {
  // Each entry takes its own kind of operation, which is the one that it is looked up by.
  const path = paths[op.op] as (its: SysfsWrite) => string;
  return writeText(backend, path(op), op.text);
}

/** What write(2) answers, or the first refusal on the way to it and from it. */
export function writeText(backend: Backend, path: string, text: string): number {
  const fd = backend.open(path, fcntl.O_WRONLY | fcntl.O_CLOEXEC);
  if (fd < 0) return fd;
  const answer = written(backend, fd, new TextEncoder().encode(text));
  const closed = backend.close(fd);
  return answer < 0 ? answer : closed < 0 ? closed : answer;
}

/** A write to a simulated kernel that would not return leaves no descriptor behind. */
function written(backend: Backend, fd: number, bytes: Uint8Array): number {
  try {
    return backend.write(fd, bytes);
  } catch (error) {
    if (error instanceof WouldBlock) backend.close(fd);
    throw error;
  }
}

function ofDevice(device: string, file: string): string {
  return `/sys/bus/pci/devices/${device}/${file}`;
}
