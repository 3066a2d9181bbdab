/** What is done with modules and their devices while an unload waits for one that is open (drivers/base/dd.c:driver_detach). */
import { fileAt } from '../../src/model/files.ts';
import { cdevPath } from '../../src/model/nodes.ts';
import type { Device } from '../../src/model/state.ts';
import { type Context, type Maker, surely } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';
import { bound, eventfd, getDevice, opened, root, type Script, translated } from './script.ts';

function stateOf({ state, world }: Context, device: string): Device | undefined {
  return state.devices[world.devices.get(device)?.index ?? -1];
}

/** A device that passes a test, where there is one. */
function deviceWhere(its: Context, test: (device: Device) => boolean): string {
  const those = its.cast.devices.filter((device) => {
    const now = stateOf(its, device);
    return now?.present === true && test(now);
  });
  return pick(those.length > 0 && its.c % 8 !== 0 ? those : its.cast.devices, its.a);
}

const ofVfio = (its: Context) => deviceWhere(its, ({ vfio }) => vfio !== null);

const unload: Maker = (its) => ({
  op: 'module.unload',
  pid: its.pid,
  module: pick(['vfio_pci', 'vfio_pci', 'vfio_pci', 'vfio_pci_core', 'vfio'], its.a),
});

const load: Maker = (its) => ({
  op: 'module.load',
  pid: its.pid,
  module: 'vfio_pci',
  parameters: pick([[], [], [], ['disable_idle_d3=maybe'], ['nointxmask=Y']], its.a),
});

/** Its own node, where it has one: who has it open and does nothing with it keeps no module of a driver. */
export const openCdev: Maker = (its) => {
  const vfio = stateOf(its, ofVfio(its))?.vfio;
  return { op: 'open', pid: its.pid, path: vfio ? cdevPath(vfio) : '/dev/iommu' };
};

const openNode: Maker = (its) => {
  const vfio = stateOf(its, ofVfio(its))?.vfio;
  const group = its.state.groups[vfio?.group ?? -1];
  const nodes = ['/dev/vfio/vfio', '/dev/iommu', ...(group ? Array(3).fill(`/dev/vfio/${group.name}`) : [])];
  return { op: 'open', pid: its.pid, path: pick(nodes, its.b) };
};

/** Towards a device that is open, which keeps the module of its driver. */
const openDevice: Maker = (its) => {
  const { pid, state } = its;
  const fd = pick(surely(its, 'group'), its.a);
  const file = fileAt(state, pid, fd);
  const group = file?.kind === 'group' ? state.groups[file.group] : null;
  const [container = -1] = surely(its, 'container');
  if (group && group.container === null) return { op: 'group.set_container', pid, fd, container };
  if (group && state.containers[group.container ?? -1]?.iommu === null)
    return { op: 'container.set_iommu', pid, fd: container, type: group.noiommu ? 8 : 1 };
  const [index = -1] = group?.devices ?? [];
  const name = its.world.hardware[index]?.address ?? ofVfio(its);
  return { op: 'group.get_device_fd', pid, fd, name };
};

/** So that the order in which the driver took its devices is another one than that of the bus. */
export const takeAnew: Maker = (its) => {
  const { pid } = its;
  const device = deviceWhere(its, ({ driver }) => driver === null);
  if (stateOf(its, device)?.driver === null) return { op: 'driver.bind', pid, driver: 'vfio-pci', device };
  return { op: 'driver.unbind', pid, driver: 'vfio-pci', device: ofVfio(its) };
};

/** What the files of the driver and of the bus do, while they are there. */
const offer: Maker = (its) => {
  const { pid } = its;
  const device = deviceWhere(its, ({ driver, leaving }) => driver === null || leaving !== null);
  return pick(
    [
      { op: 'drivers.probe', pid, device },
      { op: 'driver.bind', pid, driver: 'vfio-pci', device },
      { op: 'driver.unbind', pid, driver: 'vfio-pci', device: ofVfio(its) },
      { op: 'driver.new_id', pid, driver: 'vfio-pci', text: pick(['1234 5678', 'x'], its.c) },
      { op: 'driver.remove_id', pid, driver: 'vfio-pci', text: '1234 5678' },
      {
        ...{ op: 'parameter.write', pid, module: 'vfio_pci', parameter: 'nointxmask' },
        text: pick(['Y', 'N'], its.c),
      },
    ] as const,
    its.b,
  );
};

/** Another who takes a device away, and waits: the unload goes on behind it. What was gone needs another boot. */
const remove: Maker = (its) => ({
  op: 'device.remove',
  pid: its.pid,
  device: deviceWhere(its, ({ vfio }) => vfio !== null && vfio.unbound > 0),
  text: pick(['1', '0', '0', '0'], its.b),
});

export const unloads: readonly Maker[] = [
  ...[unload, unload, unload, unload, load, load, load],
  ...[openCdev, openCdev, openNode, openDevice, openDevice, openDevice],
  ...[takeAnew, takeAnew, takeAnew, offer, offer, offer, remove],
];

const unloadPci: Maker = () => ({ op: 'module.unload', pid: root, module: 'vfio_pci' });

/** The devices that a cdev may be opened of, in the order in which the driver took them. */
function inOrder(its: Context): readonly string[] {
  const those = translated(its);
  const all = its.state.bus.bound.flatMap((index) => its.world.hardware[index]?.address ?? []);
  return all.filter((device) => those.includes(device));
}

export const unloadingCorners: readonly Script[] = [
  // A group that is ready when the module of its device's driver goes, which another one keeps that the driver took later.
  (its) => {
    const [device = '', ...later] = inOrder(its);
    const way = opened(its, device).slice(0, pick([3, 4], its.a));
    const [node] = bound(later.at(-1) ?? '');
    return later.length === 0 ? [] : [...way, node, unloadPci, getDevice(device)];
  },
  // An unbind that waits, and with it the unload before it has let go of anything.
  (its) => {
    const device = pick([...inOrder(its), ''], its.a);
    const [node] = bound(device);
    const unbind: Maker = () => ({ op: 'driver.unbind', pid: root, driver: 'vfio-pci', device });
    return device === '' ? [] : [node, unbind, unloadPci];
  },
  () => [eventfd],
];
