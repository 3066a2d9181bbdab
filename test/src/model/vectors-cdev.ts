import { ROOT } from '../../../src/model/world.ts';
import type { IommufdSession } from './iommufd-session.ts';
import { bare, pair, sibling, single, user } from './machine.ts';
import { device } from './provocation.ts';
import { descriptor, fake, number, realInContainer } from './vector.ts';

/** A sequence on a kernel with iommufd and device cdevs, and what Linux 6.12 answers to it. */
export interface IommufdVector {
  readonly id: string;
  readonly sequence: string;
  readonly run: (session: IommufdSession) => readonly unknown[];
  readonly expected: readonly unknown[];
  /** The answers are those of a kernel with huge pages (TRANSPARENT_HUGEPAGE). */
  readonly hugePages?: true;
}

const bindIommufd = 0x3b76;
const refuses = ['EINVAL', 'EINVAL', 'EINVAL', 'ESPIPE'];

function fileCalls(s: IommufdSession, fd: number): readonly unknown[] {
  const calls = ['read', 'write', 'mmap', 'lseek'] as const;
  return calls.map((call) => s.call({ op: 'file.call', pid: ROOT, fd, call }));
}

function shown(s: IommufdSession, ...paths: readonly string[]): readonly unknown[] {
  return paths.map((path) => s.shows(path));
}

