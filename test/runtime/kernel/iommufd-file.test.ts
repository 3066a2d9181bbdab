import { beforeEach, describe, expect, it } from 'vitest';
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { requests } from '../../../runtime/abi/ioctl.ts';
import { iommufdRequests } from '../../../runtime/abi/iommufd.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { bootSandbox, type Sandbox, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { machine } from '../../machines.ts';

/** /dev/iommu as system calls and bytes, written out here: ranges in memory that a structure points to, and GET_INFO. */

const nic = '0000:00:05.0';
const msi = { start: '0xfee00000', end: '0xfeefffff', type: 'msi' } as const;
const idle = machine({
  functions: [
    { at: nic, id: '8086:10d3', class: 'nic', driver: 'vfio-pci', driverOverride: 'vfio-pci', group: 7 },
  ],
  reserved: { 7: [msi] },
  drivers: ['vfio-pci'],
});

const snapshot: Snapshot = {
  ...idle,
  modules: { ...idle.modules, iommufd: { parameters: { allow_unsafe_interrupts: 'N' } } },
};

const root = { uid: 0, gid: 0, groups: [], capabilities: ['CAP_DAC_OVERRIDE', 'CAP_IPC_LOCK'] };
const highest = 2n ** 64n - 1n;
const aperture = 2n ** 48n - 1n;

let sandbox: Sandbox;
let r: SimulatedProcess;
let i: number;
let page: bigint;

