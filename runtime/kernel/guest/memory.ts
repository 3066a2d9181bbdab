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

/** A process's address space: which addresses are mapped and how, and what somebody wrote there. */
export class AddressSpace {
  /** Sorted, disjoint. */
  private mappings: Mapping[] = [];
  /** By page number. A page that is not here reads as zeros. */
  private readonly contents = new Map<bigint, Uint8Array>();

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
    for (const number of this.contents.keys()) {
      if (number * page >= address && number * page < end) this.contents.delete(number);
    }
    this.mappings = this.mappings.flatMap((mapping) => {
      if (mapping.end <= address || mapping.start >= end) return [mapping];
      const before = { ...mapping, end: address };
      const after = { ...mapping, start: end };
      return [before, after].filter((part) => part.start < part.end);
    });
    return 0;
  }

  /** The bytes from an address on, up to `most`, as far as they may be read. */
  read(address: bigint, most: number): Uint8Array {
    const length = this.reach(address, most, mman.PROT_READ);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const place = Number((address + BigInt(at)) % page);
      const part = Math.min(length - at, Number(page) - place);
      const held = this.contents.get((address + BigInt(at)) / page);
      if (held !== undefined) bytes.set(held.subarray(place, place + part), at);
      at += part;
    }
    return bytes;
  }

  /** Writes as many bytes as may be written from an address on; answers how many. */
  write(address: bigint, bytes: Uint8Array): number {
    const length = this.reach(address, bytes.length, mman.PROT_READ | mman.PROT_WRITE);
    for (let at = 0; at < length; ) {
      const number = (address + BigInt(at)) / page;
      const place = Number((address + BigInt(at)) % page);
      const part = Math.min(length - at, Number(page) - place);
      const held = this.contents.get(number) ?? new Uint8Array(Number(page));
      held.set(bytes.subarray(at, at + part), place);
      this.contents.set(number, held);
      at += part;
    }
    if (length > 0) this.touch(address, BigInt(length));
    return length;
  }

  /** How many bytes from an address on, up to `most`, are mapped with all of `protection`'s bits. */
  private reach(address: bigint, most: number, protection: number): number {
    const end = address + BigInt(most);
    const at = this.reached(address, end, protection);
    return Number((at < end ? at : end) - address);
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
    return this.reached(address, address + length, protection) >= address + length;
  }

  /** The end of what is mapped without a gap from an address on, with all of `protection`'s bits. */
  private reached(address: bigint, end: bigint, protection: number): bigint {
    let at = address;
    for (const mapping of this.mappings) {
      if (mapping.end <= at) continue;
      if (at >= end || mapping.start > at || (mapping.protection & protection) !== protection) break;
      at = mapping.end;
    }
    return at;
  }
}

function roundUp(length: bigint): bigint {
  return ((length + page - 1n) / page) * page;
}
