import type { Memory } from '../../../src/model/op.ts';
import { mman } from '../../abi/mman.ts';
import { refuse } from './refuse.ts';

const page = 4096n;
/** Where the kernel starts to place mappings, going down, and the end of user space (x86-64, 4-level paging). */
const base = 0x7fff_f000_0000n;
const lowest = 0x1_0000n;
const userEnd = 0x7fff_ffff_f000n;

interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  readonly protection: number;
  /** Its pages are there: nothing of the kind counts as written before somebody did. */
  readonly touched: boolean;
}

/** A process's address space: which addresses are mapped and how, never what they hold. */
export class AddressSpace {
  /** Sorted, disjoint. */
  private mappings: Mapping[] = [];

  /** Places `length` bytes at the highest free place; answers the address or a negative errno. */
  map(length: bigint, protection: number, populated: boolean): bigint {
    if (length <= 0n) return BigInt(refuse('EINVAL'));
    const size = roundUp(length);
    let end = base;
    for (let index = this.mappings.length - 1; index >= 0; index--) {
      const mapping = this.mappings[index];
      if (mapping === undefined || end - mapping.end >= size) break;
      end = mapping.start;
    }
    const start = end - size;
    if (start < lowest) return BigInt(refuse('ENOMEM'));
    this.mappings.push({
      start,
      end,
      protection,
      touched: populated && (protection & mman.PROT_WRITE) !== 0,
    });
    this.mappings.sort((a, b) => (a.start < b.start ? -1 : 1));
    return start;
  }

  /** As munmap(2): parts of mappings may go, and a range where nothing is mapped is no error. */
  unmap(address: bigint, length: bigint): number {
    if (address % page !== 0n || length <= 0n || address < 0n || address + length > userEnd)
      return refuse('EINVAL');
    const end = address + roundUp(length);
    this.mappings = this.mappings.flatMap((mapping) => {
      if (mapping.end <= address || mapping.start >= end) return [mapping];
      const before = { ...mapping, end: address };
      const after = { ...mapping, start: end };
      return [before, after].filter((part) => part.start < part.end);
    });
    return 0;
  }

  /** Somebody writes to every page of the range. */
  touch(address: bigint, length: bigint): void {
    const end = address + length;
    this.mappings = this.mappings.flatMap((mapping) => {
      if (mapping.touched || mapping.end <= address || mapping.start >= end) return [mapping];
      const start = mapping.start < address ? address : mapping.start;
      const stop = mapping.end > end ? end : mapping.end;
      return [
        { ...mapping, end: start },
        { ...mapping, start, end: stop, touched: true },
        { ...mapping, start: stop },
      ].filter((part) => part.start < part.end);
    });
  }

  /** What the model says of the memory of a range: the least of what its parts are. */
  kindOf(address: bigint, length: bigint): Memory {
    if (!this.covers(address, length, mman.PROT_READ)) return 'none';
    if (!this.covers(address, length, mman.PROT_READ | mman.PROT_WRITE)) return 'read-only';
    const end = address + length;
    const untouched = (its: Mapping) => !its.touched && its.start < end && its.end > address;
    return this.mappings.some(untouched) ? 'untouched' : 'writable';
  }

  /** Whether a range lies where a process may have memory at all (access_ok). */
  isUser(address: bigint, length: bigint): boolean {
    return address + length <= userEnd;
  }

  /** Whether every byte from `address` on is mapped with all of `protection`'s bits. */
  covers(address: bigint, length: bigint, protection: number): boolean {
    let at = address;
    const end = address + length;
    for (const mapping of this.mappings) {
      if (mapping.end <= at) continue;
      if (at >= end) break;
      if (mapping.start > at || (mapping.protection & protection) !== protection) return false;
      at = mapping.end;
    }
    return at >= end;
  }
}

function roundUp(length: bigint): bigint {
  return ((length + page - 1n) / page) * page;
}
