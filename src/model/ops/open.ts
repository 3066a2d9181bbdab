import { openCdev, openIommufd } from '../cdev.ts';
import { draftOf, groupIn, setContainer } from '../draft.ts';
import { install, nextDescriptor, tableFull } from '../files.ts';
import { type Done, type Guard, type Rule, zero } from '../guard.ts';
import { withoutIommu } from '../iommufd.ts';
import { nodeAt } from '../nodes.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import { capable, mayUse } from '../permission.ts';
import { lowestFree } from '../places.ts';
import type { OpenFile, State, VfioGroup, World } from '../state.ts';
import { loadModule } from './module-load.ts';

type Open = Extract<Op, { op: 'open' }>;

/** The one file outside VFIO that opens: for calls that want a descriptor of something else. */
const elsewhere = '/dev/null';

const asked: readonly Guard<Open>[] = [
  {
    id: 'open.descriptors',
    words: 'the process has as many descriptors as it may',
    errno: 'EMFILE',
    citation: 'fs/file.c:alloc_fd',
    applies: (world, state, op) => tableFull(world, state, op.pid),
  },
  {
    id: 'open.missing',
    words: 'there is no such file',
    errno: 'ENOENT',
    citation: 'fs/namei.c:link_path_walk, path_openat',
    applies: (world, state, op) => op.path !== elsewhere && placeOf(world, state, op) === null,
  },
  {
    id: 'open.permission',
    words: "the node's owner and mode do not let the process read and write",
    errno: 'EACCES',
    citation: 'fs/namei.c:may_open, inode_permission',
    applies: (world, state, op) => {
      const node = placeOf(world, state, op)?.node;
      const process = world.processes.get(op.pid);
      return node !== undefined && process !== undefined && !mayUse(process, node);
    },
  },
  {
    id: 'open.no-module',
    words: 'the node stands there, but this kernel has no module vfio to load',
    errno: 'ENODEV',
    citation: 'drivers/char/misc.c:misc_open',
    applies: (world, state, op) => world.vfioModule === -1 && placeOf(world, state, op)?.kind === 'container',
  },
];

const rawio = groupGuard({
  id: 'open.rawio',
  words: 'a group without an IOMMU opens only with CAP_SYS_RAWIO',
  errno: 'EPERM',
  refuses: (world, op, { noiommu }) => noiommu && !capable(world, op.pid, 'CAP_SYS_RAWIO'),
});

/** Its memory is no IOMMU's to guard, however it is opened. */
const rawioDevice: Guard<Open> = {
  id: 'open.rawio-device',
  words: 'a device without an IOMMU opens only with CAP_SYS_RAWIO',
  errno: 'EPERM',
  citation: 'drivers/vfio/device_cdev.c:vfio_device_fops_cdev_open',
  applies: (world, state, op) => {
    const place = placeOf(world, state, op);
    return (
      place?.kind === 'cdev' && withoutIommu(state, place.device) && !capable(world, op.pid, 'CAP_SYS_RAWIO')
    );
  },
};

const bound = groupGuard({
  id: 'open.cdev-bound',
  words: 'a device of the group is bound to an iommufd through its own node',
  errno: 'EBUSY',
  refuses: (_world, _op, { cdevOpens }) => cdevOpens > 0,
});

const busy = groupGuard({
  id: 'open.busy',
  words: 'the group is open already, or a device of it is still open',
  errno: 'EBUSY',
  refuses: (_world, _op, { file }) => file !== null,
});

export const open: Rule<Open> = {
  words: {
    object: 'files',
    call: 'open(path, O_RDWR)',
    arguments: { path: 'a node below /dev/vfio, /dev/iommu, /dev/kvm or /dev/null' },
    effect:
      'The process has a new descriptor, the lowest number that is free. Every open of /dev/vfio/vfio is another container.',
    undo: '`close` of the new descriptor',
  },
  guards: {
    seed: [...asked, rawio, busy],
    '6.12': [...asked, rawio, bound, busy],
    'noiommu-cdev': [...asked, rawioDevice, rawio, bound, busy],
  },
  effect: (world, state, op) => {
    const place = placeOf(world, state, op);
    if (place?.kind === 'container') return openContainer(world, state, op);
    if (place?.kind === 'group') return openGroup(state, op, place.minor);
    if (place?.kind === 'cdev') return openCdev(state, op.pid, place.device);
    if (place?.kind === 'iommufd') return openIommufd(state, op.pid);
    const draft = draftOf(state);
    const file: OpenFile =
      place?.kind === 'kvm' ? { kind: 'kvm', refs: 1 } : { kind: 'other', refs: 1, path: op.path };
    const value = install(draft, op.pid, file);
    return { state: draft, value };
  },
  undo: (_world, before, op) => ({ op: 'close', pid: op.pid, fd: nextDescriptor(before, op.pid) }),
};

/** What stands at the path. */
const placeOf = once<Open, ReturnType<typeof nodeAt>>((_world, state, op) => nodeAt(state, op.path));

/** A test that opening a group makes. */
function groupGuard(guard: {
  readonly id: string;
  readonly words: string;
  readonly errno: 'EPERM' | 'EBUSY';
  refuses(world: World, op: Open, group: VfioGroup): boolean;
}): Guard<Open> {
  return {
    id: guard.id,
    words: guard.words,
    errno: guard.errno,
    citation: {
      seed: 'drivers/vfio/vfio.c:vfio_group_fops_open',
      '6.1': 'drivers/vfio/vfio_main.c:vfio_group_fops_open',
      '6.12': 'drivers/vfio/group.c:vfio_group_fops_open',
    },
    applies: (world, state, op) => {
      const place = placeOf(world, state, op);
      const group = place?.kind === 'group' ? state.groups[place.minor] : null;
      return group !== null && group !== undefined && guard.refuses(world, op, group);
    },
  };
}

/** Every open is another container; opening the static node loads the module (misc_open's request_module). */
function openContainer(world: World, before: State, op: Open): Done {
  const state = before.modules[world.vfioModule] === null ? loadModule(world, before, 'vfio') : before;
  const draft = draftOf(state);
  const index = lowestFree(state.containers);
  const file = lowestFree(state.files);
  setContainer(draft, index, { index, file, groups: [], noiommu: false, iommu: null });
  const value = install(draft, op.pid, { kind: 'container', refs: 1, container: index });
  return { state: draft, value };
}

function openGroup(state: State, op: Open, minor: number): Done {
  const group = state.groups[minor];
  if (group === null || group === undefined) return zero;
  const draft = draftOf(state);
  groupIn(draft, minor).file = lowestFree(state.files);
  const value = install(draft, op.pid, { kind: 'group', refs: 1, group: minor });
  return { state: draft, value };
}
