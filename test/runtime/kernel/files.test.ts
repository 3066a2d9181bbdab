import { beforeEach, describe, expect, it } from 'vitest';
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { WouldBlock } from '../../../runtime/backend.ts';
import { bootSandbox, type Sandbox, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import { machine } from '../../machines.ts';

const root = {
  uid: 0,
  gid: 0,
  groups: [],
  capabilities: ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_SYS_ADMIN', 'CAP_SYS_RAWIO'],
};
const user = { uid: 1000, gid: 1000, groups: [27], capabilities: [] };

const bridge = '0000:00:1c.0';
const nic = '0000:03:00.0';
const snapshot = machine({
  functions: [
    { at: bridge, id: '8086:a110', class: 'bridge', driver: 'pcieport', slot: ['pci0000:00', '1c.0'] },
    {
      at: nic,
      id: '8086:1572',
      class: 'nic',
      driver: 'vfio-pci',
      driverOverride: 'vfio-pci',
      slot: ['pci0000:00', '1c.0', '00.0'],
    },
    { at: '0000:04:00.0', id: '8086:1572', class: 'nic', driver: null, slot: { unknown: 'not told' } },
  ],
});
const group = (snapshot.functions.find(({ address }) => address === nic)?.iommuGroup ?? 0) as number;
const its = `/sys/bus/pci/devices/${nic}`;

function said(answer: number | bigint | string | Uint8Array | readonly string[] | object): unknown {
  if (answer instanceof Uint8Array) return new TextDecoder().decode(answer);
  return typeof answer === 'number' ? (errnoOf(answer) ?? answer) : answer;
}

describe('files of the simulated kernel', () => {
  let sandbox: Sandbox;
  let process: SimulatedProcess;
  beforeEach(async () => {
    sandbox = await bootSandbox(snapshot);
    process = sandbox.process(root);
    return () => sandbox.dispose();
  });

  const write = (path: string, text: string, by = process) => {
    const fd = by.open(path, fcntl.O_WRONLY);
    if (fd < 0) return said(fd);
    const answer = by.write(fd, new TextEncoder().encode(text));
    by.close(fd);
    return said(answer);
  };
  const read = (path: string, by = process) => {
    const fd = by.open(path, fcntl.O_RDONLY);
    if (fd < 0) return said(fd);
    const answer = by.read(fd, 4096);
    by.close(fd);
    return said(answer);
  };

  it('lie behind their bridges, and by address', () => {
    expect(process.readlink(its)).toBe(`../../../devices/pci0000:00/${bridge}/${nic}`);
    expect(process.list(`/sys/devices/pci0000:00/${bridge}`)).toContain(nic);
    expect(process.readlink(`${its}/iommu_group`)).toBe(`../../../../kernel/iommu_groups/${group}`);
    expect(process.readlink(`/sys/kernel/iommu_groups/${group}/devices/${nic}`)).toBe(
      `../../../../devices/pci0000:00/${bridge}/${nic}`,
    );
    expect(said(process.readlink('/sys/bus/pci/devices/0000:04:00.0'))).toBe('EINVAL');
    expect(read('/sys/bus/pci/devices/0000:04:00.0/vendor')).toBe('0x8086\n');
  });

  it('show what the snapshot knows, and only that', () => {
    expect(read(`${its}/vendor`)).toBe('0x8086\n');
    expect(read(`${its}/device`)).toBe('0x1572\n');
    expect(read(`${its}/class`)).toBe('0x020000\n');
    expect(read(`${its}/driver_override`)).toBe('vfio-pci\n');
    expect(read('/sys/bus/pci/devices/0000:04:00.0/driver_override')).toBe('(null)\n');
    expect(read(`${its}/no_such_file`)).toBe('ENOENT');
    expect(read(`${its}/vendor/deeper`)).toBe('ENOTDIR');
  });

  it('refuse a direction that they lack, to root too', () => {
    expect(read('/sys/bus/pci/drivers/vfio-pci/bind')).toBe('EACCES');
    expect(said(process.open(`${its}/vendor`, fcntl.O_RDWR))).toBe('EACCES');
    expect(read(`${its}/driver_override`, sandbox.process(user))).toBe('vfio-pci\n');
    expect(write(`${its}/driver_override`, 'x', sandbox.process(user))).toBe('EACCES');
  });

  it('answer open(2) as the file system does', () => {
    const open = (path: string, flags: number) => said(process.open(path, flags));
    expect(open('', fcntl.O_RDONLY)).toBe('ENOENT');
    expect(open('/sys/bus', fcntl.O_RDWR)).toBe('EISDIR');
    expect(open(`${its}/vendor`, fcntl.O_DIRECTORY)).toBe('ENOTDIR');
    expect(open(its, fcntl.O_NOFOLLOW)).toBe('errno 40');
    expect(open(`${its}/new_file`, fcntl.O_WRONLY | fcntl.O_CREAT)).toBe('EACCES');
    expect(open(`${its}/vendor`, fcntl.O_CREAT | fcntl.O_EXCL)).toBe('EEXIST');
    expect(open(`/${'a'.repeat(300)}`, fcntl.O_RDONLY)).toBe('errno 36');
    expect(open(`/${'a/'.repeat(3000)}`, fcntl.O_RDONLY)).toBe('errno 36');
    expect(open(`${its}/../../../bus/pci`, fcntl.O_RDONLY)).toBe('ENOENT');
    expect(open('/sys/./bus//pci/', fcntl.O_RDONLY)).toBe(3);
    expect(open('/dev/null', fcntl.O_RDWR)).toBe(4);
    process.close(3);
    expect(open('/dev/null', fcntl.O_RDWR)).toBe(3);
  });

  it('keep a position, and make their text when read from the start', () => {
    const fd = process.open(`${its}/driver_override`, fcntl.O_RDWR);
    expect(said(process.read(fd, 4))).toBe('vfio');
    expect(said(process.read(fd, 100))).toBe('-pci\n');
    expect(said(process.read(fd, 100))).toBe('');
    expect(process.write(fd, new TextEncoder().encode('\n'))).toBe(1);
    expect(process.lseek(fd, 0n, fcntl.SEEK_SET)).toBe(0);
    expect(said(process.read(fd, 100))).toBe('(null)\n');
    expect(process.write(fd, new Uint8Array(0))).toBe(0);
    expect(said(process.pread(fd, 1, -1n))).toBe('EINVAL');
    expect(said(process.ioctl(fd, 0x3b64, 0))).toBe('ENOTTY');
    expect(said(process.mmap(4096, mman.PROT_READ, mman.MAP_SHARED, fd, 0n))).toBe('ENODEV');
  });

  it('know which way a descriptor was opened', () => {
    const reader = process.open(`${its}/driver_override`, fcntl.O_RDONLY);
    const writer = process.open(`${its}/driver_override`, fcntl.O_WRONLY);
    expect(said(process.write(reader, new Uint8Array(1)))).toBe('EBADF');
    expect(said(process.read(writer, 1))).toBe('EBADF');
    expect(said(process.read(99, 1))).toBe('EBADF');
    expect(said(process.close(99))).toBe('EBADF');
  });

  it('answer 64 bytes of config space to who is not root, all to root', () => {
    const fd = process.open(`${its}/config`, fcntl.O_RDONLY);
    const whole = process.read(fd, 65536);
    expect(whole instanceof Uint8Array && whole.length).toBe(4096);
    const other = sandbox.process(user);
    const head = other.read(other.open(`${its}/config`, fcntl.O_RDONLY), 65536);
    expect(head instanceof Uint8Array && [head.length, head[0], head[1]]).toEqual([64, 0x86, 0x80]);
  });

  it('belong to whom they were given', () => {
    const node = `/dev/vfio/${group}`;
    const other = sandbox.process(user);
    expect(said(other.open(node, fcntl.O_RDWR))).toBe('EACCES');
    expect(said(other.chown(node, 1000, 1000))).toBe('EPERM');
    expect(process.chown(node, 1000, 27)).toBe(0);
    expect(process.chmod(node, 0o660)).toBe(0);
    expect(process.stat(node)).toEqual({ type: 'character', mode: 0o660, uid: 1000, gid: 27, size: 0 });
    expect(other.open(node, fcntl.O_RDWR)).toBe(3);
    other.close(3);
    other.become({ ...user, uid: 1001 });
    expect(other.open(node, fcntl.O_RDWR)).toBe(3);
    other.close(3);
    other.become({ ...user, uid: 1001, groups: [] });
    expect(said(other.open(node, fcntl.O_RDWR))).toBe('EACCES');
  });

  it('of /proc show the caller, and who holds what', () => {
    const fd = process.open(`/dev/vfio/${group}`, fcntl.O_RDWR);
    expect(process.readlink('/proc/self')).toBe(`${process.pid}`);
    expect(process.readlink(`/proc/${process.pid}/fd/${fd}`)).toBe(`/dev/vfio/${group}`);
    expect(said(sandbox.process(user).list(`/proc/${process.pid}/fd`))).toBe('EACCES');
    expect(read('/proc/self/status')).toContain('CapEff:\t000000000022000b\n');
    process.exit();
    expect(sandbox.process(root).list('/proc')).not.toContain(`${process.pid}`);
  });

  it('say so where Linux would wait', () => {
    const descriptor = new Uint8Array(4);
    const container = process.open('/dev/vfio/vfio', fcntl.O_RDWR);
    const held = process.open(`/dev/vfio/${group}`, fcntl.O_RDWR);
    new DataView(descriptor.buffer).setInt32(0, container, true);
    expect(process.ioctl(held, 0x3b68, descriptor)).toBe(0);
    expect(process.ioctl(container, 0x3b66, 1)).toBe(0);
    const device = process.ioctl(held, 0x3b6a, new TextEncoder().encode(`${nic}\0`));
    const directory = `/sys/bus/pci/devices/${nic}`;
    expect(() => write('/sys/bus/pci/drivers/vfio-pci/unbind', nic)).toThrow(WouldBlock);
    expect(said(process.readlink(`${directory}/driver`) as number)).toBe('ENOENT');
    expect(process.list('/sys/bus/pci/drivers/vfio-pci')).not.toContain(nic);
    expect(said(process.list(`${directory}/vfio-dev`) as number)).toBe('ENOENT');
    expect(process.list('/sys/class/vfio-dev')).toEqual([]);
    expect(said(process.ioctl(held, 0x3b6a, new TextEncoder().encode(`${nic}\0`)))).toBe('ENODEV');
    expect(process.stat(`/dev/vfio/${group}`)).toMatchObject({ type: 'character' });
    process.close(device);
    expect(said(process.stat(`/dev/vfio/${group}`) as number)).toBe('ENOENT');
    expect(said(write('/sys/bus/pci/drivers/vfio-pci/unbind', nic) as number)).toBe('ENODEV');
  });
});
