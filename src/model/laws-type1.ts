import { u64 } from './argument.ts';
import { containerOf } from './files.ts';
import { claiming, everyKernel, type Law } from './law.ts';
import { aligned, pageSize, pagesOf, translatable, wraps } from './mappings.ts';
import { parameterOf } from './modules.ts';
import { unsafeInterrupts } from './ops/container-set-iommu.ts';
import type { Mapping, State } from './state.ts';
import { isFirstVersion, type Type1, type1Of } from './type1.ts';

interface Descriptor {
  readonly pid: number;
  readonly fd: number;
}

/** What the type1 driver promises of mappings. */
export const type1Laws: readonly Law[] = [
  {
    id: 'P17',
    statement: 'Mappings of a container do not overlap.',
    enforcedBy: 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_map',
    profiles: everyKernel,
    onState: (_world, state) =>
      everyMapping(state, (mapping, before) => before === null || before.iova + before.size <= mapping.iova),
  },
  {
    id: 'P18',
    statement: 'A mapping is whole pages, at least one, and does not wrap.',
    enforcedBy: 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_map',
    profiles: everyKernel,
    onState: (_world, state) =>
      everyMapping(
        state,
        ({ iova, size, vaddr }) =>
          size > 0n && aligned(iova | size | vaddr) && !wraps(iova, size) && !wraps(vaddr, size),
      ),
  },
  {
    id: 'P19',
    statement:
      'Mappings and what is left of dma_entry_limit are together what the limit was when the IOMMU was set.',
    enforcedBy: 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_map, vfio_remove_dma',
    profiles: claiming,
    onStep: (world, before, _op, { state }) =>
      before.containers === state.containers ||
      state.containers.every((container, index) => {
        const iommu = container?.iommu;
        if (iommu?.driver !== 'type1') return true;
        const was = before.containers[index]?.iommu;
        const limit =
          was?.driver === 'type1'
            ? was.mappings.length + was.available
            : Number(parameterOf(world, before, 'vfio_iommu_type1', 'dma_entry_limit'));
        return iommu.available >= 0 && iommu.mappings.length + iommu.available === limit;
      }),
  },
  {
    id: 'P20',
    statement:
      'Every mapping lies where all groups of its container allow one: in no MSI window, in no memory of the firmware, below the aperture.',
    enforcedBy:
      'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_iova_dma_valid, vfio_iommu_aper_conflict, vfio_iommu_resv_conflict',
    profiles: claiming,
    onState: (world, state) =>
      everyMapping(state, ({ iova, size }, _before, groups) =>
        translatable(world, state, groups, iova, size),
      ),
  },
  {
    id: 'P21',
    statement: 'Without CAP_IPC_LOCK a process is not charged beyond RLIMIT_MEMLOCK.',
    enforcedBy: 'drivers/vfio/vfio_iommu_type1.c:vfio_pin_pages_remote, vfio_lock_acct',
    profiles: everyKernel,
    onStep: (world, before, op, { state }) => {
      const process = op.op === 'container.map_dma' ? world.processes.get(op.pid) : undefined;
      if (process === undefined || process.memlock === null || process.capabilities.has('CAP_IPC_LOCK'))
        return true;
      const pages = pagesOf(state, process.pid);
      return pages <= pagesOf(before, process.pid) || pages <= process.memlock / Number(pageSize);
    },
  },
  {
    id: 'P22',
    statement:
      'UNMAP_DMA of the second version takes whole mappings: what is gone lay within the range, and its size is what is answered.',
    enforcedBy: 'drivers/vfio/vfio_iommu_type1.c:vfio_dma_do_unmap',
    profiles: everyKernel,
    onStep: (_world, before, op, { result, state }) => {
      if (op.op !== 'container.unmap_dma' || !result.ok) return true;
      const was = instanceOf(before, op);
      const now = instanceOf(state, op);
      if (was === null || now === null || isFirstVersion(was)) return true;
      if (now.mappings.length === was.mappings.length) return true;
      const gone = goneFrom(was, now);
      const [iova, end] =
        (op.flags & 2) !== 0 ? [0n, 1n << 64n] : [u64(op.iova), u64(op.iova) + u64(op.size)];
      const size = gone.reduce((sum, mapping) => sum + mapping.size, 0n);
      return (
        result.out?.['size'] === size &&
        gone.every((mapping) => mapping.iova >= iova && mapping.iova + mapping.size <= end)
      );
    },
  },
  {
    id: 'P23',
    statement:
      'A group comes under type1 only where the IOMMU isolates its interrupts, or allow_unsafe_interrupts is Y.',
    enforcedBy: 'drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_attach_group',
    profiles: everyKernel,
    onStep: (world, before, _op, { state }) =>
      before.containers === state.containers ||
      !unsafeInterrupts(world, before) ||
      state.containers.every((container, index) => {
        if (container?.iommu?.driver !== 'type1') return true;
        const was = before.containers[index];
        return was?.iommu?.driver === 'type1' && container.groups.length <= was.groups.length;
      }),
  },
];

/** Whether something holds of every mapping; `before` is its neighbour below. */
function everyMapping(
  state: State,
  holds: (mapping: Mapping, before: Mapping | null, groups: readonly number[]) => boolean,
): boolean {
  for (const container of state.containers) {
    if (container?.iommu?.driver !== 'type1') continue;
    let before: Mapping | null = null;
    for (const mapping of container.iommu.mappings) {
      if (!holds(mapping, before, container.groups)) return false;
      before = mapping;
    }
  }
  return true;
}

function goneFrom(was: Type1, now: Type1): readonly Mapping[] {
  const left = new Set(now.mappings);
  return was.mappings.filter((mapping) => !left.has(mapping));
}

function instanceOf(state: State, op: Descriptor): Type1 | null {
  const container = containerOf(state, op);
  return container === null ? null : type1Of(container);
}
