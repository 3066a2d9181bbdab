import { beforeEach, describe, expect, it } from 'vitest';
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { requests } from '../../../runtime/abi/ioctl.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { bootSandbox, type Sandbox, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import { machine } from '../../machines.ts';

/** A device's file as system calls and bytes, written out here: the test vectors T57 to T66, and what tells bytes alone. */

const nic = '0000:00:05.0';
const snapshot = machine({
  functions: [
    { at: nic, id: '8086:10d3', class: 'nic', driver: 'vfio-pci', driverOverride: 'vfio-pci', group: 7 },
  ],
  drivers: ['vfio-pci'],
});

const root = { uid: 0, gid: 0, groups: [], capabilities: ['CAP_DAC_OVERRIDE', 'CAP_IPC_LOCK'] };

const config = 7n << 40n;

type Answer = string | number;

function said(answer: number | bigint | Uint8Array): Answer {
  if (answer instanceof Uint8Array) return Buffer.from(answer).toString('hex');
  return errnoOf(Number(answer)) ?? Number(answer);
}

/** Words of 32 bits, the lowest byte first. */
function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

describe.each(['6.1', '6.12'] as const)('a device on %s', (profile) => {
  let sandbox: Sandbox;
  let r: SimulatedProcess;
  let c: number;
  let g: number;
  let d: number;

  beforeEach(async () => {
    sandbox = await bootSandbox(snapshot, { profile });
    r = sandbox.process(root);
    c = r.open('/dev/vfio/vfio', fcntl.O_RDWR);
    g = r.open('/dev/vfio/7', fcntl.O_RDWR);
    r.ioctl(g, requests.VFIO_GROUP_SET_CONTAINER, words(c));
    r.ioctl(c, requests.VFIO_SET_IOMMU, 3);
    d = r.ioctl(g, requests.VFIO_GROUP_GET_DEVICE_FD, new TextEncoder().encode(`${nic}\0`));
    return () => sandbox.dispose();
  });

  const irqs = (index: number, flags: number, start: number, ...data: readonly number[]) =>
    said(
      r.ioctl(
        d,
        0x3b6e,
        words(20 + data.length * 4, flags, index, start, flags & 1 ? 0 : data.length, ...data),
      ),
    );

  it('T57, T58: works without its container’s descriptor, and has nine regions', () => {
    r.close(c);
    expect(said(r.ioctl(d, 0x3b6b, words(16, 0, 0, 0)))).toBe(0);
    expect(said(r.ioctl(d, 0x3b6c, words(32, 0, 9, 0, 0, 0, 0, 0)))).toBe('EINVAL');
    expect(said(r.ioctl(d, 0x3b6c, words(31, 0, 0, 0, 0, 0, 0, 0)))).toBe('EINVAL');
  });

  it('T59 to T62: reads, writes and maps its regions', () => {
    expect(said(r.pread(d, 2, config + 0xfffn))).toBe('EFAULT');
    expect(said(r.pread(d, 4, config))).toBe('8680d310');
    expect(said(r.pread(d, 8, 0x1fffcn))).toBe('00000000');
    r.pwrite(d, words(0).subarray(0, 2), config + 4n);
    expect(said(r.pread(d, 4, 0n))).toBe('EIO');
    expect(said(r.read(d, 1))).toBe('EIO');
    r.pwrite(d, words(6).subarray(0, 2), config + 4n);
    expect(said(r.read(d, 4))).toBe('00000000');
    expect(said(r.pread(d, 4, 0x20000n))).toBe('EINVAL');
    expect(said(r.pread(d, 4, 1n << 40n))).toBe('EINVAL');
    expect(said(r.pwrite(d, words(0), 6n << 40n))).toBe('EINVAL');
    const map = (flags: number, offset: bigint) => said(r.mmap(4096, mman.PROT_READ, flags, d, offset));
    expect([map(mman.MAP_SHARED, config), map(mman.MAP_PRIVATE, 0n)]).toEqual(['EINVAL', 'EINVAL']);
    expect(map(mman.MAP_SHARED, 0n)).toBeTypeOf('number');
  });

  it('sizes its BARs', () => {
    r.pwrite(d, words(-1, -1), config + 0x10n);
    expect(said(r.pread(d, 3, config + 0x11n))).toBe('00feff');
  });

  it('says that the MSI-X table can be mapped, in the one BAR that can hold it', () => {
    const small = words(32, 0, 0, 0, 0, 0, 0, 0);
    expect(said(r.ioctl(d, 0x3b6c, small))).toBe(0);
    expect([...new Int32Array(small.buffer)].slice(0, 5)).toEqual([40, 15, 0, 0, 131072]);
    const large = words(40, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(said(r.ioctl(d, 0x3b6c, large))).toBe(0);
    expect([...new Int32Array(large.buffer)]).toEqual([40, 15, 0, 32, 131072, 0, 0, 0, 0x1_0003, 0]);
  });

  it('T63, T64: interrupts', () => {
    const eventfd = r.eventfd(0, fcntl.O_CLOEXEC);
    expect(irqs(5, 36, 0, eventfd)).toBe('EINVAL');
    expect(irqs(1, 9, 0)).toBe('ENOTTY');
    expect(irqs(2, 36, 8, eventfd)).toBe('EINVAL');
    const nothing = r.open('/dev/null', fcntl.O_RDWR);
    expect(irqs(0, 36, 0, nothing)).toBe('EINVAL');
    expect(irqs(0, 36, 0, 99)).toBe('EBADF');
    expect(irqs(0, 36, 0, eventfd)).toBe(0);
    expect(irqs(2, 36, 0, eventfd)).toBe('EINVAL');
    expect(said(r.ioctl(d, 0x3b6e, words(24, 36, 0, 0, 1)))).toBe('EFAULT');
    expect(irqs(0, 33, 0)).toBe(0);
    expect(irqs(2, 36, 0, eventfd, -1)).toBe(0);
  });

  it('T65, T66: requests that it does not know, and features', () => {
    expect(said(r.ioctl(d, 0x1234, 0))).toBe('ENOTTY');
    const feature = (argsz: number, flags: number) =>
      said(r.ioctl(d, 0x3b75, words(argsz, flags, 0, 0, 0, 0)));
    expect([feature(24, 0x30000), feature(24, 0x10064), feature(4, 0x10064)]).toEqual([
      'EINVAL',
      'ENOTTY',
      'EINVAL',
    ]);
    expect([feature(8, 0x40003), feature(8, 0x20003), feature(8, 0x20003)]).toEqual([0, 0, 'EINVAL']);
  });

  it('is on the root bus, which cannot be reset', () => {
    expect(said(r.ioctl(d, 0x3b70, words(1024, 0, 0)))).toBe('ENODEV');
    expect(said(r.ioctl(d, 0x3b71, words(16, 0, 1, g)))).toBe('ENODEV');
  });
});

describe('a bus that can be reset', () => {
  it('names its functions, or says how many there are', async () => {
    const functions = ['0000:03:00.0', '0000:03:00.1'].map((at) => ({
      ...{ at, id: '8086:10d3', class: 'nic', driver: 'vfio-pci', driverOverride: 'vfio-pci', group: 7 },
      slot: ['pci0000:00', '01.0', at.slice(-4)],
    }));
    const sandbox = await bootSandbox(machine({ functions, drivers: ['vfio-pci'] }), { profile: '6.12' });
    const r = sandbox.process(root);
    const c = r.open('/dev/vfio/vfio', fcntl.O_RDWR);
    const g = r.open('/dev/vfio/7', fcntl.O_RDWR);
    r.ioctl(g, requests.VFIO_GROUP_SET_CONTAINER, words(c));
    r.ioctl(c, requests.VFIO_SET_IOMMU, 3);
    const name = new TextEncoder().encode('0000:03:00.0\0');
    const d = r.ioctl(g, requests.VFIO_GROUP_GET_DEVICE_FD, name);
    const small = words(12, 0, 0);
    expect(said(r.ioctl(d, 0x3b70, small))).toBe('ENOSPC');
    expect([...new Int32Array(small.buffer)]).toEqual([12, 0, 2]);
    const large = words(28, 0, 0, 0, 0, 0, 0);
    expect(said(r.ioctl(d, 0x3b70, large))).toBe(0);
    expect([...new Int32Array(large.buffer)]).toEqual([28, 0, 2, 7, 3 << 16, 7, (1 << 24) | (3 << 16)]);
    expect(said(r.ioctl(d, 0x3b71, words(16, 0, 1, g)))).toBe(0);
    expect(said(r.ioctl(d, 0x3b71, words(16, 0, 1, d)))).toBe('EINVAL');
    sandbox.dispose();
  });
});
