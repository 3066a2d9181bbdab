import { takeAway, withdraw } from '../going.ts';
import type { Guard, Rule } from '../guard.ts';
import { held, holders } from '../held.ts';
import { untilLeft, untilRemoved } from '../leaving.ts';
import type { Op } from '../op.ts';
import { deviceAt, enabledVirtualFunctions } from '../presence.ts';
import { configuresSriov, enable, sriovWithheld } from '../sriov.ts';
import type { Device } from '../state.ts';
import { deviceFile, handler, notNumber, onDevice } from '../sysfs-file.ts';
import { taken, wholeNumber } from '../text.ts';

type Write = Extract<Op, { op: 'device.sriov_numvfs' }>;

const store = 'drivers/pci/iov.c:sriov_numvfs_store';

function asked(op: Write): number {
  return Number(wholeNumber(op.text) ?? 0n);
}

/** The number that stands there already is taken without another look. */
function changes(device: Device, op: Write): boolean {
  return asked(op) !== device.settings.virtualFunctions;
}

const asks: readonly Guard<Write>[] = [
  ...deviceFile<Write>('device.sriov_numvfs', 'sriov_numvfs', ({ totalVfs }) => totalVfs !== null),
  notNumber<Write>('device.sriov_numvfs', store, 16),
  onDevice<Write>({
    id: 'device.sriov_numvfs.range',
    words: 'the function cannot have so many virtual functions',
    errno: 'ERANGE',
    citation: store,
    test: (_world, _state, { totalVfs }, _device, op) => asked(op) > (totalVfs ?? 0),
  }),
];

/** Before 4.13 it was no lock of the device that was taken. */
const leaving = handler(untilLeft<Write>('device.sriov_numvfs', store));

const able: readonly Guard<Write>[] = [
  onDevice<Write>({
    id: 'device.sriov_numvfs.no-driver',
    words: 'no driver is bound to the function',
    errno: 'ENOENT',
    citation: store,
    test: (_world, _state, _hardware, device, op) => changes(device, op) && device.driver === null,
  }),
  onDevice<Write>({
    id: 'device.sriov_numvfs.driver',
    words: "the function's driver cannot enable virtual functions",
    errno: 'ENOENT',
    citation: store,
    test: (world, _state, _hardware, device, op) =>
      changes(device, op) && device.driver !== null && !configuresSriov(world, device.driver),
  }),
  onDevice<Write>({
    id: 'device.sriov_numvfs.enabled',
    words: 'virtual functions are enabled already: another number goes by way of 0',
    errno: 'EBUSY',
    citation: store,
    test: (_world, _state, _hardware, device, op) =>
      changes(device, op) && asked(op) > 0 && device.settings.virtualFunctions > 0,
  }),
];

/** Older kernels let devices come and go meanwhile. */
const removing = handler(
  untilRemoved<Write>('device.sriov_numvfs', store, (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    const device = hardware && state.devices[hardware.index];
    return device !== undefined && changes(device, op);
  }),
);

const parameter = onDevice<Write>({
  id: 'device.sriov_numvfs.parameter',
  words: 'vfio-pci has enable_sriov off',
  errno: 'ENOENT',
  citation: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_sriov_configure',
  test: (world, state, _hardware, device, op) =>
    changes(device, op) && device.driver !== null && sriovWithheld(world, state, device.driver),
});

const room = onDevice<Write>({
  id: 'device.sriov_numvfs.room',
  words: 'there is no room on the bus for so many, as far as the world tells where they would be',
  errno: 'ENOMEM',
  citation: 'drivers/pci/iov.c:sriov_enable',
  test: (_world, _state, { virtualFunctions }, device, op) =>
    changes(device, op) && asked(op) > virtualFunctions.length,
});

const blocked: Guard<Write> = {
  ...onDevice<Write>({
    id: 'device.sriov_numvfs.held',
    words: 'the call would not return before every descriptor of the virtual functions is closed',
    errno: null,
    citation: 'drivers/pci/iov.c:sriov_disable (drivers/vfio/vfio_main.c:vfio_unregister_group_dev)',
    test: (world, state, hardware, device, op) =>
      changes(device, op) && held(state, enabledVirtualFunctions(world, state, hardware)),
  }),
  leaves: (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    if (hardware === undefined) return state;
    return takeAway(world, state, { op: op.op, device: hardware.index, pid: op.pid });
  },
  waitsFor: (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    return hardware === undefined ? [] : holders(state, enabledVirtualFunctions(world, state, hardware));
  },
};

export const deviceSriovNumvfs: Rule<Write> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/devices/DEVICE/sriov_numvfs, text)',
    arguments: { device: 'a physical function', text: 'how many virtual functions; 0 disables them' },
    effect:
      'Virtual functions appear, each with its IOMMU group, and the drivers are asked; or all of them vanish, one after the other. Those of a physical function with vfio-pci get its override. While one that is to vanish is open the call waits, with the lock of the physical function: the one is leaving, as with `driver.unbind`, those before it are gone, and the `close` of its last descriptor goes on with the next.',
    undo: '`device.sriov_numvfs` with what was before, where that is 0 or now is',
  },
  guards: {
    seed: [...asks, ...able, room, blocked],
    '6.1': [...asks, leaving, ...able, removing, parameter, room, blocked],
  },
  effect: (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    const device = hardware && state.devices[hardware.index];
    const value = taken(op.text);
    if (hardware === undefined || device === undefined || op.text === '' || !changes(device, op))
      return { value };
    if (asked(op) > 0) return { state: enable(world, state, hardware, asked(op)), value };
    return { state: withdraw(world, state, hardware, null).state, value };
  },
  undo: (world, before, op) => {
    const hardware = deviceAt(world, before, op.device);
    const count = (hardware && before.devices[hardware.index]?.settings.virtualFunctions) ?? 0;
    return { ...op, text: `${count}` };
  },
};
