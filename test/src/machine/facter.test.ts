import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holds } from '../../../src/machine/holdings.ts';
import { isUnknown, known, type Snapshot } from '../../../src/machine/snapshot.ts';
import { bridgesAbove, siblingsOf, topologyOf } from '../../../src/machine/topology.ts';
import { readFacter, readSnapshot } from '../../../src/wire/read.ts';
import { writePretty } from '../../../src/wire/write.ts';
import { seed } from '../../seed.ts';

const folder = process.env['VFIOPLAN_MACHINES'] ?? '../shared/machines';
const present = existsSync(folder);
if (!present)
  console.warn(`no reports of real machines in ${folder}: set VFIOPLAN_MACHINES; these tests are skipped`);

const names = [
  'lassulus-neoprism',
  'mic92-utm-vm',
  'tum-adelaide',
  'tum-amy',
  'tum-astrid',
  'tum-eliza',
  'tum-graham',
  'tum-wilfred',
];

const textOf = (name: string) => readFileSync(join(folder, `${name}.facter.json`), 'utf8');

function imported(name: string): Snapshot {
  const { snapshot, diagnostics } = readFacter(name, textOf(name));
  expect(diagnostics).toEqual([]);
  if (snapshot === undefined) throw new Error('no snapshot');
  return snapshot;
}

interface Entry {
  readonly sysfs_bus_id: string;
  readonly sysfs_iommu_group_id?: number;
  readonly driver?: string;
  readonly vendor: { readonly hex: string };
  readonly device: { readonly hex: string };
  readonly base_class: { readonly hex: string };
  readonly detail: { readonly header_type: number };
}

/** The PCI entries of a report, found by walking all of it. */
function entriesOf(value: unknown): readonly Entry[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('bus_type' in value && JSON.stringify(value.bus_type).includes('"PCI"'))
    return [value as unknown as Entry];
  return Object.values(value).flatMap(entriesOf);
}

describe.skipIf(!present)('reports of real machines', () => {
  test('all eight are there', () => {
    expect(
      readdirSync(folder)
        .filter((file) => file.endsWith('.facter.json'))
        .sort(),
    ).toEqual(names.map((name) => `${name}.facter.json`));
  });

  test.each(names)('%s: every function, group, driver and id of the report', (name) => {
    const snapshot = imported(name);
    const entries = entriesOf(JSON.parse(textOf(name)));
    const { functions } = topologyOf(snapshot);
    expect(functions.size).toBe(entries.length);
    for (const entry of entries)
      expect(functions.get(entry.sysfs_bus_id)).toMatchObject({
        vendor: entry.vendor.hex,
        device: entry.device.hex,
        class: expect.stringMatching(new RegExp(`^${entry.base_class.hex.slice(2)}[0-9a-f]{4}$`)),
        driver: entry.driver ?? null,
        iommuGroup: entry.sysfs_iommu_group_id ?? null,
        headerType: entry.detail.header_type,
      });
    const groups = new Set(entries.flatMap((entry) => entry.sysfs_iommu_group_id ?? []));
    expect(known(snapshot.iommu.groups, []).map(({ id }) => id)).toEqual([...groups].sort((a, b) => a - b));
    for (const pci of snapshot.functions) expect(isUnknown(bridgesAbove(snapshot, pci))).toBe(false);
  });

  test.each(names)('%s is a snapshot that reads back, and is small', (name) => {
    const snapshot = imported(name);
    expect(readSnapshot('s.json', writePretty(snapshot))).toEqual({ snapshot, diagnostics: [] });
  });

  test.each(names)('%s: what the format does not tell is unknown, with a reason', (name) => {
    const snapshot = imported(name);
    for (const fact of [
      snapshot.routes,
      snapshot.users,
      snapshot.nodes,
      snapshot.kernel.release,
      snapshot.modules,
    ])
      expect(fact).toEqual({ unknown: 'a nixos-facter report does not tell it' });
    for (const pci of snapshot.functions)
      expect([pci.driverOverride, pci.resetMethods, pci.sriov, pci.numaNode].every(isUnknown)).toBe(true);
    const nic = snapshot.functions.find(({ netdevs }) => known(netdevs, []).length > 0);
    if (nic !== undefined)
      expect(holds(snapshot, nic.address, 'management')).toMatchObject({ fact: '/routes' });
  });

  test('tum-graham: one group holds the display of the BMC and both onboard ports', () => {
    const snapshot = imported('tum-graham');
    const port = topologyOf(snapshot).functions.get('0000:c1:00.0');
    expect(port).toMatchObject({ driver: 'tg3', netdevs: ['eno8303'] });
    const siblings = port === undefined ? [] : known(siblingsOf(snapshot, port), []);
    expect(siblings.map(({ address }) => address)).toContain('0000:c1:00.1');
    expect(siblings.map(({ driver }) => driver)).toContain('mgag200');
  });

  test('tum-wilfred: 0000:51:00.0 is alone in its group; a port has vfio-pci beside a host driver', () => {
    const snapshot = imported('tum-wilfred');
    const { functions } = topologyOf(snapshot);
    const ice = functions.get('0000:51:00.0');
    expect(ice?.driver).toBe('ice');
    expect(ice && siblingsOf(snapshot, ice)).toEqual([]);
    expect(functions.get('0000:01:00.0')?.driver).toBe('vfio-pci');
    expect(functions.get('0000:01:00.1')?.driver).toBe('ixgbe');
    expect(holds(snapshot, '0000:8a:00.0', 'root').is).toBe('unknown');
  });

  test('tum-astrid and mic92-utm-vm have no group at all, so no IOMMU', () => {
    for (const name of ['tum-astrid', 'mic92-utm-vm']) {
      const snapshot = imported(name);
      expect(snapshot.iommu).toEqual({ units: [], interruptRemapping: false, groups: [] });
      expect(snapshot.functions.every(({ iommuGroup }) => iommuGroup === null)).toBe(true);
    }
  });

  test('tum-eliza: arm64, with PCI domains', () => {
    const snapshot = imported('tum-eliza');
    expect(snapshot.architecture).toBe('aarch64');
    expect(new Set(snapshot.functions.map(({ address }) => address.slice(0, 4))).size).toBe(8);
    expect(topologyOf(snapshot).functions.get('0002:01:00.0')).toMatchObject({
      serial: 'S64HNN0XA20382',
      blockDevices: ['nvme0n1'],
      slot: ['pci0002:00', '01.0', '00.0'],
    });
  });
});

