import { reservedByFirmware } from '../attachment.ts';
import { containerIn, draftOf } from '../draft.ts';
import { takerOf } from '../extensions.ts';
import type { Guard, Rule } from '../guard.ts';
import { parameterOf } from '../modules.ts';
import type { Op } from '../op.ts';
import { capable } from '../permission.ts';
import type { Container, Iommu, State, World } from '../state.ts';

type Set = Extract<Op, { op: 'container.set_iommu' }>;

const file = {
  seed: 'drivers/vfio/vfio.c',
  '6.1': 'drivers/vfio/container.c',
  '6.12': 'drivers/vfio/container.c',
} as const;

function inFile(name: string): Guard['citation'] {
  return { seed: `${file.seed}:${name}`, '6.1': `${file['6.1']}:${name}`, '6.12': `${file['6.12']}:${name}` };
}

/** VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU, VFIO_TYPE1_NESTING_IOMMU. */
const types: readonly number[] = [1, 3, 6];

const common: readonly Guard<Set>[] = [
  {
    id: 'container.set_iommu.empty',
    words: 'the container holds no group',
    errno: 'EINVAL',
    citation: inFile('vfio_ioctl_set_iommu'),
    applies: (_world, _state, _op, { groups }) => groups.length === 0,
  },
  {
    id: 'container.set_iommu.again',
    words: 'the container has its IOMMU driver already',
    errno: 'EINVAL',
    citation: inFile('vfio_ioctl_set_iommu'),
    applies: (_world, _state, _op, { iommu }) => iommu !== null,
  },
  {
    id: 'container.set_iommu.unsupported',
    words: 'no IOMMU driver that may take this container supports the type',
    errno: 'ENODEV',
    citation: inFile('vfio_ioctl_set_iommu'),
    applies: (world, state, op, container) => takerOf(world, state, container, op.type) === null,
  },
  {
    id: 'container.set_iommu.rawio',
    words: 'the mode without an IOMMU needs CAP_SYS_RAWIO',
    errno: 'EPERM',
    citation: inFile('vfio_noiommu_open'),
    // The container's own kind: the driver that takes it is never the other.
    applies: (world, _state, op, { noiommu }) => noiommu && !capable(world, op.pid, 'CAP_SYS_RAWIO'),
  },
  {
    id: 'container.set_iommu.no-type',
    words: 'what was asked for is an extension, not a type of IOMMU',
    errno: 'EINVAL',
    citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_open',
    applies: (_world, _state, op, { noiommu }) => !noiommu && !types.includes(op.type),
  },
  {
    id: 'container.set_iommu.nesting',
    words: 'this IOMMU has no nested translation',
    errno: 'EINVAL',
    citation: 'drivers/iommu/iommu.c:iommu_enable_nesting',
    applies: (world, _state, op, { noiommu }) => !noiommu && op.type === 6 && !world.nesting,
  },
];

const firmware: Guard<Set> = {
  id: 'container.set_iommu.firmware',
  words: 'the firmware reserves memory for a device of the container',
  errno: 'EPERM',
  citation: 'drivers/iommu/intel/iommu.c:intel_iommu_attach_device',
  applies: (world, state, _op, { noiommu, groups }) =>
    !noiommu && groups.some((minor) => reservedByFirmware(world, state, minor)),
};

const interrupts: Guard<Set> = {
  id: 'container.set_iommu.interrupts',
  words: 'the IOMMU does not isolate interrupts and allow_unsafe_interrupts is N',
  errno: 'EPERM',
  citation: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_attach_group',
  applies: (world, state, _op, { noiommu }) => !noiommu && unsafeInterrupts(world, state),
};

export const containerSetIommu: Rule<Set> = {
  words: {
    object: 'container',
    call: 'ioctl(fd, VFIO_SET_IOMMU, type)',
    arguments: { type: 'TYPE1 1, TYPE1v2 3, TYPE1_NESTING 6, NOIOMMU 8; it is not behind a pointer' },
    effect:
      'The container has its IOMMU driver: noiommu if its groups are of that kind, type1 otherwise, with no mapping yet.',
    undo: 'none: there is no call that unsets it; it goes with the last group',
  },
  ioctl: { on: 'container', request: 0x3b66 },
  guards: {
    // To the seed's kernel type 9 is unknown, as any other.
    seed: [...common.filter(({ id }) => id !== 'container.set_iommu.no-type'), firmware, interrupts],
    '6.1': [...common, firmware, interrupts],
    // Firmware's claims are asked earlier here: at SET_CONTAINER.
    '6.12': [...common, interrupts],
  },
  effect: (world, state, op, container) => {
    const iommu = newIommu(world, state, container, op.type);
    const draft = draftOf(state);
    containerIn(draft, container.index).iommu = iommu;
    return { state: draft, value: 0 };
  },
  undo: () => ({ none: 'there is no call that unsets it; it goes with the last group' }),
};

/** Whether devices of this machine may forge interrupts and nobody allowed that. */
export function unsafeInterrupts(world: World, state: State): boolean {
  return (
    !world.interruptRemapping &&
    parameterOf(world, state, 'vfio_iommu_type1', 'allow_unsafe_interrupts') !== 'Y'
  );
}

function newIommu(world: World, state: State, container: Container, type: number): Iommu {
  if (container.noiommu) return { driver: 'noiommu' };
  const limit = parameterOf(world, state, 'vfio_iommu_type1', 'dma_entry_limit');
  return {
    driver: 'type1',
    type,
    mappings: [],
    available: limit === null ? Number.MAX_SAFE_INTEGER : Number(limit),
    dirtyTracking: false,
  };
}
