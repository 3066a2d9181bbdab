import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { liveFiles, sysrootFiles } from '../../../runtime/probe/files.ts';
import { probe } from '../../../runtime/probe/probe.ts';
import { holds } from '../../../src/machine/holdings.ts';
import { isUnknown, type Snapshot } from '../../../src/machine/snapshot.ts';
import { bridgesAbove, topologyOf } from '../../../src/machine/topology.ts';
import { readSnapshot } from '../../../src/wire/read.ts';
import { writePretty } from '../../../src/wire/write.ts';
import { addresses, captureServer } from './tree.ts';

const filesSource = new URL('../../../runtime/probe/files.ts', import.meta.url).href;

let root = '';

function capture(): void {
  root = mkdtempSync(join(tmpdir(), 'vfioplan-sysroot-'));
  captureServer(root);
}

const remove = () => rmSync(root, { recursive: true });

function captured(sshConnection?: string): Snapshot {
  const { snapshot, diagnostics } = probe(
    sysrootFiles(root),
    sshConnection === undefined ? {} : { sshConnection },
  );
  expect(diagnostics).toEqual([]);
  if (snapshot === undefined) throw new Error('no snapshot');
  return snapshot;
}

const functionOf = (snapshot: Snapshot, address: string) => topologyOf(snapshot).functions.get(address);

const unit = { name: 'dmar0', addressBits: 48, pageSizes: '0x40201000' };

