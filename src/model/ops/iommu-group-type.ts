import { isLocked } from '../device-lock.ts';
import { draftOf, iommuGroupIn } from '../draft.ts';
import type { Guard, Rule } from '../guard.ts';
import { leavers, lockHolders, lockWords } from '../leaving.ts';
import type { Op } from '../op.ts';
import { originOf } from '../origin.ts';
import { capable, rootOnly } from '../permission.ts';
import type { IommuGroup, State, World } from '../state.ts';
import { handler } from '../sysfs-file.ts';
import { handed, sameLine, taken } from '../text.ts';

type Write = Extract<Op, { op: 'iommu_group.type' }>;

const store = 'drivers/iommu/iommu.c:iommu_group_store_type';
const change = 'drivers/iommu/iommu.c:iommu_change_dev_def_domain';

const types: readonly string[] = ['identity', 'DMA', 'DMA-FQ', 'auto'];

function typeOf(text: string): string | null {
  const asked = handed(text);
  return types.find((type) => sameLine(asked, type)) ?? null;
}

const missing: Guard<Write> = {
  id: 'iommu_group.type.missing',
  words: 'there is no such group, or this kernel lets nobody change its type',
  errno: 'ENOENT',
  citation: 'drivers/iommu/iommu.c:iommu_group_alloc',
  applies: (world, state, op) => world.profile.viability === 'walk' || groupOf(state, op) === undefined,
};

const file = [missing, rootOnly<Write>('iommu_group.type', 'type')];

const capability = handler<Write>({
  id: 'iommu_group.type.capability',
  words: 'changing the type needs CAP_SYS_ADMIN and CAP_SYS_RAWIO',
  errno: 'EACCES',
  citation: store,
  applies: (world, _state, op) =>
    !capable(world, op.pid, 'CAP_SYS_ADMIN') || !capable(world, op.pid, 'CAP_SYS_RAWIO'),
});

const noDomain = onGroup({
  id: 'no-domain',
  words: 'the group has no default domain: VFIO made it up',
  errno: 'EINVAL',
  citation: store,
  test: ({ fake }) => fake,
});

const text = handler<Write>({
  id: 'iommu_group.type.text',
  words: 'the text is none of identity, DMA, DMA-FQ and auto',
  errno: 'EINVAL',
  citation: store,
  applies: (_world, _state, op) => typeOf(op.text) === null,
});

const several = onGroup({
  id: 'several',
  words: 'the group has more than one device',
  errno: 'EINVAL',
  citation: store,
  test: ({ devices }) => devices.length !== 1,
});

/** The group's only device is locked to see whether a driver has it. */
const leaving: Guard<Write> = {
  ...onGroup({
    id: 'leaving',
    words: lockWords,
    errno: null,
    citation: store,
    test: ({ devices }, state, _op, world) => devices.some((index) => isLocked(world, state, index)),
  }),
  waitsFor: (world, state, op) => {
    const its = groupOf(state, op)?.devices ?? [];
    return lockHolders(
      world,
      state,
      leavers(world, state, ({ index }) => its.includes(index)),
    );
  },
};

const bound = onGroup({
  id: 'bound',
  words: "the group's device is bound to a driver, and this is no change from DMA to DMA-FQ",
  errno: 'EBUSY',
  citation: store,
  test: (group, state, op) =>
    group.devices.some((index) => state.devices[index]?.driver !== null) && !addsQueue(group, op),
});

const claimed = onGroup({
  id: 'claimed',
  words: 'a userspace driver owns the group, which is not in its default domain now',
  errno: 'EBUSY',
  citation: change,
  test: ({ owner }) => owner !== null,
});

const inUse = onGroup({
  id: 'in-use',
  words: 'a host driver or a userspace driver owns the group',
  errno: 'EPERM',
  citation: store,
  test: (group, _state, op) => group.ownerCount !== 0 && !addsQueue(group, op),
});

const first = [...file, capability, noDomain, text];

export const iommuGroupType: Rule<Write> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/kernel/iommu_groups/GROUP/type, text)',
    arguments: {
      group: 'its id',
      text: '`identity`, `DMA`, `DMA-FQ`, or `auto` for what the kernel chose at boot',
    },
    effect: "The group's devices get a default domain of this type.",
    undo: '`iommu_group.type` with what was before',
  },
  guards: {
    seed: [missing],
    '6.1': [...first, several, leaving, bound, claimed],
    '6.12': [...first, inUse],
  },
  effect: (world, state, op) => {
    const place = state.iommuGroups.findIndex(({ id }) => id === op.group);
    const group = state.iommuGroups[place];
    const asked = typeOf(op.text);
    const value = taken(op.text);
    if (group === undefined || asked === null) return { value };
    const type = asked === 'auto' ? atBoot(world, group) : asked;
    if (type === group.type) return { value };
    const draft = draftOf(state);
    iommuGroupIn(draft, place).type = type;
    return { state: draft, value };
  },
  undo: (_world, before, op) => ({ ...op, text: groupOf(before, op)?.type ?? 'auto' }),
};

function atBoot(world: World, group: IommuGroup): string {
  return world.groupTypes.get(originOf(world, group) ?? -1) ?? group.type;
}

function groupOf(state: State, op: Write): IommuGroup | undefined {
  return state.iommuGroups.find(({ id }) => id === op.group);
}

/** A flush queue is added to a domain that stays: nobody need let go of it. */
function addsQueue(group: IommuGroup, op: Write): boolean {
  return group.type === 'DMA' && typeOf(op.text) === 'DMA-FQ';
}

function onGroup(guard: {
  readonly id: string;
  readonly words: string;
  readonly errno: 'EINVAL' | 'EBUSY' | 'EPERM' | null;
  readonly citation: string;
  test(group: IommuGroup, state: State, op: Write, world: World): boolean;
}): Guard<Write> {
  const { id, words, errno, citation, test } = guard;
  return handler<Write>({
    id: `iommu_group.type.${id}`,
    words,
    errno,
    citation,
    applies: (world, state, op) => {
      const group = groupOf(state, op);
      return group !== undefined && test(group, state, op, world);
    },
  });
}