/** Device cdevs: nodes, binding, and groups that are closed meanwhile. */
export const cdevVectors: readonly IommufdVector[] = [
  {
    id: 'T67',
    sequence: 'BIND_IOMMUFD on a descriptor that came from the group',
    run: (s) => [s.ioctl(device(s), bindIommufd)],
    expected: ['EINVAL'],
  },
  {
    id: 'C1',
    sequence: 'bind to vfio-pci: the cdev is there; unbind: it is gone',
    run: (s) => {
      const paths = [
        '/dev/iommu',
        '/dev/vfio/devices/vfio0',
        `/sys/bus/pci/devices/${single}/vfio-dev/vfio0`,
      ];
      const before = shown(s, ...paths);
      s.take(single);
      const bound = shown(s, ...paths);
      s.unbind(single, 'vfio-pci');
      return [before, bound, shown(s, ...paths)];
    },
    expected: [
      ['660 0:0', null, null],
      ['660 0:0', '600 0:0', 'directory'],
      ['660 0:0', null, null],
    ],
  },
  {
    id: 'C2',
    sequence: 'a device without an IOMMU has no cdev, but its number',
    run: (s) => {
      fake(s);
      return shown(s, '/dev/vfio/devices/vfio0', `/sys/bus/pci/devices/${bare}/vfio-dev/vfio0`);
    },
    expected: [null, 'directory'],
  },
  {
    id: 'C3',
    sequence: 'a cdev opens again and again, by who may; before BIND everything on it is EINVAL',
    run: (s) => {
      s.take(single);
      const d = s.cdev();
      return [
        descriptor(d),
        descriptor(s.cdev(single, user.pid)),
        ...fileCalls(s, d),
        s.ioctl(d, 0x3b6b),
        s.ioctl(d, 0x1234),
        s.call({ op: 'device.reset', pid: ROOT, fd: d }),
      ];
    },
    expected: [number, number, ...refuses, 'EINVAL', 'EINVAL', 'EINVAL'],
  },
  {
    id: 'C4',
    sequence:
      'BIND_IOMMUFD: answers id 1; then the device answers; a second BIND of it, of another descriptor',
    run: (s) => {
      s.take(single);
      const [d, other, i] = [s.cdev(), s.cdev(), s.iommufd()];
      return [
        s.bindIommufd(d, i),
        s.call({ op: 'device.get_info', pid: ROOT, fd: d }),
        s.bindIommufd(d, i),
        s.bindIommufd(other, i),
        s.ioctl(other, 0x3b6b),
      ];
    },
    expected: [1, 0, 'EINVAL', 'EINVAL', 'EINVAL'],
  },
  {
    id: 'C5',
    sequence: 'the order of BIND’s tests: fault, argsz, flags, group open, descriptor, kind',
    run: (s) => {
      s.take(single);
      const [d, g] = [s.cdev(), s.open('8')];
      const held = [
        s.bindIommufd(d, -1, { argsz: null }),
        s.bindIommufd(d, -1, { argsz: 15 }),
        s.bindIommufd(d, 99, { flags: 1 }),
        s.bindIommufd(d, -1),
        s.bindIommufd(d, 99),
      ];
      s.close(g);
      return [...held, s.bindIommufd(d, 99), s.bindIommufd(d, d)];
    },
    expected: ['EFAULT', 'EINVAL', 'EINVAL', 'EINVAL', 'EBUSY', 'EBADF', 'EBADFD'],
  },
  {
    id: 'C6',
    sequence: 'group and cdev exclude each other, both ways; closing gives it back',
    run: (s) => {
      const { d, i } = s.bound();
      const whileBound = s.tryOpen('8');
      s.close(d);
      const g = s.tryOpen('8');
      const again = s.cdev();
      const whileOpen = s.bindIommufd(again, i);
      s.close(Number(g));
      return [whileBound, descriptor(g), whileOpen, s.bindIommufd(again, i)];
    },
    expected: ['EBUSY', number, 'EBUSY', 1],
  },
  {
    id: 'C7',
    sequence: 'a sibling with a host driver: BIND EPERM; with vfio-pci: the same iommufd 0, another EPERM',
    run: (s) => {
      s.take(pair);
      const [d, i] = [s.cdev(pair), s.iommufd()];
      const held = s.bindIommufd(d, i);
      s.take(sibling);
      const [first, second] = [s.bindIommufd(d, i), s.cdev(sibling)];
      return [held, first, s.bindIommufd(second, s.iommufd()), s.bindIommufd(second, i)];
    },
    expected: ['EPERM', 1, 'EPERM', 2],
  },
  {
    id: 'C8',
    sequence: 'while bound no host driver joins the group; after the close it does',
    run: (s) => {
      s.take(pair);
      s.unbind(sibling);
      const [d, i] = [s.cdev(pair), s.iommufd()];
      s.bindIommufd(d, i);
      const joins = s.bind(sibling, 'e1000e');
      s.close(d);
      return [joins, s.bind(sibling, 'e1000e')];
    },
    expected: ['EBUSY', sibling.length],
  },
  {
    id: 'C9',
    sequence:
      'unbind waits for the cdev, bound or not, and its node is gone at once; BIND meanwhile; the iommufd alone keeps nothing',
    run: (s) => {
      s.take(single);
      const d = s.cdev();
      const name = s.of(single)?.vfio?.name;
      const open = s.unbind(single, 'vfio-pci');
      const node = s.tryOpen(`devices/${name}`);
      const i = s.iommufd();
      const late = s.bindIommufd(d, i);
      s.close(d);
      const left = s.of(single)?.driver;
      s.bind(single);
      const bound = s.cdev();
      s.bindIommufd(bound, i);
      const waits = s.unbind(single, 'vfio-pci');
      s.close(bound);
      return [open, node, late, left, waits, s.of(single)?.driver];
    },
    expected: [`blocked by ${ROOT}`, 'ENOENT', 'EAGAIN', null, `blocked by ${ROOT}`, null],
  },
  {
    id: 'C10',
    sequence: 'a bound device keeps its iommufd: close(iommufd), then a sibling goes to another: EPERM',
    run: (s) => {
      s.take(pair);
      s.take(sibling);
      const [d, i] = [s.cdev(pair), s.iommufd()];
      s.bindIommufd(d, i);
      s.close(i);
      const other = s.bindIommufd(s.cdev(sibling), s.iommufd());
      const kept = s.state.iommufds.length;
      s.close(d);
      return [other, kept, s.state.iommufds.filter((context) => context !== null).length];
    },
    expected: ['EPERM', 2, 1],
  },
  {
    id: 'C11',
    sequence: 'a group in a container: BIND EBUSY while its descriptor or its device is open',
    run: (s) => {
      const { g } = realInContainer(s, 3);
      const d = Number(s.device(g, single));
      const [cdev, i] = [s.cdev(), s.iommufd()];
      const busy = s.bindIommufd(cdev, i);
      s.close(g);
      const held = s.bindIommufd(cdev, i);
      s.close(d);
      return [busy, held, s.bindIommufd(cdev, i)];
    },
    expected: ['EBUSY', 'EBUSY', 1],
  },
  {
    id: 'C12',
    sequence: '/dev/iommu: read, write EINVAL, mmap ENODEV, lseek ESPIPE; what it does not know ENOTTY',
    run: (s) => {
      const i = s.iommufd();
      return [...fileCalls(s, i), s.ioctl(i, 0x3b6b), s.ioctl(i, 0x1234)];
    },
    expected: ['EINVAL', 'EINVAL', 'ENODEV', 'ESPIPE', 'ENOTTY', 'ENOTTY'],
  },
];
