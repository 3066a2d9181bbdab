import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts';
import { ChangedText } from '../../../src/diagnostics/mend.ts';
import { checkPolicy, codesOf } from '../../checked.ts';
import { type MachineWords, withIommufd } from '../../machines.ts';

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

describe('a step that nobody asks for any more', () => {
  const port = { at: '04:00.0', id: '8086:10c9', class: 'nic', driver: 'igb', group: 13 } as const;
  const sriov = { totalVfs: 7, numVfs: 0 };
  const created = 'device port { at 04:00.0 } policy p { create 4 virtual functions on port }';

  test('virtual functions that cannot be foretold are not created', () => {
    const words: MachineWords = { functions: [{ ...port, sriov }] };
    const after = mended(created, 'VP3135', words);
    expect(after).toBe('device port { at 04:00.0 } policy p { }');
    expect(codesOf(checkPolicy(after, words))).toEqual(['VP2004']);
  });

  test('every statement that wants a file goes, and no other', () => {
    const theirs = { path: '/etc/security/limits.d/60-vfioplan.conf', text: 'dpdk - memlock unlimited\n' };
    const directories = ['/etc/security', '/etc/security/limits.d'].map((path) => ({ path, others: true }));
    const configuration = { readOnly: false, directories, files: [theirs] };
    const words: MachineWords = { functions: [nic, port], replace: { configuration } };
    const kept = `device uplink { at 03:00.0 } device port { at 04:00.0 }
      policy p { bind uplink to vfio-pci allow user dpdk to use uplink via group
        bind port to vfio-pci allow group kvm to use port via group }`;
    const text = `${kept} policy q { limit user dpdk to 4 GiB locked memory limit group kvm to 1 GiB locked memory }`;
    const [wrong] = checkPolicy(text, words).diagnostics;
    expect([wrong?.code, wrong?.fixes.map(({ title }) => title)]).toEqual([
      'VP3137',
      ['remove the statements that want it'],
    ]);
    const after = mended(text, 'VP3137', words);
    expect(after).toBe(`${kept} policy q { }`.replace(/\s+/g, ' '));
    expect(codesOf(checkPolicy(after, words))).toEqual([]);
  });

  test('of a driver that the kernel has not got the device is left, whatever the name may mean', () => {
    const text = `device uplink { at 03:00.0 } policy p { bind uplink to vfoi-pci
      allow user dpdk to use uplink via group }`;
    const [wrong] = checkPolicy(text, machine).diagnostics.filter(({ code }) => code === 'VP3118');
    expect(wrong?.fixes.map(({ title }) => title)).toEqual([
      'write `vfio-pci`',
      'leave `uplink` with its driver, and do not allow it',
    ]);
    for (const [place, codes] of [[], ['VP2004']].entries())
      expect(codesOf(checkPolicy(mended(text, 'VP3118', machine, place), machine))).toEqual(codes);
  });
});

describe('interrupts that are not isolated', () => {
  const words: MachineWords = {
    ...machine,
    interruptRemapping: false,
    functions: [nic, { ...nic, at: '04:00.0', group: 13 }],
  };
  const titles = (text: string) =>
    checkPolicy(text, words).diagnostics.flatMap(({ fixes }) => fixes.map(({ title }) => title));

  test('the device is left with its driver where no other statement binds what is allowed', () => {
    const text = `device uplink { at 03:00.0 } policy p { bind uplink to vfio-pci allow user dpdk to use uplink via group }`;
    expect(titles(text)).toEqual(['leave `uplink` with its driver, and do not allow it', 'remove the allow']);
    const [left, refused] = [0, 1].map((place) => mended(text, 'VP4109', words, place));
    expect(codesOf(checkPolicy(left as string, words))).toEqual(['VP2004']);
    expect(codesOf(checkPolicy(refused as string, words))).toEqual([]);
  });

  test('else it is allowed to nobody', () => {
    const text = `device a { at 03:00.0 } device b { at 04:00.0 } devices both { at 03:00.0 or at 04:00.0 }
      policy p { bind a to vfio-pci bind b to vfio-pci allow user dpdk to use both via group }`;
    expect(titles(text)).toEqual(['remove the allow']);
    expect(codesOf(checkPolicy(mended(text, 'VP4109', words), words))).not.toContain('VP4109');
  });
});

describe('who has a node from an earlier day', () => {
  const bound = { ...nic, driver: 'vfio-pci', driverOverride: 'vfio-pci' } as const;
  const given = (uid: number, gid: number, mode: number, path = '/dev/vfio/12'): MachineWords => ({
    ...machine,
    functions: [bound],
    replace: {
      ...withIommufd,
      nodes: [...withIommufd.nodes, { path, uid, gid, mode }],
      vfioDevices: [{ index: 3, function: '0000:03:00.0' }],
    },
  });
  const text = 'device uplink { at 03:00.0 } policy p { bind uplink to vfio-pci }';

  test.each([
    ['user spdk', 'group', given(1002, 0, 0o600)],
    ['group kvm', 'group', given(0, 36, 0o660)],
    ['user spdk', 'iommufd', given(1002, 0, 0o600, '/dev/vfio/devices/vfio3')],
  ])('%s can be allowed it, via %s', (who, via, words) => {
    const after = mended(text, 'VP4197', words);
    expect(after).toContain(`bind uplink to vfio-pci allow ${who} to use uplink via ${via} }`);
    expect(codesOf(checkPolicy(after, words))).toEqual([]);
  });

  test.each([
    ['who has no name', text, given(77, 0, 0o600)],
    ['everybody', text, given(0, 0, 0o666)],
    [
      'more than he has',
      text.replace('device uplink', 'devices uplink').replace('at 03:00.0', 'class network'),
      {
        ...given(1002, 0, 0o600),
        functions: [bound, { ...nic, at: '04:00.0', group: 13 }],
      },
    ],
  ])('%s cannot', (_, policy, words) => {
    const wrong = checkPolicy(policy, words).diagnostics.filter(({ code }) => code === 'VP4197');
    expect(wrong.map(({ fixes }) => fixes)).toEqual([[]]);
  });
});
