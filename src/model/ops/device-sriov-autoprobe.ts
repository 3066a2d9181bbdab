import type { Rule } from '../guard.ts';
import { truth } from '../modules.ts';
import type { Op } from '../op.ts';
import { changeSettings, deviceAt } from '../presence.ts';
import { deviceFile, handler } from '../sysfs-file.ts';
import { handed, taken } from '../text.ts';

type Write = Extract<Op, { op: 'device.sriov_autoprobe' }>;

const file = deviceFile<Write>(
  'device.sriov_autoprobe',
  'sriov_drivers_autoprobe',
  // The file came with 4.12.
  ({ totalVfs }, _device, world) => totalVfs !== null && world.profile.viability === 'claim',
);

const text = handler<Write>({
  id: 'device.sriov_autoprobe.text',
  words: 'the kernel cannot read the text as yes or no',
  errno: 'EINVAL',
  citation: 'drivers/pci/iov.c:sriov_drivers_autoprobe_store (lib/kstrtox.c:kstrtobool)',
  applies: (world, _state, op) => truth(world, handed(op.text)) === null,
});

export const deviceSriovAutoprobe: Rule<Write> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/devices/DEVICE/sriov_drivers_autoprobe, text)',
    arguments: {
      device: 'a physical function (no such file before 4.12)',
      text: 'yes or no, as for a parameter',
    },
    effect: 'No: its virtual functions are taken by no driver that their override does not name.',
    undo: '`device.sriov_autoprobe` with what was before',
  },
  guards: { seed: file.slice(0, 1), '6.1': [...file, text] },
  effect: (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    const now = truth(world, handed(op.text));
    const value = taken(op.text);
    if (hardware === undefined || now === null) return { value };
    const probesVirtual = now === 'Y';
    if (state.devices[hardware.index]?.settings.probesVirtual === probesVirtual) return { value };
    return { state: changeSettings(state, hardware, { probesVirtual }), value };
  },
  undo: (world, before, op) => {
    const hardware = deviceAt(world, before, op.device);
    const on = hardware !== undefined && before.devices[hardware.index]?.settings.probesVirtual !== false;
    return { ...op, text: on ? '1' : '0' };
  },
};
