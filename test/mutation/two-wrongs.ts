import { worldFrom } from '../../src/model/world.ts';
import { feature, ioeventfd, irqs } from '../src/model/device-calls.ts';
import { bare, bridge, functionAt, machine, nobody, single, snapshotOf, user } from '../src/model/machine.ts';
import {
  before,
  device,
  group,
  noIommu,
  on,
  type Provocation,
  pid,
  plain,
  reserved,
  secondGroup,
  since,
  write,
} from '../src/model/provocation.ts';
import { leavingWrongs } from '../src/model/provocations-leaving.ts';
import { resetWrongs } from '../src/model/provocations-regions.ts';
import { unloadWrongs } from '../src/model/provocations-unloading.ts';
import { Session } from '../src/model/session.ts';
import { fake, fakeInContainer } from '../src/model/vector.ts';

/** Calls in which two things are wrong that no single changed argument brings together. */
export const twoWrongs: readonly Provocation[] = [
  ...resetWrongs,
  ...leavingWrongs,
  ...unloadWrongs,
  // The owner of a node may change its mode, and still not give it away.
  plain((s) => {
    const path = '/dev/vfio/vfio';
    s.call({ op: 'node.own', pid, path, uid: nobody.uid, gid: nobody.gid, mode: 0o666 });
    s.call({ op: 'node.own', pid: nobody.pid, path, uid: 7, gid: nobody.gid, mode: 0o666 });
  }),
  // The capabilities for iommu_groups/N/type without the right to open it.
  (profile) => {
    const able = { ...nobody, pid: 400, capabilities: new Set(['CAP_SYS_ADMIN', 'CAP_SYS_RAWIO']) };
    const s = new Session(profile, worldFrom(snapshotOf(), { profile, processes: [user, nobody, able] }));
    s.call({ op: 'iommu_group.type', pid: able.pid, group: 7, text: 'DMA' });
    return s;
  },
  // No IOMMU and no container.
  on(
    [functionAt(bare)],
    (s) => {
      fake(s);
      const g = s.open('noiommu-0');
      s.kvmAdd(s.kvm(), g);
      s.kvmDel(s.kvm(), g);
    },
    noIommu,
  ),
  // No IOMMU driver and no capability.
  on(
    [functionAt(bare)],
    (s) => {
      const { g } = fakeInContainer(s);
      s.device(s.pass(g), bare, user.pid);
    },
    noIommu,
  ),
  // No descriptor left and no container.
  plain((s) => {
    s.take(single);
    const g = s.pass(s.open('8'));
    while (s.call({ op: 'open', pid: user.pid, path: '/dev/null' }) !== 'EMFILE');
    s.device(g, single, user.pid);
  }),
  // A ROM is no BAR, and has room.
  on(
    [
      functionAt(single, {
        iommuGroup: 8,
        bars: [{ index: 6, start: '0xf0000000', size: 65536, kind: 'rom', prefetchable: false }],
      }),
    ],
    (s) => {
      s.take(single);
      const [c, g] = [s.open('vfio'), s.open('8')];
      s.setContainer(g, c);
      s.setIommu(c, 1);
      ioeventfd(s, Number(s.device(g, single)), { offset: 6n << 40n, eventfd: -1 });
    },
  ),
  // Whether a feature may be read that can only be written.
  plain((s) => feature(s, device(s), { flags: (1 << 16) | (1 << 18) | 3 })),
  // Two events where there is one, which is in use.
  plain((s) => {
    const fd = device(s);
    irqs(s, fd, { index: 4 });
    irqs(s, fd, { index: 4, flags: 0x21, count: 2, data: [] });
  }),
  // A physical function with virtual ones, without a group, and one that is a bridge.
  since(
    '6.1',
    on([functionAt(bare, { sriov: { totalVfs: 4, numVfs: 2 } })], (s) => s.take(bare)),
  ),
  since(
    '6.1',
    on([functionAt(bridge, { headerType: 1, iommuGroup: 9, sriov: { totalVfs: 4, numVfs: 2 } })], (s) =>
      s.take(bridge),
    ),
  ),
  // A node that may not be opened, of a module that is not there.
  (profile) => {
    const { kernel } = snapshotOf();
    const options = { ...kernel.options, VFIO: 'n', VFIO_PCI: 'n', VFIO_IOMMU_TYPE1: 'n' } as const;
    const nodes = [{ path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o600 }];
    const over = { kernel: { ...kernel, options }, modules: {}, drivers: ['e1000e'], nodes };
    return on([], (s) => s.tryOpen('vfio', nobody.pid), over)(profile);
  },
  // A host driver in a group on which the firmware has its hand.
  since(
    '6.12',
    on(
      [functionAt(single, { iommuGroup: 8 }), functionAt('0000:02:00.1', { iommuGroup: 8 })],
      (s) => {
        s.take(single);
        s.setContainer(s.open('8'), s.open('vfio'));
      },
      reserved,
    ),
  ),
  // A second group that the container cannot have, for one reason and another.
  since(
    '6.1',
    second(group(7, 'direct', '0x7f000000', '0x7fffffff'), true, (s, c) => invalidate(s, c)),
  ),
  since(
    '6.1',
    second(group(7, 'reserved', '0x7f000000', '0x7fffffff'), true, (s, c) => invalidate(s, c)),
  ),
  second(group(7, 'reserved', '0x7f000000', '0x7fffffff'), false, () => {}),
  before(
    '6.1',
    second(group(7, 'direct', '0x7f000000', '0x7fffffff'), false, () => {}),
  ),
];

/** A container that has a group and a mapping where the second group allows none. */
function second(
  its: ReturnType<typeof group>,
  remapping: boolean,
  worse: (s: Session, container: number) => unknown,
): Provocation {
  return on(
    machine,
    (s) => {
      write(s, 'vfio_iommu_type1', 'allow_unsafe_interrupts', 'Y');
      const { c, g } = secondGroup(s);
      s.map(c, 0x7f000000n, 4096n);
      worse(s, c);
      write(s, 'vfio_iommu_type1', 'allow_unsafe_interrupts', 'N');
      s.setContainer(g, c);
    },
    { iommu: { units: ['dmar0'], interruptRemapping: remapping, groups: [its] } },
  );
}

function invalidate(s: Session, container: number): void {
  s.unmap(container, 0x7f000000n, 4096n, { flags: 4 });
}
