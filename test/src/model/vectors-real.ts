import { ROOT } from '../../../src/model/world.ts';
import { bareToo, pair, sibling, single } from './machine.ts';
import type { Session } from './session.ts';
import { descriptor, fake, fakeInContainer, number, realInContainer, U, type Vector } from './vector.ts';

/** Groups with an IOMMU, mixing, mappings, devices and the driver core. */
export const realVectors: readonly Vector[] = [
  {
    id: 'T32',
    sequence: 'a real group in the container, then a noiommu group',
    run: (s) => {
      fake(s);
      const { c } = realInContainer(s);
      return [s.setContainer(s.open('noiommu-0'), c)];
    },
    expected: ['EPERM'],
  },
  {
    id: 'T33',
    sequence: 'a noiommu group in the container, then a real group',
    run: (s) => {
      const { c } = fakeInContainer(s);
      s.take(single);
      return [s.setContainer(s.open('8'), c), s.groupOf(single)?.ownerCount];
    },
    expected: ['EPERM', 0],
  },
  {
    id: 'T34',
    sequence: 'as T32 by U, who brings the noiommu group: the capability is asked first',
    run: (s) => {
      fake(s);
      const { c } = realInContainer(s);
      const g = s.pass(s.open('noiommu-0'));
      const answer = s.setContainer(g, s.pass(c), U);
      return [answer, s.guards.has('group.set_container.rawio'), s.guards.has('group.set_container.mixing')];
    },
    expected: ['EPERM', true, false],
  },
  {
    id: 'T35',
    sequence: 'attach a noiommu group, unset, attach a real group',
    run: (s) => {
      fake(s);
      s.take(single);
      const c = s.open('vfio');
      const fakeGroup = s.open('noiommu-0');
      return [s.setContainer(fakeGroup, c), s.unsetContainer(fakeGroup), s.setContainer(s.open('8'), c)];
    },
    expected: [0, 0, 0],
  },
  {
    id: 'T36',
    sequence: 'a real group with a host-bound sibling: GET_STATUS; SET_CONTAINER',
    run: (s) => {
      s.take(pair);
      const g = s.open('7');
      return [s.status(g), s.setContainer(g, s.open('vfio'))];
    },
    expected: [0, 'EPERM'],
  },
  {
    id: 'T37',
    sequence: 'unbind the sibling: GET_STATUS; SET_CONTAINER',
    run: (s) => {
      s.take(pair);
      s.unbind(sibling);
      const g = s.open('7');
      return [s.status(g), s.setContainer(g, s.open('vfio'))];
    },
    expected: [1, 0],
  },
  {
    id: 'T38',
    sequence: 'bind the sibling to its host driver now',
    run: (s) => {
      claimedPair(s);
      return [s.bind(sibling, 'e1000e')];
    },
    expected: ['EBUSY'],
  },
  {
    id: 'T39',
    sequence: 'the same through drivers_probe',
    run: (s) => {
      claimedPair(s);
      return [s.call({ op: 'drivers.probe', pid: ROOT, device: sibling }), s.of(sibling)?.driver];
    },
    expected: ['EINVAL', null],
  },
  {
    id: 'T40',
    sequence: 'bind the sibling to vfio-pci and to pci-stub now',
    run: (s) => {
      claimedPair(s);
      s.override(sibling);
      const vfio = s.bind(sibling);
      s.unbind(sibling, 'vfio-pci');
      s.override(sibling, 'pci-stub');
      return [vfio, s.bind(sibling, 'pci-stub')];
    },
    expected: [sibling.length, sibling.length],
  },
  {
    id: 'T41',
    sequence: 'SET_IOMMU(6) on x86, then SET_IOMMU(3)',
    run: (s) => {
      const { c } = realInContainer(s);
      return [s.setIommu(c, 6), s.setIommu(c, 3)];
    },
    expected: ['EINVAL', 0],
  },
  {
    id: 'T42',
    sequence: 'SET_IOMMU(9), (10), (8), (2) on a real group',
    run: (s) => {
      s.parameter('Y');
      const { c } = realInContainer(s);
      return [9, 10, 8, 2].map((type) => s.setIommu(c, type));
    },
    expected: ['EINVAL', 'ENODEV', 'ENODEV', 'ENODEV'],
  },
  {
    id: 'T43',
    sequence: 'MAP 4 KiB; same again; overlapping bigger',
    run: (s) => {
      const { c } = realInContainer(s, 3);
      return [s.map(c, 0n, 4096n), s.map(c, 0n, 4096n), s.map(c, 0n, 8192n)];
    },
    expected: [0, 'EEXIST', 'EEXIST'],
  },
  {
    id: 'T44',
    sequence: 'MAP of size 0, of 100, at iova 0x10, at vaddr+1',
    run: (s) => {
      const { c } = realInContainer(s, 3);
      return [
        s.map(c, 0n, 0n),
        s.map(c, 0n, 100n),
        s.map(c, 0x10n, 4096n),
        s.map(c, 0n, 4096n, { vaddr: 0x1001n }),
      ];
    },
    expected: ['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL'],
  },
  {
    id: 'T45',
    sequence: 'MAP with flags 0, 8, READ|VADDR',
    run: (s) => {
      const { c } = realInContainer(s, 3);
      return [0, 8, 5].map((flags) => s.map(c, 0n, 4096n, { flags }));
    },
    expected: ['EINVAL', 'EINVAL', 'EINVAL'],
  },
  {
    id: 'T46',
    sequence: 'MAP VADDR of nothing, of a mapping not invalidated',
    run: (s) => {
      const { c } = realInContainer(s, 3);
      const nothing = s.map(c, 0n, 4096n, { flags: 4 });
      s.map(c, 0n, 4096n);
      return [nothing, s.map(c, 0n, 4096n, { flags: 4 })];
    },
    expected: ['ENOENT', 'EINVAL'],
  },
  {
    id: 'T47',
    sequence: 'MAP in the MSI window',
    run: (s) => [s.map(realInContainer(s, 3).c, 0xfee00000n, 4096n)],
    expected: ['EINVAL'],
  },
  {
    id: 'T48',
    sequence: 'MAP of memory that is not there',
    run: (s) => [s.map(realInContainer(s, 3).c, 0n, 4096n, { memory: 'none' })],
    expected: ['EFAULT'],
  },
  {
    id: 'T49',
    sequence: 'dma_entry_limit 1 before SET_IOMMU; two maps; a bad iova',
    run: (s) => {
      const { c } = realInContainer(s);
      s.call({
        op: 'parameter.write',
        pid: ROOT,
        module: 'vfio_iommu_type1',
        parameter: 'dma_entry_limit',
        text: '1',
      });
      s.setIommu(c, 3);
      return [s.map(c, 0n, 4096n), s.map(c, 4096n, 4096n), s.map(c, 0xfee00000n, 4096n)];
    },
    expected: [0, 'ENOSPC', 'ENOSPC'],
  },
  {
    id: 'T50',
    sequence: 'RLIMIT_MEMLOCK of 16 pages; map 17 as U, then 16',
    run: (s) => {
      const c = s.pass(realInContainer(s, 3).c);
      return [s.map(c, 0n, 0x11000n, { pid: U }), s.map(c, 0n, 0x10000n, { pid: U })];
    },
    expected: ['ENOMEM', 0],
  },
  {
    id: 'T51',
    sequence: 'v2: map 2 pages, unmap the first',
    run: (s) => {
      const { c } = realInContainer(s, 3);
      s.map(c, 0n, 0x2000n);
      return [s.unmap(c, 0n, 0x1000n)];
    },
    expected: ['EINVAL'],
  },
  {
    id: 'T52',
    sequence: 'v1: the same',
    run: (s) => {
      const { c } = realInContainer(s, 1);
      s.map(c, 0n, 0x2000n);
      return [s.unmap(c, 0n, 0x1000n)];
    },
    expected: [0x2000n],
  },
  {
    id: 'T53',
    sequence: 'v1: unmap the second page',
    run: (s) => {
      const { c } = realInContainer(s, 1);
      s.map(c, 0n, 0x2000n);
      return [s.unmap(c, 0x1000n, 0x1000n)];
    },
    expected: [0n],
  },
  {
    id: 'T54',
    sequence: 'UNMAP with nothing mapped',
    run: (s) => [s.unmap(realInContainer(s, 3).c, 0n, 0x1000n)],
    expected: [0n],
  },
  {
    id: 'T55',
    sequence: 'UNMAP ALL with a size, with 0 and 0',
    run: (s) => {
      const { c } = realInContainer(s, 3);
      s.map(c, 0n, 0x2000n);
      return [s.unmap(c, 0n, 0x1000n, { flags: 2 }), s.unmap(c, 0n, 0n, { flags: 2 })];
    },
    expected: ['EINVAL', 0x2000n],
  },
  {
    id: 'T56',
    sequence: 'DIRTY_PAGES START on the first version, on the second, with two flags',
    run: (s) => {
      const { c: first, g } = realInContainer(s, 1);
      const refused = s.dirty(first, 1);
      s.unsetContainer(g);
      const c = s.open('vfio');
      s.setContainer(g, c);
      s.setIommu(c, 3);
      return [refused, s.dirty(c, 1), s.dirty(c, 3)];
    },
    expected: ['EACCES', 0, 'EINVAL'],
  },
  {
    id: 'T57',
    sequence: 'close the container alone; the device still works; GET_STATUS',
    run: (s) => {
      const { c, g } = realInContainer(s, 3);
      const d = Number(s.device(g, single));
      s.close(c);
      return [s.call({ op: 'device.get_info', pid: ROOT, fd: d }), s.status(g)];
    },
    expected: [0, 3],
  },
  {
    id: 'T58',
    sequence: 'GET_REGION_INFO of index 9, with argsz 31',
    run: (s) => {
      const { g } = realInContainer(s, 3);
      const fd = Number(s.device(g, single));
      return [
        s.call({ op: 'device.region_info', pid: ROOT, fd, index: 9 }),
        s.call({ op: 'device.region_info', pid: ROOT, fd, index: 0, argsz: 31 }),
      ];
    },
    expected: ['EINVAL', 'EINVAL'],
  },
  {
    id: 'T65',
    sequence: 'an unknown ioctl on a group, on a device',
    run: (s) => {
      const { g } = realInContainer(s, 3);
      return [s.ioctl(g, 0x1234), s.ioctl(Number(s.device(g, single)), 0x1234)];
    },
    expected: ['ENOTTY', 'ENOTTY'],
  },
  {
    id: 'T68',
    sequence: 'GET_DEVICE_FD of the name with a trailing space',
    run: (s) => [descriptor(s.device(realInContainer(s, 3).g, `${single} `))],
    expected: [number],
  },
  {
    id: 'T69',
    sequence: 'GET_DEVICE_FD with more behind the name',
    run: (s) => {
      const { g } = realInContainer(s, 3);
      return ['x', ' foo=1', ' vf_token=short'].map((rest) => s.device(g, single + rest));
    },
    expected: ['ENODEV', 'EINVAL', 'EINVAL'],
  },
  {
    id: 'T70',
    sequence: 'a valid token on a plain device',
    run: (s) => [
      s.device(realInContainer(s, 3).g, `${single} vf_token=8e7ea7ad-0c76-4f8c-a5a6-5d5c7b4b6a00`),
    ],
    expected: ['EINVAL'],
  },
  {
    id: 'T73',
    sequence: 'bind an unknown device, a bound one with a matching and another driver',
    run: (s) => [s.bind('0000:ff:00.0', 'e1000e'), s.bind(pair, 'e1000e'), s.bind(pair, 'pcieport')],
    expected: ['ENODEV', 'EBUSY', 'ENODEV'],
  },
  {
    id: 'T74',
    sequence: "unbind another driver's device",
    run: (s) => [s.unbind(pair, 'pcieport')],
    expected: ['ENODEV'],
  },
  {
    id: 'T75',
    sequence: 'drivers_probe of a device whose only match fails',
    run: (s) => {
      s.unbind(bareToo);
      s.override(bareToo);
      return [s.call({ op: 'drivers.probe', pid: ROOT, device: bareToo }), s.of(bareToo)?.driver];
    },
    expected: [bareToo.length, null],
  },
  {
    id: 'T77',
    sequence:
      'unbind while the device is open: the driver link; the state of the group; GET_DEVICE_FD; after the last close: the driver, and the state of the group',
    run: (s) => {
      const { g } = realInContainer(s, 3);
      const d = Number(s.device(g, single));
      const held = s.unbind(single, 'vfio-pci');
      const link = s.shows(`/sys/bus/pci/devices/${single}/driver`);
      const state = s.status(g);
      const again = s.device(g, single);
      s.close(d);
      const both = s.of(single)?.driver;
      if (typeof again === 'number') s.close(again);
      return [held, link, state, descriptor(again), both, s.of(single)?.driver, s.status(g)];
    },
    expected: {
      '6.1': [`blocked by ${ROOT}`, null, 3, number, 'vfio-pci', null, 'ENODEV'],
      '6.12': [`blocked by ${ROOT}`, null, 3, 'ENODEV', null, null, 'ENODEV'],
    },
  },
  {
    id: 'T78',
    sequence: 'unbind with only the group open, container set',
    run: (s) => {
      const { g } = realInContainer(s, 3);
      return [
        s.unbind(single, 'vfio-pci'),
        s.status(g),
        s.tryOpen('8'),
        s.unsetContainer(g),
        s.device(g, single),
      ];
    },
    expected: [single.length, 'ENODEV', 'ENOENT', 'EINVAL', 'ENODEV'],
  },
];

/** The two-function group in a container, its sibling unbound. */
function claimedPair(s: Session): void {
  s.take(pair);
  s.unbind(sibling);
  s.setContainer(s.open('7'), s.open('vfio'));
}
