import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { bare, functionAt, nobody, pair, sibling, single, testWorld } from './machine.ts';
import { device, later, on, type Provocation, pid, plain, since, write } from './provocation.ts';
import { Session } from './session.ts';

/** modprobe vfio-pci. */
function load(s: Session, ...parameters: readonly string[]): unknown {
  return s.call({ op: 'module.load', pid, module: 'vfio-pci', parameters });
}

export const sysfs: Readonly<Record<string, Provocation>> = {
  'process.missing': plain((s) => s.call({ op: 'close', pid: 4711, fd: 3 })),
  'module.load.missing': plain((s) => s.call({ op: 'module.load', pid, module: 'nope' })),
  'module.load.permission': on(
    [],
    (s) => s.call({ op: 'module.load', pid: nobody.pid, module: 'vfio-pci' }),
    { modules: {} },
  ),
  'module.load.invalid': on([], (s) => load(s, 'nointxmask=maybe'), { modules: {} }),
  'module.load.too-large': on([], (s) => load(s, `ids=${'8086:10d3,'.repeat(103)}`), { modules: {} }),
  'module.load.range': since(
    '6.1',
    on(
      [],
      (s) =>
        s.call({
          op: 'module.load',
          pid,
          module: 'vfio_iommu_type1',
          parameters: ['dma_entry_limit=4294967296'],
        }),
      { modules: {} },
    ),
  ),
  'module.unload.permission': plain((s) => s.call({ op: 'module.unload', pid: nobody.pid, module: 'vfio' })),
  'module.unload.missing': plain((s) => s.call({ op: 'module.unload', pid, module: 'nope' })),
  'module.unload.in-use': plain((s) => s.call({ op: 'module.unload', pid, module: 'vfio' })),
  'parameter.write.missing': plain((s) => write(s, 'vfio', 'nope', 'Y')),
  'parameter.write.read-only': (profile) =>
    later((s) => write(s, 'vfio_pci', 'disable_denylist', 'Y'))(profile) ??
    on([], (s) => write(s, 'vfio_pci', 'disable_vga', 'Y'), withVga)(profile),
  'parameter.write.permission': plain((s) =>
    s.call({
      op: 'parameter.write',
      pid: nobody.pid,
      module: 'vfio',
      parameter: s.world.profile.noiommuParameter,
      text: 'Y',
    }),
  ),
  'parameter.write.text': plain((s) => s.parameter('maybe')),
  'parameter.write.range': later((s) => write(s, 'vfio_iommu_type1', 'dma_entry_limit', '4294967296')),
  'override.write.device': plain((s) => s.override('0000:ff:00.0')),
  'override.write.permission': plain((s) =>
    s.call({ op: 'override.write', pid: nobody.pid, device: pair, text: 'x' }),
  ),
  'override.write.length': plain((s) => s.override(pair, 'x'.repeat(4095))),
  'driver.bind.driver': plain((s) => s.bind(pair, 'nope')),
  'driver.bind.permission': plain((s) =>
    s.call({ op: 'driver.bind', pid: nobody.pid, driver: 'e1000e', device: pair }),
  ),
  'driver.bind.device': plain((s) => s.bind('0000:ff:00.0', 'e1000e')),
  'driver.bind.unmatched': plain((s) => s.bind(pair, 'vfio-pci')),
  'driver.bind.bound': plain((s) => s.bind(pair, 'e1000e')),
  'driver.bind.group-owned': later((s) => {
    s.take(pair);
    s.unbind(sibling);
    s.setContainer(s.open('7'), s.open('vfio'));
    s.bind(sibling, 'e1000e');
  }),
  'driver.bind.denylisted': since(
    '6.1',
    on([functionAt(pair, { device: '37c8', iommuGroup: 7 })], (s) => s.take(pair)),
  ),
  'driver.bind.bridge': plain((s) => {
    const bridge = '0000:03:00.0';
    s.unbind(bridge, 'pcieport');
    s.override(bridge);
    s.bind(bridge);
  }),
  'driver.bind.virtual-functions': since(
    '6.1',
    on([functionAt(pair, { iommuGroup: 7, sriov: { totalVfs: 4, numVfs: 2 } })], (s) => s.take(pair)),
  ),
  'driver.bind.incoherent': since('6.1', (profile) => {
    const { world, state } = testWorld(profile);
    const s = new Session(profile, { world: { ...world, coherent: false }, state });
    s.take(pair);
    return s;
  }),
  'driver.bind.no-group': plain((s) => s.take(bare)),
  'driver.unbind.driver': plain((s) => s.unbind(pair, 'nope')),
  'driver.unbind.permission': plain((s) =>
    s.call({ op: 'driver.unbind', pid: nobody.pid, driver: 'e1000e', device: pair }),
  ),
  'driver.unbind.not-bound': plain((s) => s.unbind(pair, 'pcieport')),
  'driver.unbind.held': plain((s) => {
    device(s);
    s.unbind(single, 'vfio-pci');
  }),
  'drivers.probe.permission': plain((s) => s.call({ op: 'drivers.probe', pid: nobody.pid, device: pair })),
  'drivers.probe.device': plain((s) => s.call({ op: 'drivers.probe', pid, device: 'nope' })),
  'drivers.probe.group-owned': later((s) => {
    s.take(pair);
    s.unbind(sibling);
    s.setContainer(s.open('7'), s.open('vfio'));
    s.call({ op: 'drivers.probe', pid, device: sibling });
  }),
  'node.own.missing': plain((s) => own(s, '/dev/vfio/99', pid)),
  'node.own.chown': plain((s) => own(s, '/dev/vfio/vfio', nobody.pid)),
  'node.own.chmod': plain((s) =>
    s.call({
      op: 'node.own',
      pid: nobody.pid,
      path: '/dev/vfio/vfio',
      uid: 0xffffffff,
      gid: 0xffffffff,
      mode: 0,
    }),
  ),
};

const withVga: Partial<Snapshot> = { modules: { vfio_pci: { parameters: { disable_vga: 'N' } } } };

function own(s: Session, path: string, by: number): unknown {
  return s.call({ op: 'node.own', pid: by, path, uid: 7, gid: 7, mode: 0o600 });
}
