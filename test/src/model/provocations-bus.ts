import type { PciFunction, Snapshot } from '../../../src/machine/snapshot.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { bare, functionAt, nobody, pair, single, snapshotOf, user } from './machine.ts';
import { before, device, later, on, type Provocation, pid, plain, since } from './provocation.ts';
import { Session } from './session.ts';

/** Devices that come and go, dynamic ids, and the files of a device and of a group. */

export const pf = '0000:06:00.0';
export const vf = '0000:06:10.0';

/** A physical function of igb with room for two virtual ones, alone on its port. */
export const physical: PciFunction = functionAt(pf, {
  device: '10c9',
  driver: 'igb',
  drivers: ['igb'],
  iommuGroup: 7,
  sriov: { totalVfs: 2, numVfs: 0, routing: { offset: 128, stride: 2, device: '10ca' } },
});

/** Below a bridge at 00:1c.0. */
const behind = functionAt('0000:01:00.0', { iommuGroup: 7, slot: ['pci0000:00', '1c.0', '00.0'] });
const port = functionAt('0000:00:1c.0', {
  class: '060400',
  headerType: 1,
  driver: 'pcieport',
  drivers: ['pcieport'],
  iommuGroup: 9,
  slot: ['pci0000:00', '1c.0'],
});

export const ported: readonly PciFunction[] = [port, behind];

export function withIgb(): Snapshot['modules'] {
  return { ...snapshotOf().modules, igb: { parameters: {} } };
}

/** A session on a machine whose physical functions may enable virtual ones. */
export function withSriov(
  profile: Session['profile'],
  functions: readonly PciFunction[] = [physical],
  over: Partial<Snapshot> = {},
): Session {
  const snapshot = snapshotOf(functions, { modules: withIgb(), ...over });
  const processes = [user, nobody];
  return new Session(profile, worldFrom(snapshot, { profile, processes, virtualFunctions: true }));
}

function sriov(act: (s: Session) => unknown, first: ProfileId = '6.1'): Provocation {
  return since(first, (profile) => {
    const session = withSriov(profile);
    act(session);
    return session;
  });
}

function taken(s: Session): void {
  s.unbind(pf, 'igb');
  s.take(pf);
}

/** The physical function with vfio-pci, and its virtual functions too. */
export function shared(s: Session, count = 1): void {
  taken(s);
  s.call({ op: 'parameter.write', pid: ROOT, module: 'vfio_pci', parameter: 'enable_sriov', text: 'Y' });
  s.call({ op: 'device.sriov_numvfs', pid: ROOT, device: pf, text: `${count}` });
}

/** A device's group in a container of type 1; answers the group's descriptor. */
export function opened(s: Session, address: string): number {
  const index = s.world.devices.get(address)?.index ?? -1;
  const c = s.open('vfio');
  const g = s.open(`${s.state.devices[index]?.group}`);
  s.setContainer(g, c);
  s.setIommu(c, 1);
  return g;
}

/** Gives the physical function a token that is known, and opens the virtual function with it. */
export const token = 'bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3';
export const otherToken = '00000000-0000-0000-0000-000000000000';
export function openedVirtual(s: Session): { pfGroup: number; vfGroup: number } {
  shared(s);
  const pfGroup = opened(s, pf);
  s.close(Number(s.device(pfGroup, `${pf} vf_token=${token}`)));
  const vfGroup = opened(s, vf);
  s.device(vfGroup, `${vf} vf_token=${token}`);
  return { pfGroup, vfGroup };
}

/** A virtual function with vfio-pci and open, while its physical one is with igb. */
export function openedByHost(s: Session): void {
  put(s, 'device.sriov_numvfs', pf, '1');
  s.override(vf);
  s.bind(vf);
  s.device(opened(s, vf), vf);
}

type DeviceWrite =
  | 'device.remove'
  | 'device.enable'
  | 'device.sysfs_reset'
  | 'device.reset_method'
  | 'device.sriov_numvfs'
  | 'device.sriov_autoprobe';

export function put(s: Session, op: DeviceWrite, at: string, text: string, by = pid): number | string {
  return s.call({ op, pid: by, device: at, text });
}

