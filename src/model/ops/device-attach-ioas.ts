import { structure } from '../argument.ts';
import { type Attaching, attachGuards, attachIn } from '../attach.ts';
import { deviceFileOf } from '../cdev.ts';
import { draftOf } from '../draft.ts';
import type { Guard, Rule } from '../guard.ts';
import { boundOf, contextAt, objectOf, targetOf } from '../iommufd.ts';
import type { Op } from '../op.ts';
import type { State, World } from '../state.ts';

type Attach = Extract<Op, { op: 'device.attach_ioas' }>;

const attachPt = 'drivers/vfio/device_cdev.c:vfio_df_ioctl_attach_pt';

/** Only a cdev knows the two requests; to other device files the numbers are any others. */
export function cdevOnly<O extends Op & { readonly fd: number }>(op: O['op']): Guard<O> {
  return {
    id: `${op}.unknown`,
    words: 'the device was not opened by its cdev',
    errno: 'ENOTTY',
    citation: {
      seed: 'drivers/vfio/pci/vfio_pci.c:vfio_pci_ioctl',
      '6.1': 'drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_ioctl',
      '6.12': 'drivers/vfio/vfio_main.c:vfio_device_fops_unl_ioctl',
    },
    applies: (_world, state, asked) => deviceFileOf(state, asked)?.cdev !== true,
  };
}

const unknown = cdevOnly<Attach>('device.attach_ioas');

const argument: readonly Guard<Attach>[] = [
  unknown,
  ...structure<Attach>('device.attach_ioas', 12, attachPt),
  {
    id: 'device.attach_ioas.flags',
    words: 'there are no flags yet',
    errno: 'EINVAL',
    citation: attachPt,
    applies: (_world, _state, op) => op.flags >>> 0 !== 0,
  },
];

const attaching = (_world: World, state: State, op: Attach): Attaching | null => {
  const device = deviceFileOf(state, op)?.device ?? -1;
  const context = contextAt(state, boundOf(state, device)?.iommufd);
  return context === null ? null : { context, device, target: op.target };
};

export const deviceAttachIoas: Rule<Attach> = {
  words: {
    object: 'cdev',
    call: 'ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach)',
    arguments: {
      target: 'id of an address space or of a page table of its iommufd',
      flags: 'none are known',
    },
    effect:
      'The device reaches what is mapped there, and nothing else any more. Answers the id of the page table.',
    undo: '`device.detach_ioas`, or the attach to what it was attached to',
  },
  ioctl: { on: 'device', request: 0x3b77 },
  guards: {
    seed: [unknown],
    // Every page table is one that an IOMMU reads there.
    '6.12': [...argument, ...attachGuards<Attach>('device.attach_ioas', attaching, ['foreign'])],
    'noiommu-cdev': [...argument, ...attachGuards<Attach>('device.attach_ioas', attaching)],
  },
  effect: (world, state, op) => {
    const draft = draftOf(state);
    const id = attachIn(world, draft, deviceFileOf(state, op)?.device ?? -1, op.target);
    return { state: draft, value: 0, out: { pt_id: id } };
  },
  undo: (_world, before, op) => {
    const was = tableOf(before, op);
    const { pid, fd } = op;
    if (was === null) return { op: 'device.detach_ioas', pid, fd, flags: 0 };
    const context = contextAt(before, boundOf(before, deviceFileOf(before, op)?.device ?? -1)?.iommufd);
    return { op: 'device.attach_ioas', pid, fd, flags: 0, target: targetOf(context, was) ?? was };
  },
};

/** The page table that the device is attached to. */
function tableOf(state: State, op: Attach): number | null {
  const its = boundOf(state, deviceFileOf(state, op)?.device ?? -1);
  const object = its === null ? null : objectOf(contextAt(state, its.iommufd), its.id);
  return object?.kind === 'device' ? object.hwpt : null;
}
