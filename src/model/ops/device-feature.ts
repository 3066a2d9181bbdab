import { structure } from '../argument.ts';
import { isToken } from '../device-name.ts';
import { fileOf } from '../files.ts';
import { type Guard, type Rule, zero } from '../guard.ts';
import type { Op } from '../op.ts';
import { coreOf, eventfdFault, hardwareOf, withCore, withToken } from '../open-device.ts';
import type { State, World } from '../state.ts';

type Feature = Extract<Op, { op: 'device.feature' }>;

/** VFIO_DEVICE_FEATURE_*: the low half of the flags is the feature. */
const feature = { token: 0, lowPower: 3, lowPowerWithWakeup: 4, lowPowerExit: 5 } as const;
const mask = 0xffff;
const get = 1 << 16;
const setFlag = 1 << 17;
const probe = 1 << 18;

const header = 8;

const main = 'drivers/vfio/vfio_main.c:vfio_ioctl_device_feature';
const core = 'drivers/vfio/pci/vfio_pci_core.c';
const check = `${core}:vfio_pci_core_pm_entry and its like (include/linux/vfio.h:vfio_check_feature)`;
const entry = `${core}:vfio_pci_core_pm_entry_with_wakeup`;

const [fault, argsz] = structure<Feature>('device.feature', header, main);

const which = (op: Feature): number => op.flags & mask;

function refuse(
  id: string,
  words: string,
  errno: 'EINVAL' | 'ENOTTY' | 'EBADF',
  citation: string,
  applies: Guard<Feature>['applies'],
): Guard<Feature> {
  return { id: `device.feature.${id}`, words, errno, citation, applies };
}

const unknown: Guard<Feature> = refuse(
  'unknown',
  'the device does not know this request yet',
  'ENOTTY',
  'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
  () => true,
);

const asking: readonly Guard<Feature>[] = [
  refuse(
    'flags',
    'there are flags that the kernel does not know',
    'EINVAL',
    main,
    (_world, _state, op) => (op.flags & ~(mask | get | setFlag | probe)) !== 0,
  ),
  refuse(
    'both',
    'GET and SET at once, and not to probe them',
    'EINVAL',
    main,
    (_world, _state, op) => (op.flags & probe) === 0 && (op.flags & get) !== 0 && (op.flags & setFlag) !== 0,
  ),
  refuse(
    'absent',
    'vfio-pci has no such feature',
    'ENOTTY',
    `${main}, vfio_ioctl_device_feature_migration; ${core}:vfio_pci_core_ioctl_feature`,
    (_world, _state, op) =>
      which(op) !== feature.token && (which(op) < feature.lowPower || which(op) > feature.lowPowerExit),
  ),
  refuse(
    'token',
    'the function has no virtual functions that a token could guard',
    'ENOTTY',
    `${core}:vfio_pci_core_feature_token`,
    (world, state, op) => which(op) === feature.token && !guards(world, state, op),
  ),
  refuse(
    'get',
    'the feature cannot be read',
    'EINVAL',
    check,
    (_world, _state, op) => (op.flags & get) !== 0,
  ),
  refuse(
    'nothing',
    'neither GET nor SET, and not to probe',
    'EINVAL',
    check,
    (_world, _state, op) => (op.flags & (setFlag | probe)) === 0,
  ),
  refuse('room', "argsz has no room for the feature's data", 'EINVAL', check, (_world, _state, op) => {
    const { argsz: told } = op;
    if ((op.flags & probe) !== 0 || told === undefined || told === null) return false;
    return told - header < sizeOf(which(op));
  }),
  refuse(
    'wakeup-negative',
    'a negative descriptor for the wake-up',
    'EINVAL',
    entry,
    (_world, _state, op) => wakes(op) && (op.eventfd | 0) < 0,
  ),
  refuse(
    'wakeup-closed',
    'the descriptor for the wake-up is not open',
    'EBADF',
    `${entry} (fs/eventfd.c:eventfd_ctx_fdget)`,
    (_world, state, op) => wakes(op) && eventfdFault(state, op.pid, op.eventfd | 0) === 'EBADF',
  ),
  refuse(
    'wakeup-other',
    'the descriptor for the wake-up is no eventfd',
    'EINVAL',
    `${entry} (fs/eventfd.c:eventfd_ctx_fileget)`,
    (_world, state, op) => wakes(op) && eventfdFault(state, op.pid, op.eventfd | 0) === 'EINVAL',
  ),
  refuse(
    'entered',
    'the device was let into low power already, and not taken out',
    'EINVAL',
    `${core}:vfio_pci_runtime_pm_entry`,
    (_world, state, op) =>
      sets(op) &&
      (which(op) === feature.lowPower || which(op) === feature.lowPowerWithWakeup) &&
      coreOf(state, op).lowPower,
  ),
];

