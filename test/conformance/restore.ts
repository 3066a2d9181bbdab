import { isDirectory } from '../../src/model/configuration.ts';
import { nodeAt, nodePaths } from '../../src/model/nodes.ts';
import type { Op } from '../../src/model/op.ts';
import { same } from '../../src/model/same.ts';
import type { State, World } from '../../src/model/state.ts';
import { actors } from './cast.ts';

const [{ pid }] = actors;

/**
 * The next operation on the way from a state without descriptors back to the one that a sequence began with; null when
 * there is none. What no operation takes back is left as it is: the kernel must then begin anew.
 */
export function restoring(world: World, begun: State, now: State, made: number): Op | null {
  for (const next of ways) {
    const op = next(world, begun, now);
    // An operation that does not bring it nearer would be made for ever.
    if (op !== null) return made < 60 ? op : null;
  }
  return null;
}

/** Whether a state differs from the one that a sequence began with only in what no later operation of it can tell. */
export function rests(begun: State, now: State): boolean {
  // In what order drivers and devices came, and these to their drivers, is the bus's own; the next sequence begins with it.
  const { registered, arrived, bound } = begun.bus;
  const bus = { ...now.bus, registered, arrived, bound };
  const iommuGroups = inOrder(now);
  return same({ ...now, taint: begun.taint, bus, iommuGroups }, { ...begun, iommuGroups: inOrder(begun) });
}

/** A group lists a device that came back behind the others. */
function inOrder({ iommuGroups }: State): State['iommuGroups'] {
  return iommuGroups.map((group) => ({ ...group, devices: [...group.devices].sort((a, b) => a - b) }));
}

type Next = (world: World, begun: State, now: State) => Op | null;

const unbindStrangers: Next = (world, begun, now) => {
  for (const { address, index, drivers } of world.hardware) {
    const driver = now.devices[index]?.driver ?? null;
    // A host's driver is needed yet, to take back the virtual functions that it would leave behind.
    if (drivers.includes(driver ?? '') && virtualsDiffer(begun, now, index)) continue;
    if (driver !== null && driver !== begun.devices[index]?.driver) {
      return { op: 'driver.unbind', pid, driver, device: address };
    }
  }
  return null;
};

function virtualsDiffer(begun: State, now: State, index: number): boolean {
  return begun.devices[index]?.settings.virtualFunctions !== now.devices[index]?.settings.virtualFunctions;
}

/** Whoever enabled them, a host's driver disables them. */
const disableVirtual: Next = (world, begun, now) => {
  for (const { address, index, drivers } of world.hardware) {
    if (!virtualsDiffer(begun, now, index)) continue;
    const [driver] = drivers;
    if (now.devices[index]?.driver !== null)
      return { op: 'device.sriov_numvfs', pid, device: address, text: '0' };
    if (driver !== undefined) return { op: 'driver.bind', pid, driver, device: address };
  }
  return null;
};

const probeVirtual: Next = (world, begun, now) => {
  for (const { address, index } of world.hardware) {
    const was = begun.devices[index]?.settings.probesVirtual;
    if (was === now.devices[index]?.settings.probesVirtual) continue;
    return { op: 'device.sriov_autoprobe', pid, device: address, text: was ? '1' : '0' };
  }
  return null;
};

const clearOverrides: Next = (world, begun, now) => {
  for (const { address, index } of world.hardware) {
    const was = begun.devices[index]?.override ?? null;
    if ((now.devices[index]?.override ?? null) !== was) {
      return { op: 'override.write', pid, device: address, text: was ?? '' };
    }
  }
  return null;
};

const loadModules: Next = (world, begun, now) => {
  for (const { name, index } of world.modules.values()) {
    if (begun.modules[index] && !now.modules[index]) return { op: 'module.load', pid, module: name };
  }
  return null;
};

const setParameters: Next = (world, begun, now) => {
  for (const { name, index } of world.modules.values()) {
    const was = begun.modules[index];
    const is = now.modules[index];
    for (const [parameter, text] of Object.entries(was ?? {})) {
      if (is?.[parameter] !== text) return { op: 'parameter.write', pid, module: name, parameter, text };
    }
  }
  return null;
};

