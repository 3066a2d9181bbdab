import { beforeEach, describe, expect, it } from 'vitest';
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { requests } from '../../../runtime/abi/ioctl.ts';
import { iommufdRequests } from '../../../runtime/abi/iommufd.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { bootSandbox, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { intelUnit, machine } from '../../machines.ts';

/** Page tables of iommufd as system calls and bytes, written out here. */

const nic = '0000:00:05.0';
const idle = machine({
  functions: [
    {
      ...{ at: nic, id: '8086:10d3', class: 'nic', group: 7, iommuUnit: 'dmar0' },
      ...{ driver: 'vfio-pci', driverOverride: 'vfio-pci' },
    },
  ],
  drivers: ['vfio-pci'],
});

const snapshot: Snapshot = {
  ...idle,
  iommu: { ...idle.iommu, translation: [{ ...intelUnit, dirtyTracking: true }] },
  modules: { ...idle.modules, iommufd: { parameters: { allow_unsafe_interrupts: 'N' } } },
};

const root = { uid: 0, gid: 0, groups: [], capabilities: ['CAP_DAC_OVERRIDE', 'CAP_IPC_LOCK'] };

let r: SimulatedProcess;
let i: number;
let page: bigint;

const said = (answer: number): string | number => errnoOf(answer) ?? answer;

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function map(protection: number): bigint {
  const address = r.mmap(4096, protection, mman.MAP_PRIVATE | mman.MAP_ANONYMOUS, -1, 0n);
  if (typeof address === 'number') throw new Error(`mmap answered ${address}`);
  return address;
}

/** What stands at an address, through /proc/self/mem; `bytes` are put there first. */
function memoryAt(address: bigint, length: number, bytes?: Uint8Array): Uint8Array {
  const memory = r.open('/proc/self/mem', fcntl.O_RDWR);
  if (bytes !== undefined) r.pwrite(memory, bytes, address);
  const read = r.pread(memory, length, address);
  r.close(memory);
  if (typeof read === 'number') throw new Error(`pread answered ${read}`);
  return read;
}

/** GET_HW_INFO of the device with id 1: the answer, and the words of the structure behind the first three. */
function hwInfo(length: number, address: bigint, size = 40, memory = size): readonly unknown[] {
  const bytes = new Uint8Array(Math.max(memory, 40));
  bytes.set(words(size, 0, 1, length));
  new DataView(bytes.buffer).setBigUint64(16, address, true);
  const given = bytes.slice(0, memory);
  const answer = said(r.ioctl(i, iommufdRequests.IOMMU_GET_HW_INFO, given));
  return [answer, ...new Uint32Array(given.buffer.slice(12, memory))];
}

const [low, high] = [(address: bigint) => Number(address & 0xffffffffn), (a: bigint) => Number(a >> 32n)];

beforeEach(async () => {
  const sandbox = await bootSandbox(snapshot, { profile: '6.12' });
  r = sandbox.process(root);
  i = r.open('/dev/iommu', fcntl.O_RDWR);
  page = map(mman.PROT_READ | mman.PROT_WRITE);
  const d = r.open('/dev/vfio/devices/vfio0', fcntl.O_RDWR);
  expect(r.ioctl(d, requests.VFIO_DEVICE_BIND_IOMMUFD, words(16, 0, i, 0))).toBe(0);
  expect(r.ioctl(i, iommufdRequests.IOMMU_IOAS_ALLOC, words(12, 0, 0))).toBe(0);
  return () => sandbox.dispose();
});

describe('GET_HW_INFO', () => {
  it('writes the registers that sysfs shows, as far as there is room, and zeros behind them', () => {
    const register = (name: string): bigint => {
      const fd = r.open(`/sys/class/iommu/dmar0/intel-iommu/${name}`, fcntl.O_RDONLY);
      const bytes = r.read(fd, 64);
      r.close(fd);
      return BigInt(`0x${new TextDecoder().decode(typeof bytes === 'number' ? undefined : bytes).trim()}`);
    };
    memoryAt(page, 0, new Uint8Array(64).fill(0xff));
    expect(hwInfo(32, page)).toEqual([0, 24, low(page), high(page), 1, 0, 1, 0]);
    const whole = memoryAt(page, 40);
    expect([...new BigUint64Array(whole.slice(0, 32).buffer)]).toEqual([
      1n,
      register('cap'),
      register('ecap'),
      0n,
    ]);
    expect([...whole.slice(32)]).toEqual(Array(8).fill(0xff));
    memoryAt(page, 0, new Uint8Array(64).fill(0xff));
    expect(hwInfo(10, page)[0]).toBe(0);
    const part = memoryAt(page, 24);
    expect([...part.slice(0, 10)]).toEqual([...whole.slice(0, 10)]);
    expect([...part.slice(10)]).toEqual(Array(14).fill(0xff));
  });

  it('writes nothing where nothing is asked for, and nowhere where nothing may be written', () => {
    expect(hwInfo(0, 0n)).toEqual([0, 24, 0, 0, 1, 0, 1, 0]);
    for (const address of [0n, map(mman.PROT_READ), page + 4090n])
      expect(hwInfo(24, address)[0]).toBe('EFAULT');
  });

  it('takes the structure without its last field, and no more than that away', () => {
    expect(hwInfo(0, 0n, 32)).toEqual([0, 24, 0, 0, 1, 0]);
    expect(hwInfo(0, 0n, 31, 40)[0]).toBe('EINVAL');
    expect(hwInfo(0, 0n, 40, 32)[0]).toBe('EFAULT');
  });
});

