import { eventfd, feature, irqs } from './device-calls.ts';
import { functionAt, single, snapshotOf, testWorld } from './machine.ts';
import { Session } from './session.ts';
import { realInContainer, type Vector } from './vector.ts';

/** Devices that are open. */
const withoutMsix = functionAt(single, {
  iommuGroup: 8,
  capabilities: { express: true, msiVectors: 1, msixVectors: 0, interruptPin: 1, configSize: 4096 },
});

function opened(s: Session): number {
  return Number(s.device(realInContainer(s, 3).g, single));
}

export const deviceVectors: readonly Vector[] = [
  {
    id: 'T63',
    sequence: 'SET_IRQS of index 5; MASK of MSI; MSI-X on a device without it',
    run: (s) => {
      const fd = opened(s);
      const refused = [irqs(s, fd, { index: 5 }), irqs(s, fd, { index: 1, flags: 9 })];
      const plain = new Session(s.profile, testWorld(s.profile, snapshotOf([withoutMsix])));
      return [...refused, irqs(plain, opened(plain), { index: 2 })];
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
];
