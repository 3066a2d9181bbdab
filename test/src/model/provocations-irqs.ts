import { eventfd, irqs } from './device-calls.ts';
import { functionAt, single } from './machine.ts';
import { before, device, later, on, type Provocation, plain, since } from './provocation.ts';
import type { Session } from './session.ts';

const intx = 0;
const msi = 1;
const msix = 2;
const errors = 3;
const requests = 4;

/** SET_IRQS, test by test. */
export const interrupts: Readonly<Record<string, Provocation>> = {
  'device.set_irqs.fault': opened((s, fd) => irqs(s, fd, { argsz: null })),
  'device.set_irqs.argsz': opened((s, fd) => irqs(s, fd, { argsz: 19 })),
  'device.set_irqs.index': opened((s, fd) => irqs(s, fd, { index: 5 })),
  'device.set_irqs.count': later((s) => irqs(s, device(s), { count: 2 ** 32 - 1 })),
  'device.set_irqs.flags': opened((s, fd) => irqs(s, fd, { flags: 64 + 36 })),
  'device.set_irqs.range': opened((s, fd) => irqs(s, fd, { index: msi, count: 2 })),
  'device.set_irqs.data': opened((s, fd) => irqs(s, fd, { flags: 32 })),
  'device.set_irqs.room': opened((s, fd) => irqs(s, fd, { argsz: 23 })),
  'device.set_irqs.action': opened((s, fd) => irqs(s, fd, { index: msi, flags: 12 })),
  'device.set_irqs.intx-idle': opened((s, fd) => irqs(s, fd, { flags: 9 })),
  'device.set_irqs.mask-eventfd': opened((s, fd) => {
    irqs(s, fd);
    irqs(s, fd, { flags: 12 });
  }),
  'device.set_irqs.intx-taken': opened((s, fd) => {
    irqs(s, fd, { index: msi });
    irqs(s, fd, { index: intx });
  }),
  'device.set_irqs.intx-off': opened((s, fd) => irqs(s, fd, { flags: 33 })),
  'device.set_irqs.msi-taken': opened((s, fd) => {
    irqs(s, fd, { index: intx });
    irqs(s, fd, { index: msix });
  }),
  'device.set_irqs.msi-none': opened((s, fd) => irqs(s, fd, { index: msi, count: 0 })),
  'device.set_irqs.msi-off': opened((s, fd) => irqs(s, fd, { index: msi, flags: 33 })),
  'device.set_irqs.beyond': before(
    '6.12',
    opened((s, fd) => {
      irqs(s, fd, { index: msix });
      irqs(s, fd, { index: msix, start: 1 });
    }),
  ),
  'device.set_irqs.single': before(
    '6.1',
    plain((s) => irqs(s, device(s), { index: requests, flags: 33, count: 2 })),
  ),
  'device.set_irqs.single-empty': opened((s, fd) => irqs(s, fd, { index: requests, count: 0 })),
  'device.set_irqs.single-unset': opened((s, fd) => irqs(s, fd, { index: errors, flags: 33 })),
  'device.set_irqs.single-negative': since(
    '6.12',
    opened((s, fd) => irqs(s, fd, { index: errors, data: [-2] })),
  ),
  'device.set_irqs.eventfd-closed': opened((s, fd) => irqs(s, fd, { data: [99] })),
  'device.set_irqs.eventfd-other': opened((s, fd) => irqs(s, fd, { data: [0] })),
  'device.set_irqs.vector': since(
    '6.12',
    on(
      [
        functionAt(single, {
          iommuGroup: 8,
          capabilities: { express: true, msiVectors: 4, msixVectors: 0, interruptPin: 1, configSize: 4096 },
        }),
      ],
      (s) => {
        const fd = device(s);
        irqs(s, fd, { index: msi });
        irqs(s, fd, { index: msi, start: 3 });
      },
    ),
  ),
  'device.set_irqs.unmask-busy': opened((s, fd) => {
    irqs(s, fd);
    irqs(s, fd, { flags: 20 });
    irqs(s, fd, { flags: 20 });
  }),
  'eventfd.descriptors': plain((s) => {
    while (s.call({ op: 'eventfd', pid: 0 }) !== 'EMFILE') eventfd(s);
  }),
  'file.call.counter': plain((s) => s.call({ op: 'file.call', pid: 0, fd: eventfd(s), call: 'read' })),
};

function opened(act: (session: Session, device: number) => unknown): Provocation {
  return plain((s) => act(s, device(s)));
}
