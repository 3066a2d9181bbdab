import { beforeEach, describe, expect, it } from 'vitest';
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { requests } from '../../../runtime/abi/ioctl.ts';
import { decode, encode } from '../../../runtime/abi/layout.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { layouts } from '../../../runtime/abi/vfio.ts';
import { bootSandbox, type Sandbox, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import { machine } from '../../machines.ts';

/**
 * The test vectors T1 to T42 as system calls and bytes. Each was run on real kernels of both versions; where the answers
 * differ, 6.1's stands before 6.12's. R has every capability, U all but CAP_SYS_RAWIO.
 */

const R = {
  uid: 0,
  gid: 0,
  groups: [],
  capabilities: [
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_FOWNER',
    'CAP_SYS_ADMIN',
    'CAP_SYS_MODULE',
    'CAP_SYS_RAWIO',
  ],
};
const U = { ...R, capabilities: ['CAP_DAC_OVERRIDE'] };

const nic = '0000:00:04.0';
const left = '0000:00:05.0';
const right = '0000:00:06.0';

/** A device without a group, and one with a sibling in its group. */
const snapshot = machine({
  functions: [
    { at: nic, id: '8086:10d3', class: 'nic', driver: 'e1000e', group: null },
    { at: left, id: '8086:10d3', class: 'nic', driver: 'e1000e', group: 7 },
    { at: right, id: '8086:10d3', class: 'nic', driver: 'e1000e', group: 7 },
  ],
  drivers: ['vfio-pci', 'pci-stub', 'e1000e'],
});

type Answer = string | number;

/** The errno's name, or the value. */
function said(answer: number | bigint | Uint8Array): Answer {
  if (answer instanceof Uint8Array) return answer.length;
  return errnoOf(Number(answer)) ?? Number(answer);
}

describe.each(['6.1', '6.12'] as const)('vectors on %s', (profile) => {
  const either = (older: Answer, newer: Answer) => (profile === '6.1' ? older : newer);
  let sandbox: Sandbox;
  let r: SimulatedProcess;

  beforeEach(async () => {
    sandbox = await bootSandbox(snapshot, { profile });
    r = sandbox.process(R);
    return () => sandbox.dispose();
  });

  const put = (path: string, text: string, by = r): Answer => {
    const fd = by.open(path, fcntl.O_WRONLY);
    if (fd < 0) return said(fd);
    const answer = by.write(fd, new TextEncoder().encode(text));
    by.close(fd);
    return said(answer);
  };
  const get = (path: string): Answer => {
    const fd = r.open(path, fcntl.O_RDONLY);
    if (fd < 0) return said(fd);
    const bytes = r.read(fd, 4096);
    r.close(fd);
    return typeof bytes === 'number' ? said(bytes) : new TextDecoder().decode(bytes);
  };
  const parameter = (text: string) => put('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode', text);
  const device = (address: string) => `/sys/bus/pci/devices/${address}`;
  const driver = (name: string) => `/sys/bus/pci/drivers/${name}`;
  const container = (by = r) => by.open('/dev/vfio/vfio', fcntl.O_RDWR);
  const extensions = (c: number) =>
    Array.from({ length: 11 }, (_, extension) => r.ioctl(c, requests.VFIO_CHECK_EXTENSION, extension));
  const setIommu = (c: number, type: number, by = r) => said(by.ioctl(c, requests.VFIO_SET_IOMMU, type));

  /** Binds a device to vfio-pci by its override. */
  const take = (address: string): Answer => {
    if (r.readlink(`${device(address)}/driver`) !== -2)
      put(`${device(address)}/driver/unbind`, `${address}\n`);
    put(`${device(address)}/driver_override`, 'vfio-pci\n');
    return put(`${driver('vfio-pci')}/bind`, `${address}\n`);
  };
  const group = (name: string, by = r) => by.open(`/dev/vfio/${name}`, fcntl.O_RDWR);
  const noiommu = () => {
    parameter('Y\n');
    take(nic);
    return group('noiommu-0');
  };
  const real = () => {
    take(left);
    take(right);
    return group('7');
  };
  const attach = (g: number, c: number, by = r) => {
    const memory = new Uint8Array(4);
    new DataView(memory.buffer).setInt32(0, c, true);
    return said(by.ioctl(g, requests.VFIO_GROUP_SET_CONTAINER, memory));
  };
  const status = (g: number): Answer => {
    const memory = encode(layouts.vfio_group_status, { argsz: 8 });
    const answer = r.ioctl(g, requests.VFIO_GROUP_GET_STATUS, memory);
    return answer < 0 ? said(answer) : decode(layouts.vfio_group_status, memory).flags;
  };
  const open = (g: number, name: string, by = r) =>
    by.ioctl(g, requests.VFIO_GROUP_GET_DEVICE_FD, new TextEncoder().encode(`${name}\0`));

  it('T1 to T8: a container without groups', () => {
    const c = container();
    expect(said(r.ioctl(c, requests.VFIO_GET_API_VERSION, 0))).toBe(0);
    expect(extensions(c)).toEqual([0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0]);
    parameter('Y');
    expect(extensions(c)).toEqual([0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0]);
    parameter('N');
    expect(setIommu(c, 1)).toBe('EINVAL');
    expect(setIommu(c, 8)).toBe('EINVAL');
    expect(said(r.ioctl(c, requests.VFIO_IOMMU_MAP_DMA, null))).toBe('EINVAL');
    expect(said(r.ioctl(c, requests.VFIO_IOMMU_MAP_DMA, new Uint8Array(32)))).toBe('EINVAL');
    expect(said(r.ioctl(c, requests.VFIO_GROUP_GET_STATUS, new Uint8Array(8)))).toBe('EINVAL');
    expect(said(r.ioctl(c, 0x1234, 0))).toBe('EINVAL');
    expect(said(r.read(c, 1))).toBe('EINVAL');
    expect(said(r.write(c, new Uint8Array(1)))).toBe('EINVAL');
    expect(said(r.mmap(4096, mman.PROT_READ, mman.MAP_SHARED, c, 0n))).toBe('ENODEV');
    expect(said(r.lseek(c, 0n, fcntl.SEEK_SET))).toBe('ESPIPE');
  });

  it('T9: no group, and none may be made up', () => {
    expect(take(nic)).toBe('EINVAL');
    expect(said(r.readlink(`${device(nic)}/driver`) as number)).toBe('ENOENT');
    expect(r.list('/sys/kernel/iommu_groups')).toEqual(['7']);
    expect(sandbox.kernelLog().at(-1)).toMatch(/probe.*failed with error -22/);
  });

  it('T10: a group is made up', () => {
    parameter('Y');
    expect(take(nic)).toBe(13);
    expect(r.list('/dev/vfio')).toEqual(['noiommu-0', 'vfio']);
    expect(get('/proc/sys/kernel/tainted')).toBe('64\n');
    expect(get('/sys/kernel/iommu_groups/0/name')).toBe('vfio-noiommu\n');
    expect(get('/sys/kernel/iommu_groups/0/type')).toBe('unknown\n');
    expect(get('/sys/kernel/iommu_groups/0/reserved_regions')).toBe('');
    expect(r.list('/sys/kernel/iommu_groups/0/devices')).toEqual([nic]);
    expect(sandbox.kernelLog()).toEqual([
      `vfio-pci ${nic}: Adding to iommu group 0`,
      `vfio-pci ${nic}: Adding kernel taint for vfio-noiommu group on device`,
    ]);
  });

  it('T11 and T12: who may open it', () => {
    const g = noiommu();
    const u = sandbox.process(U);
    expect(said(group('noiommu-0', u))).toBe('EPERM');
    expect(said(group('noiommu-0'))).toBe('EBUSY');
    r.close(g);
    expect(said(group('noiommu-0', u))).toBe('EPERM');
    expect(group('noiommu-0')).toBe(g);
  });

  it('T13: GET_STATUS and its memory', () => {
    const g = noiommu();
    const memory = encode(layouts.vfio_group_status, { argsz: 8 });
    expect(said(r.ioctl(g, requests.VFIO_GROUP_GET_STATUS, memory))).toBe(0);
    expect(decode(layouts.vfio_group_status, memory)).toEqual({ argsz: 8, flags: 1 });
    const short = encode(layouts.vfio_group_status, { argsz: 7 });
    expect(said(r.ioctl(g, requests.VFIO_GROUP_GET_STATUS, short))).toBe('EINVAL');
    expect(said(r.ioctl(g, requests.VFIO_GROUP_GET_STATUS, null))).toBe('EFAULT');
    expect(said(r.ioctl(g, requests.VFIO_GROUP_GET_STATUS, memory.subarray(0, 7)))).toBe('EFAULT');
  });

  it('T14 to T17: a group without a container', () => {
    const g = noiommu();
    expect(said(open(g, nic))).toBe('EINVAL');
    expect(said(open(g, 'nope'))).toBe('ENODEV');
    expect(said(r.ioctl(g, requests.VFIO_GROUP_GET_DEVICE_FD, null))).toBe('EFAULT');
    expect(said(r.ioctl(g, requests.VFIO_GROUP_GET_DEVICE_FD, new Uint8Array(4096).fill(97)))).toBe('EINVAL');
    expect(attach(g, -1)).toBe('EBADF');
    expect(attach(g, r.open('/dev/null', fcntl.O_RDWR))).toBe(either('EINVAL', 'EBADFD'));
    expect(said(r.ioctl(g, requests.VFIO_GROUP_SET_CONTAINER, null))).toBe('EFAULT');
    expect(said(r.ioctl(g, requests.VFIO_GROUP_UNSET_CONTAINER, 0))).toBe('EINVAL');
  });

  it('T18 to T22: in a container', () => {
    const g = noiommu();
    const c = container();
    expect(attach(g, c)).toBe(0);
    expect(attach(g, c)).toBe('EINVAL');
    expect(status(g)).toBe(3);
    expect(said(open(g, nic))).toBe('EINVAL');
    expect(extensions(c)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    for (const type of [1, 3, 9, 0]) expect(setIommu(c, type)).toBe('ENODEV');
  });

  it('T23 to T26: SET_IOMMU without an IOMMU', () => {
    const g = noiommu();
    const c = container();
    attach(g, c);
    const u = sandbox.process(U);
    expect(setIommu(r.pass(c, u), 8, u)).toBe('EPERM');
    parameter('N');
    expect(setIommu(c, 8)).toBe('ENODEV');
    parameter('Y');
    expect(setIommu(c, 8)).toBe(0);
    expect(setIommu(c, 8)).toBe('EINVAL');
    const all = [
      requests.VFIO_IOMMU_GET_INFO,
      requests.VFIO_IOMMU_MAP_DMA,
      requests.VFIO_IOMMU_UNMAP_DMA,
      requests.VFIO_IOMMU_DIRTY_PAGES,
      0xdead,
    ];
    for (const request of all) {
      expect(said(r.ioctl(c, request, null))).toBe('ENOTTY');
      expect(said(r.ioctl(c, request, encode(layouts.vfio_iommu_type1_dma_map, { argsz: 32 })))).toBe(
        'ENOTTY',
      );
    }
  });

  it('T27 to T31: the device', () => {
    const g = noiommu();
    const c = container();
    attach(g, c);
    setIommu(c, 8);
    const d = open(g, nic);
    expect(d).toBeGreaterThanOrEqual(0);
    expect(r.readlink(`/proc/self/fd/${d}`)).toBe('anon_inode:[vfio-device]');
    expect(sandbox.kernelLog().at(-1)).toBe(
      `vfio-pci ${nic}: vfio-noiommu device opened by user (vfioplan:${r.pid})`,
    );
    expect(said(r.ioctl(g, requests.VFIO_GROUP_UNSET_CONTAINER, 0))).toBe('EBUSY');
    const u = sandbox.process(U);
    const again = open(r.pass(g, u), nic, u);
    expect(again >= 0 ? 'fd' : said(again)).toBe(either('EPERM', 'fd'));
    u.exit();
    r.close(g);
    expect(said(group('noiommu-0'))).toBe('EBUSY');
    r.close(d);
    const fresh = group('noiommu-0');
    expect(fresh).toBeGreaterThanOrEqual(0);
    expect(status(fresh)).toBe(1);
  });

  it('T32 to T35: real and made-up groups do not mix', () => {
    const fake = noiommu();
    const whole = real();
    const c = container();
    expect(attach(whole, c)).toBe(0);
    expect(attach(fake, c)).toBe('EPERM');
    r.ioctl(whole, requests.VFIO_GROUP_UNSET_CONTAINER, 0);
    expect(attach(fake, c)).toBe(0);
    expect(attach(whole, c)).toBe('EPERM');
    expect(said(r.ioctl(fake, requests.VFIO_GROUP_UNSET_CONTAINER, 0))).toBe(0);
    expect(attach(whole, c)).toBe(0);
    const u = sandbox.process(U);
    expect(attach(r.pass(fake, u), r.pass(c, u), u)).toBe('EPERM');
  });

  it('T36 to T40: siblings', () => {
    take(left);
    const g = group('7');
    const c = container();
    expect(status(g)).toBe(0);
    expect(attach(g, c)).toBe('EPERM');
    expect(put(`${driver('e1000e')}/unbind`, right)).toBe(12);
    expect(status(g)).toBe(1);
    expect(attach(g, c)).toBe(0);
    expect(put(`${driver('e1000e')}/bind`, right)).toBe('EBUSY');
    expect(put('/sys/bus/pci/drivers_probe', right)).toBe('EINVAL');
    expect(take(right)).toBe(13);
    put(`${driver('vfio-pci')}/unbind`, right);
    put(`${device(right)}/driver_override`, 'pci-stub');
    expect(put(`${driver('pci-stub')}/bind`, right)).toBe(12);
  });

  it('T41 and T42: types of a real container', () => {
    const c = container();
    attach(real(), c);
    expect(setIommu(c, 6)).toBe('EINVAL');
    expect(setIommu(c, 9)).toBe('EINVAL');
    for (const type of [10, 8, 2]) expect(setIommu(c, type)).toBe('ENODEV');
    expect(setIommu(c, 3)).toBe(0);
  });
});
