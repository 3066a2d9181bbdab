import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { requests } from '../../../runtime/abi/ioctl.ts';
import { decode, encode, type Field, type Layout } from '../../../runtime/abi/layout.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { layouts } from '../../../runtime/abi/vfio.ts';
import { WouldBlock } from '../../../runtime/backend.ts';
import type { SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import { deeds } from '../../../runtime/lower/deeds.ts';
import type { Op } from '../../../src/model/op.ts';

/** What a call answered, in the model's words. */
export interface Said {
  /** The value, an errno's name, or `blocks`. */
  readonly answer: number | string;
  /** Fields of the structure that came back. */
  readonly out?: { readonly [field: string]: number | bigint };
}

/** Does an operation as system calls and bytes. */
export function byBytes(op: Op, process: SimulatedProcess, all: ReadonlyMap<number, SimulatedProcess>): Said {
  try {
    return said(op, process, all);
  } catch (error) {
    if (!(error instanceof WouldBlock)) throw error;
    closeBlocked(process);
    return { answer: 'blocks' };
  }
}

/** A write that would not return keeps its descriptor; here the process goes on, without it. */
function closeBlocked(process: SimulatedProcess): void {
  const descriptors = process.list('/proc/self/fd');
  if (typeof descriptors === 'number') throw new Error('no /proc/self/fd');
  for (const fd of descriptors) {
    if (String(process.readlink(`/proc/self/fd/${fd}`)).endsWith('/unbind')) process.close(Number(fd));
  }
}

function said(op: Op, its: SimulatedProcess, all: ReadonlyMap<number, SimulatedProcess>): Said {
  switch (op.op) {
    case 'open':
      return plain(its.open(op.path, fcntl.O_RDWR));
    case 'close':
      return plain(its.close(op.fd));
    case 'descriptor.pass': {
      const to = all.get(op.to);
      if (to === undefined) throw new Error('no such process in the test');
      return plain(its.pass(op.fd, to));
    }
    case 'file.call':
      return plain(fileCall(its, op));
    case 'container.api_version':
      return plain(its.ioctl(op.fd, requests.VFIO_GET_API_VERSION, 0));
    case 'container.check_extension':
      return plain(its.ioctl(op.fd, requests.VFIO_CHECK_EXTENSION, op.extension));
    case 'container.set_iommu':
      return plain(its.ioctl(op.fd, requests.VFIO_SET_IOMMU, op.type));
    case 'group.unset_container':
      return plain(its.ioctl(op.fd, requests.VFIO_GROUP_UNSET_CONTAINER, 0));
    case 'device.reset':
      return plain(its.ioctl(op.fd, requests.VFIO_DEVICE_RESET, 0));
    case 'group.set_container':
      return plain(its.ioctl(op.fd, requests.VFIO_GROUP_SET_CONTAINER, int(op.container)));
    case 'group.get_device_fd':
      return plain(
        its.ioctl(op.fd, requests.VFIO_GROUP_GET_DEVICE_FD, new TextEncoder().encode(`${op.name}\0`)),
      );
    case 'ioctl': {
      const memory = new Uint8Array(64);
      new DataView(memory.buffer).setUint32(0, op.argsz ?? 0, true);
      return plain(its.ioctl(op.fd, op.request, op.argsz === null ? null : memory));
    }
    case 'group.get_status':
      return struct(its, op, requests.VFIO_GROUP_GET_STATUS, layouts.vfio_group_status, {});
    case 'device.get_info':
      return struct(its, op, requests.VFIO_DEVICE_GET_INFO, layouts.vfio_device_info, {});
    case 'device.region_info':
      return struct(its, op, requests.VFIO_DEVICE_GET_REGION_INFO, layouts.vfio_region_info, {
        index: op.index,
      });
    case 'device.irq_info':
      return struct(its, op, requests.VFIO_DEVICE_GET_IRQ_INFO, layouts.vfio_irq_info, { index: op.index });
    case 'container.map_dma': {
      const { flags, vaddr, iova, size } = op;
      const its_ = layouts.vfio_iommu_type1_dma_map;
      return struct(its, op, requests.VFIO_IOMMU_MAP_DMA, its_, { flags, vaddr, iova, size });
    }
    case 'container.unmap_dma': {
      const { flags, iova, size } = op;
      return struct(its, op, requests.VFIO_IOMMU_UNMAP_DMA, layouts.vfio_iommu_type1_dma_unmap, {
        flags,
        iova,
        size,
      });
    }
    default:
      return plain(lowered(op, its));
  }
}

type Deed = Extract<Op, { op: keyof typeof deeds }>;

function lowered<D extends Deed>(op: D, its: SimulatedProcess): number {
  const deed = deeds[op.op] as (backend: SimulatedProcess, op: D) => number;
  return deed(its, op);
}

function plain(answer: number): Said {
  return { answer: errnoOf(answer) ?? answer };
}

function int(value: number): Uint8Array {
  const memory = new Uint8Array(4);
  new DataView(memory.buffer).setInt32(0, value, true);
  return memory;
}

function fileCall(its: SimulatedProcess, { fd, call }: Extract<Op, { op: 'file.call' }>): number {
  switch (call) {
    case 'read': {
      const read = its.read(fd, 1);
      return typeof read === 'number' ? read : read.length;
    }
    case 'write':
      return its.write(fd, new Uint8Array(1));
    case 'lseek':
      return its.lseek(fd, 0n, fcntl.SEEK_SET);
    case 'mmap': {
      const mapped = its.mmap(4096, mman.PROT_READ, mman.MAP_SHARED, fd, 0n);
      if (typeof mapped === 'number') return mapped;
      its.munmap(mapped, 4096);
      return 0;
    }
  }
}

function struct<F extends { readonly [name: string]: Field }>(
  its: SimulatedProcess,
  { fd, argsz }: { readonly fd: number; readonly argsz?: number | null },
  request: number,
  layout: Layout<F>,
  fields: { readonly [name: string]: number | bigint },
): Said {
  if (argsz === null) return plain(its.ioctl(fd, request, null));
  const memory = encode(layout, { ...fields, argsz: argsz ?? layout.size } as Parameters<
    typeof encode<F>
  >[1]);
  const answer = its.ioctl(fd, request, memory);
  return answer < 0 ? plain(answer) : { answer, out: decode(layout, memory) };
}
