import { eventfd, feature, ioeventfd, tell } from './device-calls.ts';
import { functionAt, single } from './machine.ts';
import { before, device, later, on, type Provocation, plain, since } from './provocation.ts';
import type { Session } from './session.ts';

/** Writes that the kernel makes for an eventfd. */
export const ioeventfds: Readonly<Record<string, Provocation>> = {
  'device.ioeventfd.unknown': before(
    '6.1',
    plain((s) => ioeventfd(s, device(s))),
  ),
  'device.ioeventfd.fault': opened((s, fd) => ioeventfd(s, fd, { argsz: null })),
  'device.ioeventfd.argsz': opened((s, fd) => ioeventfd(s, fd, { argsz: 27 })),
  'device.ioeventfd.flags': opened((s, fd) => ioeventfd(s, fd, { flags: 16 + 4 })),
  'device.ioeventfd.size': opened((s, fd) => ioeventfd(s, fd, { flags: 3 })),
  'device.ioeventfd.negative': opened((s, fd) => ioeventfd(s, fd, { eventfd: -2 })),
  'device.ioeventfd.region': opened((s, fd) => ioeventfd(s, fd, { offset: 6n << 40n })),
  'device.ioeventfd.bounds': opened((s, fd) => ioeventfd(s, fd, { offset: 0x1fffdn })),
  'device.ioeventfd.msix': opened((s, fd) => {
    tell(s, single, { msixTable: { bar: 0, start: 0x1000, end: 0x1050 } });
    ioeventfd(s, fd, { offset: 0xffdn });
  }),
  'device.ioeventfd.exists': opened((s, fd) => {
    ioeventfd(s, fd);
    ioeventfd(s, fd);
  }),
  'device.ioeventfd.missing': opened((s, fd) => ioeventfd(s, fd, { eventfd: -1 })),
  'device.ioeventfd.many': opened((s, fd) => {
    const its = eventfd(s);
    for (let data = 0n; data <= 1000n; data += 1n) ioeventfd(s, fd, { data, eventfd: its });
  }),
  'device.ioeventfd.eventfd-closed': opened((s, fd) => ioeventfd(s, fd, { eventfd: 99 })),
  'device.ioeventfd.eventfd-other': opened((s, fd) => ioeventfd(s, fd, { eventfd: fd })),
};

const get = 0x10000;
const set = 0x20000;

export const features: Readonly<Record<string, Provocation>> = {
  'device.feature.unknown': before(
    '6.1',
    plain((s) => feature(s, device(s))),
  ),
  'device.feature.fault': opened((s, fd) => feature(s, fd, { argsz: null })),
  'device.feature.argsz': opened((s, fd) => feature(s, fd, { argsz: 7 })),
  'device.feature.flags': opened((s, fd) => feature(s, fd, { flags: 0x80000 })),
  'device.feature.both': opened((s, fd) => feature(s, fd, { flags: get + set + 3 })),
  'device.feature.absent': opened((s, fd) => feature(s, fd, { flags: get + 1 })),
  'device.feature.token': opened((s, fd) => feature(s, fd, { flags: set })),
  'device.feature.get': opened((s, fd) => feature(s, fd, { flags: get + 3 })),
  'device.feature.nothing': opened((s, fd) => feature(s, fd, { flags: 5 })),
  'device.feature.room': since(
    '6.1',
    on([functionAt(single, { iommuGroup: 8, sriov: { totalVfs: 4, numVfs: 0 } })], (s) =>
      feature(s, device(s), { flags: set, argsz: 23 }),
    ),
  ),
  'device.feature.wakeup-negative': opened((s, fd) => feature(s, fd, { flags: set + 4 })),
  'device.feature.wakeup-closed': opened((s, fd) => feature(s, fd, { flags: set + 4, eventfd: 99 })),
  'device.feature.wakeup-other': opened((s, fd) => feature(s, fd, { flags: set + 4, eventfd: 0 })),
  'device.feature.entered': opened((s, fd) => {
    feature(s, fd);
    feature(s, fd, { flags: set + 4, eventfd: eventfd(s) });
  }),
};

function opened(act: (session: Session, device: number) => unknown): Provocation {
  return later((s) => act(s, device(s)));
}
