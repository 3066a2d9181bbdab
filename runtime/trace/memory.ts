import type { Memory } from '../../src/model/op.ts';
import { mman } from '../abi/mman.ts';
import type { Backend } from '../backend.ts';

const page = 4096n;

/** More than any test maps, and little enough to be had on any machine as address space that nothing is written to. */
const largest = 1n << 38n;

/** What is written to takes memory, so more than this stays as it is when it is had. */
const mostWritten = 1n << 28n;

const protections: Readonly<Record<Memory, number>> = {
  writable: mman.PROT_READ | mman.PROT_WRITE,
  untouched: mman.PROT_READ | mman.PROT_WRITE,
  'read-only': mman.PROT_READ,
  none: mman.PROT_NONE,
};

/**
 * Memory of one process that stands behind the user addresses of a trace. Addresses differ from run to run, and what a
 * kernel answers depends on the offset in the page and on what may be done with the memory alone; so there is one range of
 * each kind, which is given back when the process ends. Only what nobody wrote to is new each time: the kernel may write
 * there.
 */
export class UserMemory {
  private readonly backend: Pick<Backend, 'mmap' | 'munmap'>;
  private readonly ranges = new Map<Memory, { readonly address: bigint; readonly size: bigint }>();

  constructor(backend: Pick<Backend, 'mmap' | 'munmap'>) {
    this.backend = backend;
  }

  /** Where memory of that kind lies in this run, and what truly stands there: nothing where there cannot be so much. */
  place(vaddr: bigint, size: bigint, asked: Memory): { readonly vaddr: bigint; readonly memory: Memory } {
    const kind = asked === 'writable' && size > mostWritten ? 'untouched' : asked;
    const offset = vaddr % page;
    if (size === 0n || vaddr + size > 1n << 64n) return { vaddr, memory: kind };
    const range = size > largest ? undefined : this.range(kind, roundUp(offset + size));
    if (range !== undefined) return { vaddr: range + offset, memory: kind };
    // The end of user space on x86-64: nothing can be mapped from there on.
    return { vaddr: 0x7fff_ffff_f000n + offset, memory: 'none' };
  }

  private range(kind: Memory, size: bigint): bigint | undefined {
    const had = this.ranges.get(kind);
    if (kind !== 'untouched' && had !== undefined && had.size >= size) return had.address;
    // Populating writes to every page.
    const populate = kind === 'writable' ? mman.MAP_POPULATE : 0;
    const flags = mman.MAP_PRIVATE | mman.MAP_ANONYMOUS | mman.MAP_NORESERVE | populate;
    const address = this.backend.mmap(Number(size), protections[kind], flags, -1, 0n);
    if (typeof address === 'number') return undefined;
    // An earlier, smaller range stays: the kernel may have pinned it.
    this.ranges.set(kind, { address, size });
    return address;
  }
}

function roundUp(size: bigint): bigint {
  return ((size + page - 1n) / page) * page;
}