function said(answer: number): string | number {
  return errnoOf(answer) ?? answer;
}

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function longs(...values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

function map(protection: number): bigint {
  const address = r.mmap(4096, protection, mman.MAP_PRIVATE | mman.MAP_ANONYMOUS, -1, 0n);
  if (typeof address === 'number') throw new Error(`mmap answered ${address}`);
  return address;
}

/** What stands at an address, through /proc/self/mem. */
function peek(address: bigint, length: number): Uint8Array | number {
  const memory = r.open('/proc/self/mem', fcntl.O_RDWR);
  const bytes = r.pread(memory, length, address);
  r.close(memory);
  return bytes;
}

function poke(address: bigint, bytes: Uint8Array): number {
  const memory = r.open('/proc/self/mem', fcntl.O_RDWR);
  const written = r.pwrite(memory, bytes, address);
  r.close(memory);
  return written;
}

const read = (address: bigint, count: number): readonly bigint[] => {
  const bytes = peek(address, count * 8);
  if (typeof bytes === 'number') throw new Error(`pread answered ${bytes}`);
  return [...new BigUint64Array(bytes.slice().buffer)];
};

/** The answer, num_iovas and out_iova_alignment. */
function iovaRanges(ioas: number, room: number, address: bigint): readonly unknown[] {
  const bytes = new Uint8Array(32);
  bytes.set(words(32, ioas, room, 0));
  bytes.set(longs(address, 0n), 16);
  const answer = r.ioctl(i, iommufdRequests.IOMMU_IOAS_IOVA_RANGES, bytes);
  const view = new DataView(bytes.buffer);
  return [said(answer), view.getUint32(8, true), view.getBigUint64(24, true)];
}

function allowIovas(count: number, address: bigint): string | number {
  const bytes = new Uint8Array(24);
  bytes.set(words(24, 1, count, 0));
  bytes.set(longs(address), 16);
  return said(r.ioctl(i, iommufdRequests.IOMMU_IOAS_ALLOW_IOVAS, bytes));
}

/** A device attached to the first address space. */
function attach(): void {
  const d = r.open('/dev/vfio/devices/vfio0', fcntl.O_RDWR);
  expect(r.ioctl(d, requests.VFIO_DEVICE_BIND_IOMMUFD, words(16, 0, i, 0))).toBe(0);
  expect(r.ioctl(d, requests.VFIO_DEVICE_ATTACH_IOMMUFD_PT, words(12, 0, 1))).toBe(0);
}

beforeEach(async () => {
  sandbox = await bootSandbox(snapshot, { profile: '6.12' });
  r = sandbox.process(root);
  i = r.open('/dev/iommu', fcntl.O_RDWR);
  r.ioctl(i, iommufdRequests.IOMMU_IOAS_ALLOC, words(12, 0, 0));
  page = map(mman.PROT_READ | mman.PROT_WRITE);
  return () => sandbox.dispose();
});

describe('IOVA_RANGES', () => {
  it('writes the ranges where the structure says', () => {
    expect(iovaRanges(1, 4, page)).toEqual([0, 1, 1n]);
    expect(read(page, 4)).toEqual([0n, highest, 0n, 0n]);
    attach();
    expect(iovaRanges(1, 4, page + 64n)).toEqual([0, 2, 4096n]);
    expect(read(page + 64n, 4)).toEqual([0n, 0xfedfffffn, 0xfef00000n, aperture]);
  });

  it('tells how many there are where there is no room for all, and those that there is room for', () => {
    attach();
    expect(iovaRanges(1, 1, page)).toEqual(['EMSGSIZE', 2, 4096n]);
    expect(read(page, 4)).toEqual([0n, 0xfedfffffn, 0n, 0n]);
    expect(iovaRanges(1, 0, 0n)).toEqual(['EMSGSIZE', 2, 4096n]);
  });

  it('writes nothing where nothing may be written', () => {
    for (const address of [0n, map(mman.PROT_READ), map(mman.PROT_NONE)]) {
      expect(iovaRanges(1, 4, address)[0]).toBe('EFAULT');
    }
    expect(iovaRanges(9, 4, 0n)[0]).toBe('ENOENT');
  });
});

describe('ALLOW_IOVAS', () => {
  it('reads the ranges where the structure says, one after another', () => {
    poke(page, longs(0x1000n, 0x1fffn, 0x8000n, 0xffffn));
    expect(allowIovas(2, page)).toBe(0);
    // The kernel chooses addresses there alone.
    const mapping = (length: bigint) => {
      const bytes = new Uint8Array(40);
      bytes.set(words(40, 6, 1, 0));
      bytes.set(longs(page, length, 0n), 16);
      return [
        said(r.ioctl(i, iommufdRequests.IOMMU_IOAS_MAP, bytes)),
        new DataView(bytes.buffer).getBigUint64(32, true),
      ];
    };
    expect([mapping(4096n), mapping(4096n)]).toEqual([
      [0, 0x1000n],
      [0, 0x8000n],
    ]);
  });

  it('refuses a range that is none before it reads on, and then what cannot be read', () => {
    poke(page, longs(0x1000n, 0x1fffn, 5n, 5n));
    expect(allowIovas(3, page)).toBe('EINVAL');
    expect(allowIovas(2 ** 32 - 1, page)).toBe('EINVAL');
    poke(page + 4096n - 16n, longs(0x1000n, 0x1fffn));
    r.munmap(page + 4096n, 4096);
    expect([allowIovas(1, page + 4096n - 16n), allowIovas(2, page + 4096n - 16n)]).toEqual([0, 'EFAULT']);
    expect([allowIovas(0, 0n), allowIovas(1, 0n)]).toEqual([0, 'EFAULT']);
  });

  it('asks for conflicts when all was read', () => {
    attach();
    poke(page + 4096n - 16n, longs(0xfee00000n, 0xfee00fffn));
    expect(allowIovas(1, page + 4096n - 16n)).toBe('EADDRINUSE');
    expect(allowIovas(2, page + 4096n - 16n)).toBe('EFAULT');
  });
});

describe('GET_INFO of an iommufd that stands for a container', () => {
  const info = (argsz: number) => {
    const bytes = new Uint8Array(128);
    bytes.set(words(argsz));
    const answer = said(r.ioctl(i, requests.VFIO_IOMMU_GET_INFO, bytes));
    const view = new DataView(bytes.buffer);
    return {
      answer,
      view,
      word: (at: number) => view.getUint32(at, true),
      long: (at: number) => view.getBigUint64(at, true),
    };
  };

  beforeEach(() => {
    expect(r.ioctl(i, iommufdRequests.IOMMU_VFIO_IOAS, words(12, 1, 1))).toBe(0);
    attach();
  });

  it('tells the ranges behind what DMA may still be mapped', () => {
    const { answer, word, long, view } = info(128);
    expect([answer, word(0), word(4), long(8), word(16)]).toEqual([0, 88, 3, 0x40201000n, 24]);
    expect([view.getUint16(24, true), view.getUint16(26, true), word(28), word(32)]).toEqual([
      3, 1, 40, 0xffff_ffff,
    ]);
    expect([view.getUint16(40, true), view.getUint16(42, true), word(44), word(48)]).toEqual([1, 1, 0, 2]);
    expect([long(56), long(64), long(72), long(80)]).toEqual([0n, 0xfedfffffn, 0xfef00000n, aperture]);
  });

  it('writes what there is room for, and says that something is there only where all is', () => {
    const most = info(87);
    expect([most.word(0), most.word(16), most.word(28), most.word(32)]).toEqual([88, 0, 40, 0xffff_ffff]);
    // The head of the ranges stands behind them all, and there is no room for the second.
    expect([most.word(40), most.long(56), most.long(64), most.long(72)]).toEqual([0, 0n, 0xfedfffffn, 0n]);
    const less = info(36);
    expect([less.word(0), less.word(16), less.word(28), less.word(32), less.word(40)]).toEqual([
      88, 0, 0, 0xffff_ffff, 0,
    ]);
    const least = info(16);
    expect([least.word(0), least.word(16), least.word(24)]).toEqual([88, 0, 0]);
  });
});

describe('/proc/self/mem', () => {
  it('is the memory of the process, as far as it is mapped', () => {
    expect(poke(page + 4090n, longs(1n, 2n))).toBe(6);
    expect(peek(page + 4088n, 16)).toEqual(Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 0));
    expect(said(peek(page + 4096n, 1) as number)).toBe('EIO');
    expect(said(poke(0n, longs(1n)))).toBe('EIO');
    r.munmap(page, 4096);
    expect(map(mman.PROT_READ | mman.PROT_WRITE)).toBe(page);
    expect(peek(page, 4096)).toEqual(new Uint8Array(4096));
  });

  it('is where a structure lies whose address is given, and comes back there', () => {
    poke(page, words(12, 0, 77));
    expect(said(r.ioctl(i, iommufdRequests.IOMMU_IOAS_ALLOC, page))).toBe(0);
    expect(peek(page, 12)).toEqual(words(12, 0, 2));
    // What does not fit the page cannot be read.
    poke(page + 4088n, words(12, 0));
    expect(said(r.ioctl(i, iommufdRequests.IOMMU_IOAS_ALLOC, page + 4088n))).toBe('EFAULT');
  });

  it('is nobody else’s', () => {
    const other = sandbox.process({ ...root, uid: 1000, capabilities: [] });
    expect(said(other.open(`/proc/${r.pid}/mem`, fcntl.O_RDONLY))).toBe('EACCES');
    expect(other.open('/proc/self/mem', fcntl.O_RDWR)).toBeGreaterThanOrEqual(3);
  });
});