describe('broken reports', () => {
  const codesOf = (report: unknown) =>
    readFacter('r.json', JSON.stringify(report)).diagnostics.map(({ code }) => code);
  const pci = {
    bus_type: { name: 'PCI' },
    sysfs_bus_id: '0000:00:01.0',
    module_alias: 'pci:v00008086d00001572sv00000000sd00000000bc02sc00i00',
  };

  test.each<[string, unknown, readonly string[]]>([
    ['another document', { format: 'vfioplan.snapshot' }, ['VP3030']],
    ['a list', [], ['VP3030']],
    ['a newer version', { version: 2, hardware: {} }, ['VP3006']],
    ['no functions', { version: 1, hardware: { system: { form_factor: 'desktop' } } }, ['VP3032']],
    [
      'an address that is none',
      { version: 1, hardware: { pci: [{ ...pci, sysfs_bus_id: 7 }, pci] } },
      ['VP3031'],
    ],
    ['no ids', { version: 1, hardware: { pci: [{ ...pci, module_alias: 'x' }] } }, ['VP3031']],
    [
      'a group that is none',
      { version: 1, hardware: { pci: [{ ...pci, sysfs_iommu_group_id: -1 }] } },
      ['VP3031'],
    ],
    ['the same function twice', { version: 1, hardware: { pci: [pci, pci] } }, ['VP3012']],
    ['a sound one', { version: 1, hardware: { pci: [pci] } }, []],
  ])('%s', (_, report, codes) => {
    expect(codesOf(report)).toEqual(codes);
  });

  test('any JSON gives a valid snapshot or a coded error', () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined));
    const entry = fc.record(
      {
        bus_type: fc.constant({ name: 'PCI' }),
        sysfs_bus_id: fc.oneof(fc.constantFrom('0000:00:01.0', '0000:00:02.0'), value),
        module_alias: fc.oneof(fc.constant(pci.module_alias), value),
        sysfs_id: fc.oneof(fc.constantFrom('/class/net/eth0', '/devices/pci0000:00/0000:00:01.0'), value),
        vendor: fc.oneof(fc.constant({ hex: '8086', name: 'Intel' }), value),
        driver: fc.oneof(fc.string(), value),
        sysfs_iommu_group_id: fc.oneof(fc.integer(), value),
        detail: value,
        revision: value,
        serial: value,
        model: value,
      },
      { requiredKeys: [] },
    );
    const report = fc.record({
      version: fc.constant(1),
      system: value,
      hardware: fc.dictionary(fc.constantFrom('disk', 'network_interface', 'pci', 'bridge'), fc.array(entry)),
    });
    fc.assert(
      fc.property(fc.oneof(report, value), (json) => {
        const { snapshot, diagnostics } = readFacter('r.json', JSON.stringify(json) ?? '');
        expect((snapshot === undefined) === diagnostics.length > 0).toBe(true);
        if (snapshot !== undefined)
          expect(readSnapshot('s.json', writePretty(snapshot)).diagnostics).toEqual([]);
      }),
      { seed, numRuns: 2000 },
    );
  });
});
