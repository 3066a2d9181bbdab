import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bootSandbox } from '../../../runtime/kernel/sandbox.ts';
import { probe } from '../../../runtime/probe/probe.ts';
import { isUnknown, type PciFunction, type Snapshot } from '../../../src/machine/snapshot.ts';
import { machine } from '../../machines.ts';
import { filesOf } from './files.ts';

/**
 * A machine that was booted from a snapshot, read as a real one is read, gives the snapshot back: every fact that the
 * simulation shows at all. Routes, disks and users are no part of it.
 */

const root = { uid: 0, gid: 0, groups: [], capabilities: ['CAP_DAC_OVERRIDE', 'CAP_SYS_ADMIN'] };
const examples = new URL('../../../examples/', import.meta.url);

const facts = [
  'vendor',
  'device',
  'subsystemVendor',
  'subsystemDevice',
  'class',
  'revision',
  'headerType',
  'driver',
  'driverOverride',
  'iommuGroup',
  'slot',
  'numaNode',
  'resetMethods',
  'bars',
  'capabilities',
  'multifunction',
  'iommuUnit',
  'sriov',
  'physicalFunction',
] as const satisfies readonly (keyof PciFunction)[];

/** What is known of a function, the order of BARs aside. */
function known(pci: PciFunction, of: PciFunction): object {
  const told = facts.filter((fact) => of[fact] !== undefined && !isUnknown(of[fact]));
  const entries = told.map((fact) => [fact, pci[fact]]);
  return Object.fromEntries(entries);
}

const unit = {
  ...{ name: 'dmar0', addressBits: 39, pageSizes: '0x201000' },
  ...{ snoopControl: false, dirtyTracking: false },
} as const;
const capable = machine({
  functions: [
    {
      ...{ at: '01:00.0', id: '8086:1572', class: 'nic', multifunction: true, iommuUnit: 'dmar0' },
      capabilities: {
        ...{ express: true, msiVectors: 1, interruptPin: 1, configSize: 4096 },
        ...{ msixVectors: 129, msixTable: { bar: 3, offset: 4096 } },
      },
    },
  ],
});
const handmade: Snapshot = {
  ...capable,
  iommu: { ...capable.iommu, translation: [unit] },
  nodes: [
    { path: '/dev/kvm', uid: 0, gid: 36, mode: 0o660 },
    { path: '/dev/vfio/vfio', uid: 0, gid: 0, mode: 0o666 },
  ],
};

const names = readdirSync(examples).filter((name) => /^\d/.test(name));

const machines: readonly (readonly [string, Snapshot])[] = [
  ...names.map((name): readonly [string, Snapshot] => [
    `example ${name}`,
    JSON.parse(readFileSync(new URL(`${name}/machine.json`, examples), 'utf8')),
  ]),
  ['every fact of its hardware', handmade],
];

describe.each(machines)('the machine of %s', (_, snapshot) => {
  it('is read back from the simulated kernel', async () => {
    const sandbox = await bootSandbox(snapshot);
    const { snapshot: read, diagnostics } = probe(filesOf(sandbox.process(root)));
    if (read === undefined) throw new Error(JSON.stringify(diagnostics));
    expect(read.functions.map(({ address }) => address)).toEqual(
      snapshot.functions.map(({ address }) => address).sort(),
    );
    for (const pci of snapshot.functions) {
      const again = read.functions.find(({ address }) => address === pci.address);
      expect(again && known(again, pci), pci.address).toEqual(known(pci, pci));
    }
    expect(read.hostname).toEqual(snapshot.hostname);
    expect(read.kernel).toMatchObject({
      release: snapshot.kernel.release,
      taint: snapshot.kernel.taint,
      commandLine: snapshot.kernel.commandLine,
    });
    expect(read.iommu.units).toEqual(snapshot.iommu.units);
    if (snapshot.iommu.translation !== undefined)
      expect(read.iommu.translation).toEqual(snapshot.iommu.translation);
    expect(read.iommu.groups).toEqual(snapshot.iommu.groups);
    expect(read.nodes).toEqual(snapshot.nodes);
    // A snapshot that is older than the fact does not tell it; the model then counts.
    const taken = read.functions.filter(({ driver }) => driver === 'vfio-pci').map(({ address }) => address);
    expect(read.vfioDevices).toEqual(taken.map((address, index) => ({ index, function: address })));
    sandbox.dispose();
  });
});
