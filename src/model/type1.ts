import { containerIn, draftOf } from './draft.ts';
import type { Guard } from './guard.ts';
import type { Op } from './op.ts';
import type { Container, Iommu, Mapping, State } from './state.ts';

/** An instance of the type1 driver: the one that a container got with SET_IOMMU(1, 3 or 6). */
export type Type1 = Extract<Iommu, { driver: 'type1' }>;

/** Operations on a container. */
type Asked = Extract<Op, { op: `container.${string}` }>;

export function type1Of({ iommu }: Container): Type1 | null {
  return iommu?.driver === 'type1' ? iommu : null;
}

/** Only the first version of type1 lets a range cut mappings; nested translation is of the second. */
export function isFirstVersion({ type }: Type1): boolean {
  return type === 1;
}

/** The state in which the container's instance is another. */
export function withType1(state: State, container: Container, iommu: Type1, locked = state.locked): State {
  const draft = draftOf(state);
  containerIn(draft, container.index).iommu = iommu;
  draft.locked = locked;
  return draft;
}

/** The same with other mappings: a DMA call changes nothing else of the instance. */
export function withMappings(
  state: State,
  container: Container,
  { driver, type, available, dirtyTracking }: Type1,
  mappings: readonly Mapping[],
  { more = 0, locked = state.locked }: { readonly more?: number; readonly locked?: State['locked'] } = {},
): State {
  const iommu = { driver, type, mappings, available: available + more, dirtyTracking };
  return withType1(state, container, iommu, locked);
}

/** A test that looks at the instance; where there is none, an earlier one has answered. */
export function onType1<O extends Asked>(
  guard: Pick<Guard<O>, 'id' | 'words' | 'errno' | 'citation'> & { refuses(op: O, iommu: Type1): boolean },
): Guard<O> {
  const { refuses, ...declared } = guard;
  return {
    ...declared,
    applies: (_world: unknown, _state: unknown, op: O, container: Container) => {
      const iommu = type1Of(container);
      return iommu !== null && refuses(op, iommu);
    },
  };
}

/** The two answers that every DMA call has before the type1 driver sees it. */
export function withoutType1<O extends Asked>(op: O['op']): readonly [Guard<O>, Guard<O>] {
  const citation = {
    seed: 'drivers/vfio/vfio.c:vfio_fops_unl_ioctl',
    '6.1': 'drivers/vfio/container.c:vfio_fops_unl_ioctl',
  } as const;
  return [
    {
      id: `${op}.no-iommu`,
      words: 'the container has no IOMMU driver yet',
      errno: 'EINVAL',
      citation,
      applies: (_world: unknown, _state: unknown, _asked: O, { iommu }: Container) => iommu === null,
    },
    {
      id: `${op}.noiommu`,
      words: 'without an IOMMU there is nothing to map',
      errno: 'ENOTTY',
      citation: {
        seed: 'drivers/vfio/vfio.c:vfio_noiommu_ioctl',
        '6.1': 'drivers/vfio/container.c:vfio_noiommu_ioctl',
      },
      applies: (_world: unknown, _state: unknown, _asked: O, { iommu }: Container) =>
        iommu?.driver === 'noiommu',
    },
  ];
}