export const deviceFeature: Rule<Feature> = {
  words: {
    object: 'device',
    call: 'ioctl(fd, VFIO_DEVICE_FEATURE, &feature)',
    arguments: {
      flags:
        'the feature (VF_TOKEN 0, LOW_POWER_ENTRY 3, LOW_POWER_ENTRY_WITH_WAKEUP 4, LOW_POWER_EXIT 5) and GET 0x10000, SET 0x20000, PROBE 0x40000',
      token: 'of VF_TOKEN: the token as text; anything else stands for zeros',
      eventfd: 'of LOW_POWER_ENTRY_WITH_WAKEUP: who is signalled when the device wakes',
    },
    effect:
      'PROBE only says that the feature is there. A token guards the virtual functions from then on. Low power ends with LOW_POWER_EXIT; with a wake-up it ends with the next call on the device, which wakes it: the kernel is taken to have suspended it by then, unless it was built without CONFIG_PM.',
    undo: 'of LOW_POWER_ENTRY, LOW_POWER_EXIT',
  },
  ioctl: { on: 'device', request: 0x3b75 },
  guards: { seed: [unknown], '6.1': [fault, argsz, ...asking] },
  effect: (world, state, op) => {
    if (!sets(op)) return zero;
    switch (which(op)) {
      case feature.token:
        return { state: withToken(state, deviceOf(state, op), tokenOf(op)), value: 0 };
      case feature.lowPower:
        return { state: withCore(state, op, { lowPower: true }), value: 0 };
      case feature.lowPowerWithWakeup:
        // Who is not suspended is not woken, and stays in low power until it is taken out (vfio_pci_core_runtime_resume).
        return world.suspends ? zero : { state: withCore(state, op, { lowPower: true }), value: 0 };
      case feature.lowPowerExit:
        return { state: withCore(state, op, { lowPower: false }), value: 0 };
      default:
        return zero;
    }
  },
  undo: (_world, _before, op) =>
    which(op) === feature.lowPower
      ? { ...op, flags: setFlag | feature.lowPowerExit }
      : { none: 'what was before is not kept' },
};

function sets({ flags }: Feature): boolean {
  return (flags & probe) === 0 && (flags & setFlag) !== 0;
}

function wakes(op: Feature): boolean {
  return sets(op) && which(op) === feature.lowPowerWithWakeup;
}

/** Bytes behind the header. */
function sizeOf(its: number): number {
  if (its === feature.token) return 16;
  return its === feature.lowPowerWithWakeup ? 8 : 0;
}

/** Physical functions with SR-IOV have a token (vfio_pci_vf_init). */
function guards(world: World, state: State, op: Feature): boolean {
  const hardware = hardwareOf(world, state, op);
  return hardware?.sriov === true && hardware.physicalFunction === null;
}

function deviceOf(state: State, op: Feature): number {
  const file = fileOf(state, op);
  return file?.kind === 'device' ? file.device : -1;
}

function tokenOf({ token }: Feature): string {
  return isToken(token) ? token.toLowerCase() : '00000000-0000-0000-0000-000000000000';
}
