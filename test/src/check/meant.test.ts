import { describe, expect, test } from 'vitest';
import { check } from '../../../src/check/check.ts';
import { ChangedText } from '../../../src/diagnostics/mend.ts';
import { machine } from '../../machines.ts';

/** Names that a slip of the pen may mean come from the files, from the machine's facts and from its drivers. */
const good = `import "base.vfio"
host edge-01 { iommu required }
device uplink on edge-01 { netdev enp3s0f0 }
device spare on edge-01 { class storage.nvme driver nvme }
policy dataplane on edge-01 {
  bind uplink to uio_pci_generic
  bind spare to vfio-pci
  allow user dpdk to use spare via group
}
`;
const base = 'policy baseline on * { protect devices that hold root, boot }\n';
const snapshot = machine({
  hostname: 'edge-01',
  functions: [
    { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' },
    { at: '04:00.0', id: '144d:a80a', class: 'nvme', driver: 'nvme' },
  ],
  nics: [{ name: 'enp3s0f0', on: '03:00.0' }],
  users: [{ name: 'dpdk', uid: 990 }],
  drivers: ['vfio-pci', 'uio_pci_generic'],
});

function diagnosticsOf(text: string) {
  const sources = [
    { file: 'p.vfio', text },
    { file: 'base.vfio', text: base },
  ];
  const machines = [{ name: 'edge-01', snapshot }];
  return check({ sources, machines, today: '2026-11-22' }).diagnostics;
}

describe('a slip of the pen is told once, with what is meant, and the fix mends it', () => {
  const before = diagnosticsOf(good).map(({ code }) => code);

  test.each([
    ['a device of the policy', 'bind uplink', 'bind upllink', 'VP2002'],
    ['a host', 'uplink on edge-01', 'uplink on egde-01', 'VP2003'],
    ['an import', 'base.vfio', 'bsae.vfio', 'VP2005'],
    ['a class', 'storage.nvme', 'storage.nmve', 'VP2013'],
    ['a name of the machine', 'netdev enp3s0f0', 'netdev enp3sf0', 'VP2101'],
    ['a driver that a function has', 'driver nvme', 'driver nvm', 'VP2101'],
    ['a user of the machine', 'user dpdk', 'user dpkd', 'VP3117'],
    ['a driver of the machine', 'to uio_pci_generic', 'to uio_pci_genric', 'VP3118'],
    ['a word', 'via group', 'via gruop', 'VP1004'],
    ['a keyword', 'bind spare', 'bnid spare', 'VP1005'],
  ])('%s', (_, right, wrong, code) => {
    const text = good.replace(right, wrong);
    const found = diagnosticsOf(text).filter(({ severity }) => severity === 'error');
    const [diagnostic] = found;
    expect(found.map((each) => each.code)).toEqual([code]);
    expect(diagnostic?.cures[0]).toMatch(/^did you mean `.+`\?$/);
    const changed = new ChangedText(text);
    changed.make(diagnostic?.fixes[0]?.edits ?? []);
    expect(changed.text).toBe(good);
    expect(diagnostic?.fixes[0]?.safe).toBe(false);
    expect(diagnosticsOf(changed.text).map((each) => each.code)).toEqual(before);
  });
});

describe('what was left out between two words is put in by the fix', () => {
  const limited = good.replace('bind spare', 'limit user dpdk to 4 GiB locked memory\n  bind spare');
  const kept = good.replace('bind spare', 'persist across boots, before drivers\n  bind spare');
  const required = good.replace('bind spare', 'require spare resets by flr, bus\n  bind spare');

  test.each([
    ['a word before quotes', good.replace('to vfio-pci', 'to "vfio-pci"'), ' to "v', '"v', 'VP1004', true],
    ['a space before a unit', limited, '4 GiB', '4GiB', 'VP1004', true],
    ['a comma before what a device holds', `${good}${base}`, 'root, boot', 'root boot', 'VP1005', false],
    ['a comma before a way to reset', required, 'flr, bus', 'flr bus', 'VP1005', false],
    ['a comma before `before drivers`', kept, 'boots, before', 'boots before', 'VP1005', false],
  ])('%s', (_, whole, right, wrong, code, safe) => {
    const text = whole.replace(right, wrong);
    expect(text).not.toBe(whole);
    const found = diagnosticsOf(text).filter((each) => each.code.startsWith('VP1'));
    expect(found.map((each) => each.code)).toEqual([code]);
    const [fix] = found[0]?.fixes ?? [];
    expect(fix?.safe).toBe(safe);
    const changed = new ChangedText(text);
    changed.make(fix?.edits ?? []);
    expect(changed.text).toBe(whole);
  });
});

test('where a list cannot stand, no word is put in before its comma', () => {
  const text = good.replace('bind uplink', 'bind uplink, spare');
  const [found] = diagnosticsOf(text).filter(({ code }) => code === 'VP1004');
  expect([found?.fixes, found?.cures]).toEqual([[], [expect.stringMatching(/^no list can stand here/)]]);
});