describe('a captured tree', () => {
  let snapshot: Snapshot;
  beforeAll(() => {
    capture();
    snapshot = captured('192.0.2.7 50000 10.0.1.5 2223');
  });
  afterAll(remove);

  test('is a snapshot that reads back', () => {
    expect(snapshot.source).toEqual({ kind: 'sysroot' });
    expect(readSnapshot('s.json', writePretty(snapshot))).toEqual({ snapshot, diagnostics: [] });
  });

  test('functions: ids, driver, group, path, config space', () => {
    const nic = functionOf(snapshot, addresses.nic);
    expect(nic).toEqual({
      address: '0000:00:02.0',
      vendor: '8086',
      device: '1572',
      subsystemVendor: '8086',
      subsystemDevice: '0001',
      class: '020000',
      revision: '02',
      headerType: 0,
      multifunction: true,
      driver: 'i40e',
      driverOverride: null,
      drivers: ['i40e'],
      iommuGroup: 2,
      iommuUnit: 'dmar0',
      slot: ['pci0000:00', '02.0'],
      firmwareLabel: 'Onboard LAN 1',
      serial: 'b4-96-91-ff-fe-a1-02-33',
      numaNode: 0,
      resetMethods: ['flr', 'bus'],
      bars: [
        { index: 0, start: '0xfe000000', size: 8388608, kind: 'memory', prefetchable: true },
        { index: 6, start: '0xfe800000', size: 524288, kind: 'rom', prefetchable: true },
      ],
      capabilities: {
        ...{ express: true, msiVectors: 8, msixVectors: 129, msixTable: { bar: 3, offset: 4096 } },
        ...{ interruptPin: 1, configSize: 4096 },
      },
      sriov: { totalVfs: 64, numVfs: 0 },
      physicalFunction: null,
      netdevs: ['eno1'],
      blockDevices: [],
    });
    const nvme = functionOf(snapshot, addresses.nvme);
    expect(nvme).toMatchObject({
      serial: 'S64G',
      slot: ['pci0000:00', '01.0', '00.0'],
      sriov: null,
      firmwareLabel: null,
    });
    expect(nvme && bridgesAbove(snapshot, nvme)).toEqual([functionOf(snapshot, addresses.port)]);
    expect(functionOf(snapshot, addresses.port)?.headerType).toBe(1);
  });

  test('what a user without privilege cannot read is unknown', () => {
    const display = functionOf(snapshot, addresses.display);
    expect(display).toMatchObject({ headerType: 0, driver: null, netdevs: [] });
    expect(display?.capabilities).toEqual({
      unknown: 'config beyond 64 bytes is shown only to CAP_SYS_ADMIN',
    });
    expect(display?.serial).toEqual({ unknown: 'config beyond 64 bytes is shown only to CAP_SYS_ADMIN' });
  });

  test('disks: what the NVMe function holds, with its proof', () => {
    expect(holds(snapshot, addresses.nvme, 'root')).toEqual({
      is: 'held',
      chain: [
        'nvme0n1 is a disk of 0000:01:00.0',
        'nvme0n1p2 is a partition of nvme0n1',
        'dm-0 (vg-root) is stacked on nvme0n1p2',
        'dm-0 is mounted at /',
      ],
    });
    for (const kind of ['boot', 'swap', 'stacked', 'signed', 'any'] as const)
      expect([kind, holds(snapshot, addresses.nvme, kind).is]).toEqual([kind, 'held']);
    for (const kind of ['root', 'any', 'management'] as const)
      expect([kind, holds(snapshot, addresses.display, kind).is]).toEqual([kind, 'free']);
  });

  test('disks: mounts with escapes, swap, serial, signature of what was captured', () => {
    const disks = snapshot.blockDevices;
    const named = (name: string) => (isUnknown(disks) ? undefined : disks.find((disk) => disk.name === name));
    expect(named('nvme0n1')).toEqual({
      name: 'nvme0n1',
      function: '0000:01:00.0',
      parent: null,
      mounts: [],
      swap: false,
      holders: [],
      signature: 'GPT',
      serial: 'S64G',
    });
    expect(named('nvme0n1p1')).toMatchObject({
      parent: 'nvme0n1',
      mounts: ['/boot', '/boot disk'],
      signature: { unknown: '/dev/nvme0n1p1 is not a block device here' },
    });
    expect(named('dm-1')).toMatchObject({ swap: true, label: 'vg-swap', function: null });
  });

  test('networks: the default route through bond, VLAN and bridge', () => {
    expect(holds(snapshot, addresses.nic, 'management')).toEqual({
      is: 'held',
      chain: [
        'eno1 is a network device of 0000:00:02.0',
        'eno1 is enslaved to bond0',
        'vlan bond0.10 stands on bond0',
        'bond0.10 is enslaved to bridge br0',
        'br0 carries the default route',
      ],
    });
  });

  test('networks: routes, addresses, peers', () => {
    expect(snapshot.routes).toEqual([
      { destination: 'default', netdev: 'br0', gateway: '10.0.1.1' },
      { destination: '10.0.1.0/24', netdev: 'br0', gateway: null },
      { destination: 'fd00::/64', netdev: 'br0', gateway: null },
      { destination: 'default', netdev: 'br0', gateway: 'fd00::1' },
    ]);
    expect(snapshot.managementPeers).toEqual(['10.0.2.7', '10.0.2.9', '192.0.2.7', 'fd00::1']);
    const netdevs = isUnknown(snapshot.netdevs) ? [] : snapshot.netdevs;
    expect(netdevs.map(({ name }) => name)).toEqual(['bond0', 'bond0.10', 'br0', 'eno1', 'lo']);
    expect(netdevs.find(({ name }) => name === 'br0')?.addresses).toEqual(['10.0.1.5/24', 'fd00::a/64']);
    expect(netdevs.find(({ name }) => name === 'lo')?.mac).toBeNull();
  });

  test('kernel, IOMMU, modules, users', () => {
    expect(snapshot.kernel).toEqual({
      release: '6.12.9-amd64',
      taint: 64,
      lockdown: 'integrity',
      commandLine: ['BOOT_IMAGE=/vmlinuz', 'intel_iommu=on', 'quiet'],
      options: {
        VFIO: 'm',
        VFIO_PCI: 'm',
        VFIO_IOMMU_TYPE1: 'n',
        VFIO_GROUP: 'y',
        VFIO_CONTAINER: 'n',
        VFIO_NOIOMMU: 'n',
        VFIO_DEVICE_CDEV: 'n',
        IOMMUFD: 'm',
        IRQ_BYPASS_MANAGER: 'n',
        IOMMUFD_NOIOMMU: 'n',
        TRANSPARENT_HUGEPAGE: 'n',
        PM: 'n',
      },
    });
    expect(snapshot.iommu).toEqual({
      units: ['dmar0'],
      translation: [{ ...unit, snoopControl: true, dirtyTracking: false }],
      interruptRemapping: true,
      groups: [1, 2, 3].map((id) => ({
        id,
        type: 'DMA-FQ',
        reserved: [{ start: '0xfee00000', end: '0xfeefffff', type: 'msi' }],
      })),
    });
    const parameters = { enable_unsafe_noiommu_mode: 'N' };
    expect(snapshot.modules).toEqual({ vfio: { parameters, holders: ['vfio_pci_core'], references: 2 } });
    expect(snapshot.drivers).toEqual(['i40e', 'nvme', 'pcieport', 'simple-gpu']);
    expect(snapshot.users).toEqual([
      { name: 'root', uid: 0, gid: 0, groups: [], capabilities: [] },
      { name: 'dpdk', uid: 1000, gid: 1000, groups: ['kvm'], capabilities: ['CAP_SYS_RAWIO'] },
    ]);
    expect(snapshot.hostname).toBe('edge-01');
    expect(snapshot.nodes).toEqual([]);
    expect(snapshot.vfioDevices).toEqual([]);
  });
});