/** Guards that every file of a device has. */
function ofFile(op: DeviceWrite, wrong: string): Readonly<Record<string, Provocation>> {
  const first = op === 'device.reset_method' || op === 'device.sriov_autoprobe' ? '6.1' : 'seed';
  const session: (act: (s: Session) => unknown) => Provocation = op.includes('sriov')
    ? (act) => sriov(act, 'seed')
    : plain;
  const at = op.includes('sriov') ? pf : pair;
  return {
    [`${op}.missing`]: session((s) => put(s, op, '0000:ff:00.0', '1')),
    [`${op}.permission`]: since(
      first,
      session((s) => put(s, op, at, '1', nobody.pid)),
    ),
    ...(op === 'device.reset_method'
      ? {}
      : {
          [`${op}.text`]: since(
            first,
            session((s) => put(s, op, at, wrong)),
          ),
        }),
  };
}

const ids = (op: 'driver.new_id' | 'driver.remove_id', driver: string, text: string) => (s: Session) =>
  s.call({ op, pid, driver, text });

const dynamicIds: Readonly<Record<string, Provocation>> = {
  'driver.new_id.driver': plain(ids('driver.new_id', 'nope', '1 1')),
  'driver.new_id.permission': plain((s) =>
    s.call({ op: 'driver.new_id', pid: nobody.pid, driver: 'vfio-pci', text: '1 1' }),
  ),
  'driver.new_id.text': plain(ids('driver.new_id', 'vfio-pci', '1')),
  'driver.new_id.known': plain(ids('driver.new_id', 'e1000e', '8086 10d3')),
  'driver.new_id.data': plain(ids('driver.new_id', 'e1000e', '8086 1 0 0 0 0 20')),
  'driver.new_id.twice': later((s) => {
    ids('driver.new_id', 'vfio-pci', '10ec 8139')(s);
    ids('driver.new_id', 'vfio-pci', '10ec 8139')(s);
  }),
  'driver.remove_id.driver': plain(ids('driver.remove_id', 'nope', '1 1')),
  'driver.remove_id.permission': plain((s) =>
    s.call({ op: 'driver.remove_id', pid: nobody.pid, driver: 'vfio-pci', text: '1 1' }),
  ),
  'driver.remove_id.text': plain(ids('driver.remove_id', 'vfio-pci', 'z')),
  'driver.remove_id.unknown': plain(ids('driver.remove_id', 'vfio-pci', '10ec 8139')),
};

const bus: Readonly<Record<string, Provocation>> = {
  'bus.autoprobe.permission': plain((s) => s.call({ op: 'bus.autoprobe', pid: nobody.pid, text: '0' })),
  'bus.rescan.missing': plain((s) => s.call({ op: 'bus.rescan', pid, device: 'nope', text: '1' })),
  'bus.rescan.permission': plain((s) => s.call({ op: 'bus.rescan', pid: nobody.pid, text: '1' })),
  'bus.rescan.text': plain((s) => s.call({ op: 'bus.rescan', pid, text: 'all' })),
};

const files: Readonly<Record<string, Provocation>> = {
  ...ofFile('device.remove', 'now'),
  'device.remove.held': plain((s) => {
    device(s);
    put(s, 'device.remove', single, '1');
  }),
  ...ofFile('device.enable', '-1'),
  'device.enable.capability': on([functionAt(pair)], (s) =>
    s.call({ op: 'device.enable', pid: user.pid, device: pair, text: '1' }),
  ),
  'device.enable.bound': plain((s) => put(s, 'device.enable', pair, '1')),
  'device.enable.disabled': plain((s) => {
    s.unbind(pair);
    put(s, 'device.enable', pair, '0');
  }),
  ...ofFile('device.sysfs_reset', 'yes'),
  'device.sysfs_reset.number': plain((s) => put(s, 'device.sysfs_reset', pair, '2')),
  'device.sysfs_reset.none': later((s) => {
    put(s, 'device.reset_method', pair, '\n');
    put(s, 'device.sysfs_reset', pair, '1');
  }),
  ...ofFile('device.reset_method', 'nope'),
  'device.reset_method.invalid': later((s) => put(s, 'device.reset_method', pair, 'nope')),
  'device.reset_method.unsupported': later((s) => put(s, 'device.reset_method', pair, 'bus')),
  'device.reset_method.count': later((s) => put(s, 'device.reset_method', pair, 'flr '.repeat(8))),
};

