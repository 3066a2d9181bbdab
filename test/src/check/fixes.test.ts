import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts';
import { ChangedText } from '../../../src/diagnostics/mend.ts';
import { checkPolicy, codesOf } from '../../checked.ts';
import type { MachineWords } from '../../machines.ts';

/** Edits for what rules and the model refuse; each page tests its own, here is what lies between statements. */

const alone = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' } as const;
const nic = { ...alone, group: 12 };
const bridge = { at: '00:1c.0', id: '8086:a110', class: 'bridge', driver: 'pcieport', group: 1 } as const;
const machine: MachineWords = {
  functions: [bridge, nic],
  users: [
    { name: 'dpdk', uid: 1000 },
    { name: 'spdk', uid: 1002 },
  ],
};
const bare: MachineWords = { iommu: 'none', functions: [alone] };

function mended(text: string, code: string, words: MachineWords, place = 0): string {
  const wrong = checkPolicy(text, words).diagnostics.find((each) => each.code === code);
  const fix = (wrong as Diagnostic).fixes[place];
  if (fix === undefined) throw new Error(`${code} has no fix ${place}`);
  // None of them keeps what the text says: a person has to choose.
  expect(fix.safe).toBe(false);
  const changed = new ChangedText(text);
  changed.make(fix.edits);
  return changed.text.replace(/\s+/g, ' ').trim();
}

describe('a device is left with its driver', () => {
  const devices = 'device port { at 00:1c.0 } device uplink { at 03:00.0 } ';

  test('what allows nothing else goes with its bind', () => {
    const text = `${devices} policy p { bind port to vfio-pci allow user dpdk to use port via group
      bind uplink to vfio-pci allow user dpdk to use uplink via group }`;
    const after = mended(text, 'VP4103', machine);
    expect(after).toBe(
      `${devices} policy p { bind uplink to vfio-pci allow user dpdk to use uplink via group }`.replace(
        /\s+/g,
        ' ',
      ),
    );
    expect(codesOf(checkPolicy(after, machine))).toEqual(['VP2004']);
  });

  test('what another bind brings as well, and what allows more, stays', () => {
    const text = `${devices} devices both { at 00:1c.0 or at 03:00.0 }
      policy p { bind port to vfio-pci bind uplink to vfio-pci allow user dpdk to use both via group }
      policy q { bind uplink to vfio-pci allow user spdk to use uplink via group }`;
    const after = mended(text, 'VP4103', machine);
    expect(after).toContain('policy p { bind uplink to vfio-pci allow user dpdk to use both via group }');
    expect(after).toContain('policy q { bind uplink to vfio-pci allow user spdk to use uplink via group }');
  });
});

describe('no-IOMMU mode is not allowed by an edit', () => {
  const policy = 'device uplink { at 03:00.0 } policy p { bind uplink to vfio-pci }';

  test('what is put in has blanks, which a person fills in', () => {
    const text = `host testbox { noiommu forbidden } ${policy}`;
    const after = mended(text, 'VP3113', bare, 1);
    expect(after).toContain('host testbox { noiommu allowed { owner "…" reason "…" until YYYY-MM-DD } }');
    expect(checkPolicy(after, bare).hosts[0]?.checked).toBeUndefined();
    const filled = after.replace('YYYY-MM-DD', '2027-03-01');
    expect(codesOf(checkPolicy(filled, bare))).not.toContain('VP3113');
  });

  test('without a statement of the host there is no place for it', () => {
    const { diagnostics } = checkPolicy(`host testbox {} ${policy}`, bare);
    expect(diagnostics.map(({ code, fixes }) => [code, fixes.map(({ title }) => title)])).toEqual([
      ['VP3113', ['leave `uplink` with its driver']],
    ]);
  });
});

describe('the kernel that runs is stated', () => {
  const host = (statement: string) => `host testbox { ${statement} } policy p { forbid unsafe interrupts }`;

  test.each(['kernel >= 6.14', 'kernel = 6.14', 'kernel <= 6.1'])('%s', (statement) => {
    const after = mended(host(statement), 'VP3112', machine);
    expect(after).toBe(host(statement.replace(/[\d.]+$/, '6.12')));
    expect(codesOf(checkPolicy(after, machine))).not.toContain('VP3112');
  });

  test.each(['kernel > 6.14', 'kernel < 6.1'])('%s: the version alone cannot be put right', (statement) => {
    const [wrong] = checkPolicy(host(statement), machine).diagnostics;
    expect([wrong?.code, wrong?.fixes]).toEqual(['VP3112', []]);
  });
});

describe('groups that the kernel was built without', () => {
  const text =
    'device uplink { at 03:00.0 } policy p { bind uplink to vfio-pci allow user dpdk to use uplink via group }';
  const groupless = { VFIO_GROUP: 'n', VFIO_CONTAINER: 'n' } as const;
  const modules = { vfio: { parameters: {} }, iommufd: { parameters: {} }, vfio_pci: { parameters: {} } };
  const replace = { modules, vfioDevices: [{ index: 0, function: null }] };

  test('the other way is offered where the kernel has it', () => {
    const words: MachineWords = { ...machine, options: groupless, replace };
    const after = mended(text, 'VP4108', words);
    expect(after).toBe(text.replace('via group', 'via iommufd'));
    expect(codesOf(checkPolicy(after, words))).toEqual([]);
  });

  test('and not where it has neither', () => {
    const words: MachineWords = {
      ...machine,
      options: { ...groupless, VFIO_DEVICE_CDEV: 'n', IOMMUFD: 'n' },
    };
    const [wrong] = checkPolicy(text, words).diagnostics;
    expect([wrong?.code, wrong?.fixes]).toEqual(['VP4108', []]);
  });
});