describe('HWPT_ALLOC', () => {
  const alloc = (given: Uint8Array) => said(r.ioctl(i, iommufdRequests.IOMMU_HWPT_ALLOC, given));

  it('answers the id, whether the structure has what came later or not', () => {
    const whole = words(48, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0);
    const short = words(24, 0, 1, 2, 0, 0);
    expect([alloc(whole), alloc(short)]).toEqual([0, 0]);
    expect([new Uint32Array(whole.buffer)[4], new Uint32Array(short.buffer)[4]]).toEqual([3, 4]);
    expect(alloc(words(48, 0, 1, 2, 0, 0))).toBe('EFAULT');
  });

  it('reads a type of data where the structure has it, and its length as none where it has not', () => {
    expect(alloc(words(24, 0, 1, 2, 0, 0, 1, 24))).toBe(0);
    expect(alloc(words(28, 0, 1, 2, 0, 0, 1, 24))).toBe('EINVAL');
    expect(alloc(words(32, 0, 1, 2, 0, 0, 1, 24))).toBe('EOPNOTSUPP');
  });

  it('makes a table that tracks dirty pages for a unit that can, of which no bit is ever set', () => {
    const its = words(48, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(alloc(its)).toBe(0);
    expect(said(r.ioctl(i, iommufdRequests.IOMMU_HWPT_SET_DIRTY_TRACKING, words(16, 1, 3, 0)))).toBe(0);
    const get = new Uint8Array(48);
    get.set(words(48, 3, 0, 0));
    get.set(new Uint8Array(BigUint64Array.of(0n, 0x8000n, 4096n, page).buffer), 16);
    memoryAt(page, 0, Uint8Array.of(0x50));
    expect(said(r.ioctl(i, iommufdRequests.IOMMU_HWPT_GET_DIRTY_BITMAP, get))).toBe(0);
    expect([...memoryAt(page, 1)]).toEqual([0x50]);
  });
});

it('HWPT_INVALIDATE says that no entry was handled, when it refuses too', () => {
  const its = words(32, 3, 1, 0, 0, 24, 7, 0);
  expect(said(r.ioctl(i, iommufdRequests.IOMMU_HWPT_INVALIDATE, its))).toBe('ENOENT');
  expect(new Uint32Array(its.buffer)[6]).toBe(0);
  const short = words(28, 3, 1, 0, 0, 24, 7, 0);
  expect(said(r.ioctl(i, iommufdRequests.IOMMU_HWPT_INVALIDATE, short))).toBe('EINVAL');
  expect(new Uint32Array(short.buffer)[6]).toBe(7);
});

describe('a queue of page faults', () => {
  let queue: number;
  beforeEach(() => {
    const its = words(16, 0, 0, 0);
    expect(r.ioctl(i, iommufdRequests.IOMMU_FAULT_QUEUE_ALLOC, its)).toBe(0);
    const [, , id = 0, fd = 0] = new Uint32Array(its.buffer);
    expect(id).toBe(3);
    queue = fd;
  });

  it('has nothing to read and takes no response', () => {
    const read = r.read(queue, 80);
    expect(read).toEqual(new Uint8Array(0));
    expect(said(Number(r.read(queue, 39)))).toBe('ESPIPE');
    expect([0, 4, 8].map((length) => said(r.write(queue, new Uint8Array(length))))).toEqual([
      ...[0, 'ESPIPE', 'EINVAL'],
    ]);
    expect(said(Number(r.pread(queue, 40, 0n)))).toBe('ESPIPE');
    expect(said(r.pwrite(queue, new Uint8Array(8), 0n))).toBe('ESPIPE');
    expect(said(r.ioctl(queue, iommufdRequests.IOMMU_DESTROY, words(8, 3)))).toBe('ENOTTY');
  });

  it('goes by its id once it is closed', () => {
    const destroy = () => said(r.ioctl(i, iommufdRequests.IOMMU_DESTROY, words(8, 3)));
    expect(destroy()).toBe('EBUSY');
    r.close(queue);
    expect([destroy(), destroy()]).toEqual([0, 'ENOENT']);
  });
});