const virtual: Readonly<Record<string, Provocation>> = {
  ...ofFile('device.sriov_numvfs', '65536'),
  ...ofFile('device.sriov_autoprobe', 'maybe'),
  'device.sriov_numvfs.range': sriov((s) => put(s, 'device.sriov_numvfs', pf, '3'), 'seed'),
  'device.sriov_numvfs.no-driver': sriov((s) => {
    s.unbind(pf, 'igb');
    put(s, 'device.sriov_numvfs', pf, '1');
  }, 'seed'),
  'device.sriov_numvfs.driver': sriov((s) => {
    s.unbind(pf, 'igb');
    s.override(pf, 'pci-stub');
    s.bind(pf, 'pci-stub');
    put(s, 'device.sriov_numvfs', pf, '1');
  }, 'seed'),
  'device.sriov_numvfs.enabled': sriov((s) => {
    put(s, 'device.sriov_numvfs', pf, '1');
    put(s, 'device.sriov_numvfs', pf, '2');
  }, 'seed'),
  'device.sriov_numvfs.parameter': sriov((s) => {
    taken(s);
    put(s, 'device.sriov_numvfs', pf, '1');
  }),
  'device.sriov_numvfs.room': on(
    [functionAt(pf, { driver: 'igb', drivers: ['igb'], sriov: { totalVfs: 2, numVfs: 0 } })],
    (s) => put(s, 'device.sriov_numvfs', pf, '1'),
    { modules: withIgb() },
  ),
  'device.sriov_numvfs.held': sriov((s) => {
    openedByHost(s);
    put(s, 'device.sriov_numvfs', pf, '0');
  }, 'seed'),
  'driver.bind.withheld': sriov((s) => {
    put(s, 'device.sriov_autoprobe', pf, 'N');
    put(s, 'device.sriov_numvfs', pf, '1');
    ids('driver.new_id', 'pci-stub', '8086 10ca')(s);
    s.bind(vf, 'pci-stub');
  }),
  'group.get_device_fd.token-unasked': later((s) => {
    s.take(single);
    s.device(opened(s, single), `${single} vf_token=${token}`);
  }),
  'group.get_device_fd.token-required': sriov((s) => {
    shared(s);
    s.device(opened(s, vf), vf);
  }),
  'group.get_device_fd.token': sriov((s) => {
    shared(s);
    s.device(opened(s, vf), `${vf} vf_token=${otherToken}`);
  }),
  'module.unload.held': sriov((s) => {
    openedByHost(s);
    s.call({ op: 'module.unload', pid, module: 'igb' });
  }, 'seed'),
};

function type(s: Session, group: number, text: string, by = pid): number | string {
  return s.call({ op: 'iommu_group.type', pid: by, group, text });
}

const groupType: Readonly<Record<string, Provocation>> = {
  'iommu_group.type.missing': plain((s) => type(s, 99, 'DMA')),
  'iommu_group.type.permission': later((s) => type(s, 7, 'DMA', nobody.pid)),
  'iommu_group.type.capability': later((s) => type(s, 7, 'DMA', user.pid)),
  'iommu_group.type.no-domain': later((s) => {
    s.parameter('Y');
    s.take(bare);
    type(s, 0, 'DMA');
  }),
  'iommu_group.type.text': later((s) => type(s, 7, 'dma')),
  'iommu_group.type.several': before(
    '6.12',
    later((s) => type(s, 7, 'identity')),
  ),
  'iommu_group.type.bound': before(
    '6.12',
    later((s) => type(s, 8, 'identity')),
  ),
  'iommu_group.type.claimed': before(
    '6.12',
    later((s) => {
      s.take(single);
      opened(s, single);
      type(s, 8, 'DMA-FQ');
    }),
  ),
  'iommu_group.type.in-use': since(
    '6.12',
    later((s) => type(s, 8, 'identity')),
  ),
};

export const busAndFiles: Readonly<Record<string, Provocation>> = {
  ...dynamicIds,
  ...bus,
  ...files,
  ...virtual,
  ...groupType,
};