const giveNodes: Next = (_world, begun, now) => {
  for (const path of nodePaths(now)) {
    const was = nodeAt(begun, path)?.node;
    const is = nodeAt(now, path)?.node;
    if (!was || !is || (was.uid === is.uid && was.gid === is.gid && was.mode === is.mode)) continue;
    return { op: 'node.own', pid, path, uid: was.uid, gid: was.gid, mode: was.mode };
  }
  return null;
};

/** A device that went comes back when the bus is looked over, and is probed then. */
const bringDevices: Next = (_world, begun, now) =>
  begun.devices.some(({ present }, index) => present && now.devices[index]?.present === false)
    ? { op: 'bus.rescan', pid, text: '1' }
    : null;

const setAutoprobe: Next = (_world, begun, now) =>
  begun.bus.autoprobe === now.bus.autoprobe
    ? null
    : { op: 'bus.autoprobe', pid, text: begun.bus.autoprobe ? '1' : '0' };

/** Ids that somebody added; a sequence begins with none. */
const forgetIds: Next = (_world, _begun, now) => {
  for (const { driver, ids } of now.bus.ids) {
    const [id] = ids;
    if (id === undefined) continue;
    const fields = [id.vendor, id.device, id.subvendor, id.subdevice, id.class, id.mask];
    const text = fields.map((field) => field.toString(16)).join(' ');
    return { op: 'driver.remove_id', pid, driver, text };
  }
  return null;
};

const setResets: Next = (world, begun, now) => {
  for (const { address, index } of world.hardware) {
    const was = begun.devices[index]?.settings.resetMethods ?? [];
    const is = now.devices[index]?.settings.resetMethods ?? [];
    if (was.join() === is.join()) continue;
    return { op: 'device.reset_method', pid, device: address, text: was.length === 0 ? '\n' : was.join(' ') };
  }
  return null;
};

const disable: Next = (world, begun, now) => {
  for (const { address, index } of world.hardware) {
    const was = begun.devices[index]?.settings.enables ?? 0;
    const is = now.devices[index]?.settings.enables ?? 0;
    if (was !== is) return { op: 'device.enable', pid, device: address, text: is > was ? '0' : '1' };
  }
  return null;
};

const setGroupTypes: Next = (_world, begun, now) => {
  for (const { id, type } of begun.iommuGroups) {
    const is = now.iommuGroups.find((group) => group.id === id);
    if (is !== undefined && is.type !== type) return { op: 'iommu_group.type', pid, group: id, text: type };
  }
  return null;
};

const bindHosts: Next = (world, begun, now) => {
  for (const { address, index } of world.hardware) {
    const driver = begun.devices[index]?.driver ?? null;
    if (driver !== null && now.devices[index]?.driver === null) {
      return { op: 'driver.bind', pid, driver, device: address };
    }
  }
  return null;
};

/** Directories from above, and what is in them before they go. */
const setConfiguration: Next = (_world, begun, now) => {
  const was = begun.configuration;
  const is = now.configuration;
  const paths = [...new Set([...Object.keys(was.directories), ...Object.keys(is.directories)])].sort();
  const missing = paths.find((path) => !isDirectory(now, path));
  if (missing !== undefined) return { op: 'config.make_directory', pid, path: missing };
  for (const path of new Set([...Object.keys(was.files), ...Object.keys(is.files)])) {
    const text = was.files[path];
    if (text === undefined) return { op: 'config.remove', pid, path };
    if (is.files[path] !== text) return { op: 'config.write', pid, path, text };
  }
  const strange = paths.findLast((path) => !isDirectory(begun, path));
  return strange === undefined ? null : { op: 'config.remove_directory', pid, path: strange };
};

/** Drivers last: what they find decides whether they take a device. */
const ways: readonly Next[] = [
  ...[
    unbindStrangers,
    clearOverrides,
    disableVirtual,
    probeVirtual,
    setAutoprobe,
    forgetIds,
    bringDevices,
    loadModules,
    setParameters,
  ],
  ...[disable, setResets, giveNodes, setConfiguration, setGroupTypes, bindHosts],
];