describe('what is missing', () => {
  beforeEach(capture);
  afterEach(remove);

  const without = (path: string) => rmSync(join(root, path), { recursive: true });

  test.each<[string, (snapshot: Snapshot) => unknown]>([
    ['/proc/net/route', ({ routes }) => routes],
    ['/proc/net/tcp', ({ managementPeers }) => managementPeers],
    ['/sys/class/net', ({ netdevs }) => netdevs],
    ['/sys/class/block', ({ blockDevices }) => blockDevices],
    ['/etc/passwd', ({ users }) => users],
    ['/etc/group', ({ userGroups }) => userGroups],
    ['/proc/sys/kernel/osrelease', ({ kernel }) => kernel.release],
    ['/proc/cmdline', ({ kernel }) => kernel.commandLine],
    ['/sys/module', ({ modules }) => modules],
    ['/sys/kernel/irq', ({ iommu }) => iommu.interruptRemapping],
    ['/dev', ({ nodes }) => nodes],
  ])('without %s the fact is unknown, and the rest is there', (path, fact) => {
    without(path);
    const snapshot = captured();
    expect(fact(snapshot)).toEqual({ unknown: expect.any(String) });
    expect(snapshot.functions.length).toBe(4);
    expect(readSnapshot('s.json', writePretty(snapshot)).diagnostics).toEqual([]);
  });

  test('no mount table: every mount is unknown, so nothing is taken for free', () => {
    without('/proc/self/mountinfo');
    expect(holds(captured(), addresses.nvme, 'root').is).toBe('unknown');
  });

  test('no groups in a sysfs that shows the rest: there are none', () => {
    without('/sys/kernel/iommu_groups');
    without('/sys/class/iommu');
    for (const address of Object.values(addresses))
      rmSync(join(root, `/sys/bus/pci/devices/${address}/iommu_group`));
    expect(captured().iommu).toMatchObject({ units: [], groups: [] });
  });

  test('without a configuration, build options are what sysfs proves', () => {
    without('/boot');
    const { options } = captured().kernel;
    const untold = { unknown: expect.any(String) };
    expect(options).toMatchObject({ VFIO: 'm', VFIO_NOIOMMU: 'y', VFIO_PCI: untold, PM: untold });
    mkdirSync(join(root, 'sys/power'));
    expect(captured().kernel.options.PM).toBe('y');
    writeFileSync(join(root, 'proc/config.gz'), gzipSync('CONFIG_PCI=y\nCONFIG_VFIO=y\n'));
    expect(captured().kernel.options).toMatchObject({ VFIO: 'y', VFIO_NOIOMMU: 'n' });
    without('/sys/kernel/security');
    expect(captured().kernel.lockdown).toBe('none');
    writeFileSync(join(root, 'proc/config.gz'), 'not gzip');
    expect(captured().kernel.lockdown).toEqual({ unknown: expect.any(String) });
    expect(captured().kernel.options).toMatchObject({ VFIO: 'm' });
  });

  test('no PCI at all is a coded error', () => {
    without('/sys/bus/pci');
    expect(probe(sysrootFiles(root)).diagnostics.map(({ code }) => code)).toEqual(['VP3040']);
    expect(probe(sysrootFiles(join(root, 'no/such'))).diagnostics.map(({ code }) => code)).toEqual([
      'VP3040',
    ]);
  });

  test('a function without its ids is a coded error, not a gap', () => {
    rmSync(join(root, '/sys/devices/pci0000:00/0000:00:03.0/vendor'));
    const { snapshot, diagnostics } = probe(sysrootFiles(root));
    expect(snapshot).toBeUndefined();
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'VP3041 the function 0000:00:03.0 cannot be read',
    ]);
  });

  test('a pipe in the tree is not waited for', () => {
    const override = join(root, 'sys/devices/pci0000:00/0000:00:03.0/driver_override');
    rmSync(override, { force: true });
    execFileSync('mkfifo', [override]);
    const script = `const { sysrootFiles } = await import(${JSON.stringify(filesSource)});
      process.stdout.write(JSON.stringify(sysrootFiles(${JSON.stringify(root)}).bytes('/sys/devices/pci0000:00/0000:00:03.0/driver_override')));`;
    const argv = ['--import', 'tsx', '--input-type=module', '-e', script];
    const answer = JSON.parse(execFileSync(process.execPath, argv, { encoding: 'utf8', timeout: 20_000 }));
    expect(answer).toMatchObject({ absent: false, unknown: expect.stringContaining('not a file') });
  });

  test('a link that leads out of the tree does not show this machine', () => {
    unlinkSync(join(root, 'etc/passwd'));
    symlinkSync('/etc/passwd', join(root, 'etc/passwd'));
    expect(captured().users).toEqual({ unknown: 'there is no /etc/passwd' });
    rmSync(join(root, 'sys/bus/pci'), { recursive: true });
    mkdirSync(join(root, 'sys/bus/pci'));
    symlinkSync('/sys/bus/pci/devices', join(root, 'sys/bus/pci/devices'));
    expect(probe(sysrootFiles(root)).diagnostics.map(({ code }) => code)).toEqual(['VP3040']);
  });
});

test('this machine reads as a snapshot, or says that it shows no PCI functions', () => {
  const { snapshot, diagnostics } = probe(liveFiles());
  if (snapshot === undefined) expect(diagnostics.map(({ code }) => code)).toEqual(['VP3040']);
  else expect(readSnapshot('live', writePretty(snapshot))).toEqual({ snapshot, diagnostics: [] });
});
