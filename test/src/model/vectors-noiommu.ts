import { ROOT } from '../../../src/model/world.ts';
import { bare } from './machine.ts';
import { all, descriptor, fake, fakeInContainer, number, U, type Vector } from './vector.ts';

/** Containers, and groups without an IOMMU. */
export const noiommuVectors: readonly Vector[] = [
  {
    id: 'T1',
    sequence: 'GET_API_VERSION',
    run: (s) => [s.call({ op: 'container.api_version', pid: ROOT, fd: s.open('vfio') })],
    expected: [0],
  },
  {
    id: 'T2',
    sequence: 'CHECK_EXTENSION 0..10 with parameter N',
    run: (s) => {
      const c = s.open('vfio');
      return all.map((extension) => s.extension(c, extension));
    },
    expected: [0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0],
  },
  {
    id: 'T3',
    sequence: 'CHECK_EXTENSION 0..10 with parameter Y',
    run: (s) => {
      s.parameter('Y');
      const c = s.open('vfio');
      return all.map((extension) => s.extension(c, extension));
    },
    expected: [0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0],
  },
  {
    id: 'T4',
    sequence: 'SET_IOMMU(1) on an empty container',
    run: (s) => [s.setIommu(s.open('vfio'), 1)],
    expected: ['EINVAL'],
  },
  {
    id: 'T5',
    sequence: 'SET_IOMMU(8) on an empty container',
    run: (s) => [s.setIommu(s.open('vfio'), 8)],
    expected: ['EINVAL'],
  },
  {
    id: 'T6',
    sequence: 'MAP_DMA on an empty container, also with a NULL argument',
    run: (s) => {
      const c = s.open('vfio');
      return [s.map(c, 0n, 4096n), s.map(c, 0n, 4096n, { argsz: null })];
    },
    expected: ['EINVAL', 'EINVAL'],
  },
  {
    id: 'T7',
    sequence: 'ioctl 0x3b67 and 0x1234 on a container',
    run: (s) => {
      const c = s.open('vfio');
      return [s.ioctl(c, 0x3b67), s.ioctl(c, 0x1234)];
    },
    expected: ['EINVAL', 'EINVAL'],
  },
  {
    id: 'T8',
    sequence: 'read, write, mmap, lseek on a container',
    run: (s) => {
      const fd = s.open('vfio');
      return (['read', 'write', 'mmap', 'lseek'] as const).map((call) =>
        s.call({ op: 'file.call', pid: ROOT, fd, call }),
      );
    },
    expected: ['EINVAL', 'EINVAL', 'ENODEV', 'ESPIPE'],
  },
  {
    id: 'T9',
    sequence: 'parameter N; bind a group-less device',
    run: (s) => [s.take(bare), s.of(bare)?.driver, s.of(bare)?.group],
    expected: ['EINVAL', null, null],
  },
  {
    id: 'T10',
    sequence: 'parameter Y; bind a group-less device',
    run: (s) => {
      s.parameter('Y');
      const bound = s.take(bare);
      const group = s.groupOf(bare);
      return [bound, s.nodeOf(bare), s.state.taint & 64, group?.name, group?.type];
    },
    expected: [bare.length, 'noiommu-0', 64, 'vfio-noiommu', 'unknown'],
  },
  {
    id: 'T11',
    sequence: 'U opens noiommu-N',
    run: (s) => {
      fake(s);
      return [s.tryOpen('noiommu-0', U)];
    },
    expected: ['EPERM'],
  },
  {
    id: 'T12',
    sequence: 'R holds it; R and U open it',
    run: (s) => {
      fake(s);
      s.open('noiommu-0');
      return [s.tryOpen('noiommu-0'), s.tryOpen('noiommu-0', U)];
    },
    expected: ['EBUSY', 'EPERM'],
  },
  {
    id: 'T13',
    sequence: 'GET_STATUS with argsz 8, 7, NULL',
    run: (s) => {
      fake(s);
      const fd = s.open('noiommu-0');
      const status = (argsz: number | null) => s.out({ op: 'group.get_status', pid: ROOT, fd, argsz });
      return [status(8), status(7), status(null)];
    },
    expected: [{ flags: 1 }, 'EINVAL', 'EFAULT'],
  },
  {
    id: 'T14',
    sequence: 'GET_DEVICE_FD of a valid name without a container',
    run: (s) => {
      fake(s);
      return [s.device(s.open('noiommu-0'), bare)];
    },
    expected: ['EINVAL'],
  },
  {
    id: 'T15',
    sequence: 'GET_DEVICE_FD "nope" without a container',
    run: (s) => {
      fake(s);
      return [s.device(s.open('noiommu-0'), 'nope')];
    },
    expected: ['ENODEV'],
  },
  {
    id: 'T16',
    sequence: 'SET_CONTAINER of -1, of /dev/null, of NULL',
    run: (s) => {
      fake(s);
      const g = s.open('noiommu-0');
      const nothing = Number(s.call({ op: 'open', pid: ROOT, path: '/dev/null' }));
      const pointer = s.call({ op: 'group.set_container', pid: ROOT, fd: g, container: 0, argsz: null });
      return [s.setContainer(g, -1), s.setContainer(g, nothing), pointer];
    },
    expected: { '6.1': ['EBADF', 'EINVAL', 'EFAULT'], '6.12': ['EBADF', 'EBADFD', 'EFAULT'] },
  },
  {
    id: 'T17',
    sequence: 'UNSET_CONTAINER without a container',
    run: (s) => {
      fake(s);
      return [s.unsetContainer(s.open('noiommu-0'))];
    },
    expected: ['EINVAL'],
  },
  {
    id: 'T18',
    sequence: 'SET_CONTAINER twice',
    run: (s) => {
      fake(s);
      const c = s.open('vfio');
      const g = s.open('noiommu-0');
      return [s.setContainer(g, c), s.setContainer(g, c)];
    },
    expected: [0, 'EINVAL'],
  },
  {
    id: 'T19',
    sequence: 'GET_STATUS in a container',
    run: (s) => [s.status(fakeInContainer(s).g)],
    expected: [3],
  },
  {
    id: 'T20',
    sequence: 'GET_DEVICE_FD before SET_IOMMU',
    run: (s) => [s.device(fakeInContainer(s).g, bare)],
    expected: ['EINVAL'],
  },
  {
    id: 'T21',
    sequence: 'CHECK_EXTENSION 0..10 with a noiommu group',
    run: (s) => {
      const { c } = fakeInContainer(s);
      return all.map((extension) => s.extension(c, extension));
    },
    expected: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
  },
  {
    id: 'T22',
    sequence: 'SET_IOMMU(1), (3), (9), (0) on a noiommu container',
    run: (s) => {
      const { c } = fakeInContainer(s);
      return [1, 3, 9, 0].map((type) => s.setIommu(c, type));
    },
    expected: ['ENODEV', 'ENODEV', 'ENODEV', 'ENODEV'],
  },
  {
    id: 'T23',
    sequence: 'SET_IOMMU(8) as U, the descriptor passed from R',
    run: (s) => [s.setIommu(s.pass(fakeInContainer(s).c), 8, U)],
    expected: ['EPERM'],
  },
  {
    id: 'T24',
    sequence: 'parameter N again; SET_IOMMU(8)',
    run: (s) => {
      const { c } = fakeInContainer(s);
      s.parameter('N');
      return [s.setIommu(c, 8)];
    },
    expected: ['ENODEV'],
  },
  {
    id: 'T25',
    sequence: 'SET_IOMMU(8) twice',
    run: (s) => {
      const { c } = fakeInContainer(s);
      return [s.setIommu(c, 8), s.setIommu(c, 8)];
    },
    expected: [0, 'EINVAL'],
  },
  {
    id: 'T26',
    sequence: 'GET_INFO, MAP_DMA, UNMAP_DMA, DIRTY, 0xdead on it, NULL too',
    run: (s) => {
      const { c } = fakeInContainer(s);
      s.setIommu(c, 8);
      const requests = [0x3b70, 0x3b71, 0x3b72, 0x3b75, 0xdead];
      return requests.flatMap((request) => [s.ioctl(c, request), s.ioctl(c, request, null)]);
    },
    expected: Array.from({ length: 10 }, () => 'ENOTTY'),
  },
  {
    id: 'T27',
    sequence: 'GET_DEVICE_FD',
    run: (s) => {
      const { c, g } = fakeInContainer(s);
      s.setIommu(c, 8);
      return [descriptor(s.device(g, bare))];
    },
    expected: [number],
  },
  {
    id: 'T28',
    sequence: 'UNSET_CONTAINER with the device open',
    run: (s) => {
      const { c, g } = fakeInContainer(s);
      s.setIommu(c, 8);
      s.device(g, bare);
      return [s.unsetContainer(g)];
    },
    expected: ['EBUSY'],
  },
  {
    id: 'T29',
    sequence: 'GET_DEVICE_FD again as U',
    run: (s) => {
      const { c, g } = fakeInContainer(s);
      s.setIommu(c, 8);
      s.device(g, bare);
      return [descriptor(s.device(s.pass(g), bare, U))];
    },
    expected: { '6.1': ['EPERM'], '6.12': [number] },
  },
  {
    id: 'T30',
    sequence: 'close the group, keep the device; open the group',
    run: (s) => {
      const { c, g } = fakeInContainer(s);
      s.setIommu(c, 8);
      s.device(g, bare);
      return [s.close(g), s.tryOpen('noiommu-0')];
    },
    expected: [0, 'EBUSY'],
  },
  {
    id: 'T31',
    sequence: 'close the device too; open the group; GET_STATUS',
    run: (s) => {
      const { c, g } = fakeInContainer(s);
      s.setIommu(c, 8);
      const d = Number(s.device(g, bare));
      s.close(g);
      s.close(d);
      return [s.status(s.open('noiommu-0'))];
    },
    expected: [1],
  },
];
