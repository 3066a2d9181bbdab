import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keywords } from '../../grammar/keywords.ts';
import { wordPattern } from '../../grammar/tokens.ts';
import { check } from '../../src/check/check.ts';
import { makePlan } from '../../src/plan/make.ts';
import { readDocument } from '../../src/syntax/read.ts';
import { type MachineWords, machine, withIommufd } from '../machines.ts';
import { runAll } from '../runtime/tests/run-all.ts';
import { Exercised } from './exercised.ts';

const reference = readFileSync(new URL('../../grammar/README.md', import.meta.url), 'utf8');
const examples = [...reference.matchAll(/^```vfio\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);

/** The machines that the examples speak of. */
const nvme = { id: '144d:a80a', class: 'nvme', driver: 'nvme' } as const;
const gpu = { at: '01:00.0', id: '10de:2684', class: 'gpu', driver: 'nouveau', group: 17 } as const;
const sound = { at: '01:00.1', id: '10de:22ba', class: 'audio', driver: 'snd_hda_intel', group: 17 } as const;
const machines: Readonly<Record<string, MachineWords>> = {
  'edge-01': {
    iommu: 'none',
    functions: [
      { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' },
      { at: '04:00.0', id: '8086:10d3', class: 'nic', driver: 'e1000e' },
    ],
    users: [
      { name: 'dpdk', uid: 1000, capabilities: ['CAP_SYS_RAWIO'] },
      { name: 'mallory', uid: 1001 },
    ],
  },
  'db-1': {
    functions: [
      { ...nvme, at: '02:00.0' },
      { ...nvme, at: '03:00.0' },
      { ...nvme, at: '04:00.0', id: '144d:a80b' },
      { at: '05:00.0', id: '1000:005d', class: '010400', driver: 'megaraid_sas' },
    ],
    disks: [
      { name: 'nvme0n1', on: '02:00.0', parts: [{ name: 'nvme0n1p1', mounts: ['/'], signature: 'ext4' }] },
      { name: 'nvme1n1', on: '03:00.0' },
      { name: 'nvme2n1', on: '04:00.0' },
    ],
    users: [{ name: 'spdk', uid: 991 }],
  },
  'desk-07': { functions: [gpu, sound] },
  'machines/desk-08.json': {
    functions: [gpu, sound, { ...nvme, at: '01:00.2', group: 17 }],
    disks: [{ name: 'nvme0n1', on: '01:00.2', mounts: ['/'], signature: 'ext4' }],
  },
  'virt-01': {
    functions: [
      {
        ...{ at: '03:00.0', id: '8086:10c9', class: 'nic', driver: 'igb' },
        sriov: { totalVfs: 7, numVfs: 0, routing: { offset: 128, stride: 2, device: '10ca' } },
      },
      {
        ...{ ...nvme, at: '05:00.0', serial: 'S64FNE0R' },
        ...{ subsystemVendor: '1028', subsystemDevice: '1fd0' },
      },
      {
        ...{ at: '06:00.0', id: '8086:18a0', class: 'accelerator', driver: 'qat' },
        ...{ slot: ['pci0000:00', '1c.0', '00.0'], firmwareLabel: 'Onboard crypto' },
      },
      { at: '07:00.0', id: '8086:15b8', class: 'nic', driver: 'e1000e' },
    ],
    disks: [{ name: 'nvme0n1', on: '05:00.0' }],
    nics: [{ name: 'eno1', on: '07:00.0', mac: 'b4:96:91:a1:02:33' }],
    replace: withIommufd,
  },
};

const imported = examples.filter((text) => text.startsWith('# sites.vfio\n'));
const sources = [
  { file: 'reference.vfio', text: examples.filter((text) => !imported.includes(text)).join('\n') },
  { file: 'sites.vfio', text: imported.join('\n') },
];
const input = {
  sources,
  machines: Object.entries(machines).map(([name, words]) => ({
    name,
    snapshot: machine({ hostname: name, ...words }),
  })),
  today: '2026-11-22',
};

describe('the examples of the reference', () => {
  it.each(examples)('%s', (text) => {
    expect(readDocument('reference.vfio', text).diagnostics).toEqual([]);
  });

  it('show every keyword of the language', () => {
    const shown = new Set(examples.join('\n').match(new RegExp(wordPattern, 'g')));
    expect(Object.keys(keywords).filter((word) => !shown.has(word))).toEqual([]);
  });

  it('take every choice of the grammar', () => {
    expect(new Exercised(examples.join('\n')).missing()).toEqual([]);
  });

  const here = { ...input, machines: input.machines.filter(({ name }) => !name.includes('/')) };
  const { hosts, diagnostics } = check(here);

  it('are sound on their machines: what is told is what others have to do, and what rests on a claim', () => {
    expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`).sort()).toEqual([
      'info VP3127',
      ...['warning VP3124', 'warning VP3124'],
      ...Array.from({ length: 7 }, () => 'warning VP3133'),
    ]);
  });

  it('give a plan for each machine', () => {
    const plans = hosts.map(({ host, checked }) => {
      if (checked === undefined) return [host];
      const { steps, access } = makePlan(checked, { sources, today: input.today });
      expect(steps.length).toBeGreaterThan(0);
      return [host, ...access.map(({ who, device, path }) => `${who}: ${device} via ${path}`)];
    });
    expect(plans).toEqual([
      ['edge-01', 'user dpdk: engine via noiommu', 'user dpdk: uplink via noiommu'],
      ['db-1', 'user spdk: scratch via group'],
      ['desk-07', 'vm win11: gpu via group'],
      [
        'virt-01',
        'container web: crypto via group',
        'group kvm: any device via iommufd',
        'service vpp: storage via group',
      ],
    ]);
  });

  it('pass their tests', async () => {
    const results = await runAll(input);
    expect(results.map(({ passed, diagnostics }) => [passed, diagnostics])).toEqual(
      results.map(() => [true, []]),
    );
    expect(results).toHaveLength(6);
  }, 60_000);
});
