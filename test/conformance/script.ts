/** Steps of scripts: each is made in the state that the ones before it led to, and names what is there by then. */
import { fileAt, iommufdOf } from '../../src/model/files.ts';
import type { IommufdObject } from '../../src/model/iommufd-state.ts';
import { cdevPath } from '../../src/model/nodes.ts';
import type { Device, Hardware, OpenFile, VfioGroup } from '../../src/model/state.ts';
import type { Context, Maker } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';

/** The one way to a test of the kernel that others hardly meet; of no steps where the machine has nothing for it. */
export type Script = (its: Context) => readonly Maker[];

/** A script about one device of several; of nothing where there is none. */
export function about(
  devices: (its: Context) => readonly string[],
  steps: (device: string, its: Context) => readonly Maker[],
): Script {
  return (its) => {
    const all = devices(its);
    return all.length === 0 ? [] : steps(pick(all, its.a), its);
  };
}

/** The processes of `cast.ts`: root, root without locked memory, a user, a user with CAP_SYS_RAWIO. */
export const [root, scanty, user, driver] = [1, 2, 3, 4] as const;

/** A page of memory, and more of it than the second process may lock. */
export const page = 0x1000n;

export function hardwareAt({ world }: Context, device: string): Hardware | undefined {
  return world.devices.get(device);
}

export function deviceAt(its: Context, device: string): Device | undefined {
  return its.state.devices[hardwareAt(its, device)?.index ?? -1];
}

export function groupOf(its: Context, device: string): VfioGroup | null | undefined {
  return its.state.groups[deviceAt(its, device)?.vfio?.group ?? -1];
}

/** Devices of VFIO that an IOMMU is before, and those that none is before. */
export function translated(its: Context): readonly string[] {
  return its.cast.devices.filter((device) => groupOf(its, device)?.noiommu === false);
}

export function untranslated(its: Context): readonly string[] {
  return its.cast.devices.filter((device) => groupOf(its, device)?.noiommu === true);
}

/** Another device of the same group. */
export function besides(its: Context, device: string): string | undefined {
  return translated(its).find((other) => other !== device && groupOf(its, other) === groupOf(its, device));
}

/** Descriptors of a kind that a process has, oldest first. */
export function held(its: Context, kind: OpenFile['kind'], pid: number = root): readonly number[] {
  const files = its.state.descriptors.find((table) => table.pid === pid)?.files ?? [];
  const all = files.map((_, place) => place + 3);
  return all.filter((fd) => fileAt(its.state, pid, fd)?.kind === kind);
}

export function last(its: Context, kind: OpenFile['kind'], pid: number = root): number {
  return held(its, kind, pid).at(-1) ?? -1;
}

/** Ids of an iommufd's objects of a kind, oldest first. */
export function ids(its: Context, kind: IommufdObject['kind'], pid: number = root): readonly number[] {
  const objects = iommufdOf(its.state, { pid, fd: last(its, 'iommufd', pid) })?.objects ?? [];
  return objects.flatMap((object, place) => (object?.kind === kind ? [place + 1] : []));
}

export const eventfd: Maker = () => ({ op: 'eventfd', pid: root });

export function open(path: string, pid: number = root): Maker {
  return () => ({ op: 'open', pid, path });
}

export function openGroup(device: string): Maker {
  return (its) => ({ op: 'open', pid: root, path: `/dev/vfio/${groupOf(its, device)?.name ?? 'none'}` });
}

export function pass(kind: OpenFile['kind'], to: number): Maker {
  return (its) => ({ op: 'descriptor.pass', pid: root, fd: last(its, kind), to });
}

/** The group that was opened last, to the container or the iommufd that was opened last. */
export function join(container: 'container' | 'iommufd', pid: number = root): Maker {
  return (its) => ({
    op: 'group.set_container',
    pid,
    fd: last(its, 'group', pid),
    container: last(its, container, pid),
  });
}

export function setIommu(type: number, pid: number = root): Maker {
  return (its) => ({ op: 'container.set_iommu', pid, fd: last(its, 'container', pid), type });
}

export function getDevice(name: string, pid: number = root): Maker {
  return (its) => ({ op: 'group.get_device_fd', pid, fd: last(its, 'group', pid), name });
}

/** Container, group and device, by the name that it is asked for with. */
export function opened(its: Context, name: string, device: string = name): readonly Maker[] {
  const type = groupOf(its, device)?.noiommu === true ? 8 : 3;
  const container = open('/dev/vfio/vfio');
  return [container, openGroup(device), join('container'), setIommu(type), getDevice(name)];
}

/** The device's own node, bound to the iommufd that was opened last. */
export function bound(device: string): readonly [Maker, Maker] {
  return [
    (its) => {
      const vfio = deviceAt(its, device)?.vfio;
      return { op: 'open', pid: root, path: vfio ? cdevPath(vfio) : '/dev/vfio/devices/none' };
    },
    (its) => ({
      op: 'device.bind_iommufd',
      pid: root,
      fd: last(its, 'device'),
      iommufd: last(its, 'iommufd'),
      flags: 0,
    }),
  ];
}

export const newSpace: Maker = (its) => ({
  op: 'iommufd.ioas_alloc',
  pid: root,
  fd: last(its, 'iommufd'),
  flags: 0,
});

/** The device that was opened last, to the so manieth of the address spaces. */
export function attach(place: number): Maker {
  return (its) => ({
    op: 'device.attach_ioas',
    pid: root,
    fd: last(its, 'device'),
    target: ids(its, 'ioas')[place] ?? 99,
    flags: 0,
  });
}

/** Takes a device from VFIO and offers it to another driver, which need not take it. */
export function given(device: string, to: string, from = 'vfio-pci'): readonly [Maker, Maker, Maker] {
  return [
    () => ({ op: 'driver.unbind', pid: root, driver: from, device }),
    () => ({
      op: 'override.write',
      pid: root,
      device,
      text: to === 'vfio-pci' || to === 'pci-stub' ? to : '',
    }),
    () => ({ op: 'driver.bind', pid: root, driver: to, device }),
  ];
}

/** The ways to reset a device, as its file is told them. */
export const methods = (device: string, text: string): Maker => {
  return () => ({ op: 'device.reset_method', pid: root, device, text });
};
