import { at, eventfd, feature, irqs, mmap, read, write } from './device-calls.ts';
import { bareToo, single } from './machine.ts';
import type { Session } from './session.ts';
import { realInContainer, type Vector } from './vector.ts';

const config = 7;

/** Devices that are open. */
function opened(s: Session): number {
  return Number(s.device(realInContainer(s, 3).g, single));
}

export const deviceVectors: readonly Vector[] = [
  {
    id: 'T59',
    sequence: 'pread of configuration space at 0xfff, two bytes',
    run: (s) => [read(s, opened(s), at(config, 0xfff), 2)],
    expected: ['EFAULT'],
  },
  {
    id: 'T60',
    sequence: 'pread of a BAR while COMMAND does not decode memory, and when it does again',
    run: (s) => {
      const fd = opened(s);
      const before = read(s, fd, 0n, 4);
      write(s, fd, at(config, 4), 0, 0);
      const without = [read(s, fd, 0n, 4), write(s, fd, 0n, 1)];
      write(s, fd, at(config, 4), 6, 0);
      return [before, ...without, read(s, fd, 0n, 4)];
    },
    expected: [4, 'EIO', 'EIO', 4],
  },
  {
    id: 'T61',
    sequence: 'pread beyond a BAR; of an empty BAR; pwrite of the ROM',
    run: (s) => {
      const fd = opened(s);
      return [read(s, fd, at(0, 0x20000), 4), read(s, fd, at(5, 0), 4), write(s, fd, at(6, 0), 1)];
    },
    expected: ['EINVAL', 'EINVAL', 'EINVAL'],
  },
  {
    id: 'T62',
    sequence: 'mmap of configuration space; mmap of a BAR with MAP_PRIVATE',
    run: (s) => {
      const fd = opened(s);
      return [mmap(s, fd, at(config, 0)), mmap(s, fd, 0n, { shared: false }), mmap(s, fd, 0n)];
    },
    expected: ['EINVAL', 'EINVAL', 0],
  },
  {
    id: 'T63',
    sequence: 'SET_IRQS of index 5; MASK of MSI; MSI-X on a device without it',
    run: (s) => {
      const fd = opened(s);
      const refused = [irqs(s, fd, { index: 5 }), irqs(s, fd, { index: 1, flags: 9 })];
      s.parameter('Y');
      s.take(bareToo);
      const c = s.open('vfio');
      const g = s.open('noiommu-0');
      s.setContainer(g, c);
      s.setIommu(c, 8);
      return [...refused, irqs(s, Number(s.device(g, bareToo)), { index: 2 })];
    },
    expected: ['EINVAL', 'ENOTTY', 'EINVAL'],
  },
  {
    id: 'T64',
    sequence: 'SET_IRQS INTX TRIGGER EVENTFD with stdin; with a closed descriptor',
    run: (s) => {
      const fd = opened(s);
      const gone = eventfd(s);
      s.close(gone);
      return [irqs(s, fd, { data: [0] }), irqs(s, fd, { data: [gone] })];
    },
    expected: ['EINVAL', 'EBADF'],
  },
  {
    id: 'T66',
    sequence: 'FEATURE with GET and SET; feature 100 with GET; feature 100 with argsz 4',
    run: (s) => {
      const fd = opened(s);
      return [
        feature(s, fd, { flags: 0x30000 }),
        feature(s, fd, { flags: 0x10064 }),
        feature(s, fd, { flags: 0x10064, argsz: 4 }),
      ];
    },
    expected: ['EINVAL', 'ENOTTY', 'EINVAL'],
  },
  {
    id: 'T67',
    sequence: 'BIND_IOMMUFD on a device, on a kernel without device cdevs',
    run: (s) => [s.ioctl(opened(s), 0x3b76)],
    expected: ['ENOTTY'],
  },
];
