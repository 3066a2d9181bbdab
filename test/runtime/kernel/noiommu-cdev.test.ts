import { expect, it } from 'vitest';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { noiommuGetPa } from '../../../runtime/abi/iommufd.ts';
import { decode, encode } from '../../../runtime/abi/layout.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { bootSandbox } from '../../../runtime/kernel/sandbox.ts';
import { lower } from '../../../runtime/lower/lower.ts';
import { ROOT } from '../../../src/model/world.ts';
import { machine } from '../../machines.ts';

const nic = '0000:03:00.0';
const driver = { driver: 'vfio-pci', driverOverride: 'vfio-pci', class: 'nic' } as const;
const bare = machine({ functions: [{ ...driver, at: nic, id: '8086:10d3', group: 0 }] });
const snapshot = {
  ...bare,
  nodes: [{ path: '/dev/vfio/noiommu-0', uid: 0, gid: 0, mode: 0o600 }],
  kernel: { ...bare.kernel, taint: 64 },
  modules: {
    ...bare.modules,
    vfio: { parameters: { enable_unsafe_noiommu_mode: 'Y' } },
    iommufd: { parameters: {} },
  },
};

it('a device without an IOMMU is used through its cdev, and tells where its memory is', async () => {
  const sandbox = await bootSandbox(snapshot, { profile: 'noiommu-cdev' });
  const process = sandbox.process({
    uid: 0,
    gid: 0,
    groups: [],
    capabilities: ['CAP_DAC_OVERRIDE', 'CAP_SYS_RAWIO'],
  });
  expect(process.list('/dev/vfio/devices')).toEqual(['noiommu-vfio0']);
  expect(process.list('/sys/class/vfio-dev')).toEqual(['noiommu-vfio0']);
  expect(process.list(`/sys/bus/pci/devices/${nic}/vfio-dev`)).toEqual(['noiommu-vfio0']);
  const [fd, iommufd] = ['/dev/vfio/devices/noiommu-vfio0', '/dev/iommu'].map((path) =>
    process.open(path, fcntl.O_RDWR),
  ) as [number, number];
  const ask = (op: object) => lower(process, { pid: ROOT, ...op } as Parameters<typeof lower>[1]);
  expect(ask({ op: 'device.bind_iommufd', fd, iommufd, flags: 0 })).toMatchObject({ out: { out_devid: 1 } });
  expect(ask({ op: 'iommufd.ioas_alloc', fd: iommufd, flags: 0 })).toMatchObject({ out: { out_ioas_id: 2 } });
  const page = process.mmap(
    8192,
    mman.PROT_READ | mman.PROT_WRITE,
    mman.MAP_PRIVATE | mman.MAP_ANONYMOUS,
    -1,
    0n,
  );
  const mapping = { ioas: 2, vaddr: page, length: 8192n, iova: 0n, flags: 7, memory: 'writable' };
  expect(ask({ op: 'iommufd.ioas_map', fd: iommufd, ...mapping })).toMatchObject({ ok: true });
  const getPa = { op: 'iommufd.noiommu_get_pa', fd: iommufd, flags: 0, ioas: 2, iova: 0n, length: 1n };
  expect(ask(getPa)).toMatchObject({ errno: 'EOPNOTSUPP' });
  expect(ask({ op: 'device.attach_ioas', fd, target: 2, flags: 0 })).toMatchObject({ ok: true });
  expect(ask(getPa)).toMatchObject({ ok: true });
  const told = (iova: bigint, length: bigint) => {
    const bytes = encode(noiommuGetPa.layout, {
      size: 40,
      flags: 0,
      ioas_id: 2,
      __reserved: 0,
      iova,
      length,
      out_phys: 0n,
    });
    expect(process.ioctl(iommufd, noiommuGetPa.request, bytes)).toBe(0);
    return decode(noiommuGetPa.layout, bytes);
  };
  const [first, inside, second] = [told(0n, 8192n), told(0x10n, 2n), told(0x1000n, 1n << 40n)];
  expect([first.length, inside.length, second.length]).toEqual([4096n, 2n, 4096n]);
  expect([inside.out_phys - first.out_phys, first.out_phys % 4096n]).toEqual([0x10n, 0n]);
  expect(second.out_phys).not.toBe(first.out_phys);
  sandbox.dispose();
});
