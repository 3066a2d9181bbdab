import { everywhere, type Rule } from '../guard.ts';
import { untilRemoved } from '../leaving.ts';
import type { Op } from '../op.ts';
import { rootOnly } from '../permission.ts';
import { arrive, deviceAt, offered } from '../presence.ts';
import type { Hardware, State, World } from '../state.ts';
import { asks, notNumber } from '../sysfs-file.ts';
import { taken } from '../text.ts';

type Rescan = Extract<Op, { op: 'bus.rescan' }>;

const rescanStore = 'drivers/pci/pci-sysfs.c:rescan_store, dev_rescan_store';

export const busRescan: Rule<Rescan> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/rescan or /sys/bus/pci/devices/DEVICE/rescan, text)',
    arguments: { device: 'on whose bus to look; left out: everywhere', text: 'a number; 0 does nothing' },
    effect:
      'Devices that were removed and are still plugged in come back as new ones, and the drivers are asked. Virtual functions do not: sriov_numvfs makes them.',
    undo: '`device.remove`, where one device came',
  },
  guards: everywhere<Rescan>(
    {
      id: 'bus.rescan.missing',
      words: 'there is no such device, or it is a virtual function',
      errno: 'ENOENT',
      citation: 'drivers/pci/pci-sysfs.c:pci_dev_hp_attrs_are_visible (the file is in the device directory)',
      applies: (world, state, op) => {
        if (op.device === undefined) return false;
        const hardware = deviceAt(world, state, op.device);
        return hardware === undefined || hardware.physicalFunction !== null;
      },
    },
    rootOnly('bus.rescan', 'rescan'),
    notNumber<Rescan>('bus.rescan', rescanStore),
    untilRemoved<Rescan>('bus.rescan', rescanStore, (_world, _state, op) => asks(op.text)),
  ),
  effect: (world, state, op) => {
    const value = taken(op.text);
    if (!asks(op.text)) return { value };
    const found = scanned(world, state, op.device);
    let now = state;
    for (const hardware of found) now = arrive(world, now, hardware, null);
    for (const hardware of found) now = offered(world, now, hardware);
    return { state: now, value };
  },
  undo: (world, before, op) => {
    const [one, ...more] = asks(op.text) ? scanned(world, before, op.device) : [];
    if (one === undefined || more.length > 0) return { none: 'it brought no device back, or several' };
    return { op: 'device.remove', pid: op.pid, device: one.address, text: '1' };
  },
};

/** What a scan finds, in its order: what is absent and hangs on a bridge that is there (drivers/pci/probe.c:pci_rescan_bus). */
function scanned(world: World, state: State, from: string | undefined): readonly Hardware[] {
  const found = new Set<number>();
  const there = (index: number): boolean =>
    index === -1 || state.devices[index]?.present === true || found.has(index);
  for (const hardware of world.hardware) {
    const { index, bridge, physicalFunction } = hardware;
    if (state.devices[index]?.present !== false || physicalFunction !== null || !there(bridge)) continue;
    if (from === undefined || below(world, hardware, from)) found.add(index);
  }
  return world.hardware.filter(({ index }) => found.has(index));
}

/** Whether a device is on the bus of another, or behind a bridge that is. */
function below(world: World, hardware: Hardware, from: string): boolean {
  const bus = world.devices.get(from)?.bridge ?? -1;
  // Root buses are told apart by their number, others by the bridge above them.
  const root = (address: string): string => address.slice(0, address.lastIndexOf(':'));
  for (let its: Hardware | undefined = hardware; its !== undefined; its = world.hardware[its.bridge]) {
    if (its.bridge === bus && (bus !== -1 || root(its.address) === root(from))) return true;
  }
  return false;
}
