import { describe, expect, it } from 'vitest';
import { hoverAt } from '../../../editor/service/hover.ts';
import { at, example, nic, textAt } from './workspace.ts';

function hover({ workspace, meaning, spot }: ReturnType<typeof at>): string {
  return hoverAt(workspace, meaning, spot)?.paragraphs.join('\n\n') ?? '';
}

describe('hover', () => {
  it('says what a keyword means', () => {
    expect(hover(nic('iommu    absent', 2))).toContain('whether the machine has an IOMMU');
  });

  it('says what a device is on the machine, and who uses it by which node', () => {
    const text = hover(nic('bind  fastpath', 8));
    expect(text).toContain('**device** `fastpath`');
    expect(text).toContain('On `edge-01`: 0000:00:03.0 is 8086:10d3');
    expect(text).toContain('no IOMMU group');
    expect(text).toContain('user dpdk uses it via noiommu: `/dev/vfio/noiommu');
  });

  it('says what an address, an id and a class choose', () => {
    expect(hover(nic('0000:00:03.0', 3))).toContain('8086:10d3');
    expect(hover(nic('8086:10d3', 1))).toContain('0000:00:03.0');
    expect(hover(at({ 'a.vfio': 'devices d on edge-01 { class netw|ork }' }))).toContain('0000:00:0');
    expect(hover(at({ 'a.vfio': 'device d on edge-01 { at 0000:ff:1|f.7 }' }))).toContain('no function');
  });

  it('says whether a driver is there, and which functions have it', () => {
    const text = hover(nic('to vfio-pci', 5));
    expect(text).toContain('**driver** `vfio-pci`: hands its functions to user space through VFIO');
    expect(text).toContain('On `edge-01`: registered, bound to no function');
    const host = hover(at({ 'a.vfio': 'policy p on edge-01 { bind d to e10|00e }' }));
    expect(host).toMatch(
      /^\*\*driver\*\* `e1000e`\n\nOn `edge-01`: registered, bound to 2 functions\n- 0000:00:02\.0/,
    );
    const selected = hover(at({ 'a.vfio': 'devices d on edge-01 { driver i4|0e }' }));
    expect(selected).toContain('On `edge-01`: not registered, bound to no function');
  });

  it.each([
    [
      'test "t" on h { as user a { open d -> EAC|CES } }',
      ['**errno** `EACCES`, 13', '`open`: ', 'fs/namei.c'],
    ],
    [
      'test "t" on h { apply p when step 1 fails with EBU|SY }',
      ['**errno** `EBUSY`, 16', 'and \\d+ more|`open`'],
    ],
    ['test "t" on h { expect apply p refused VP31|07 }', ['**VP3107**: ']],
    [
      'policy p { allow user a with CAP_SYS_RAW|IO to use d via noiommu }',
      ['**capability** `CAP_SYS_RAWIO`', 'no IOMMU'],
    ],
    ['policy p { allow user a with CAP_SYS|LOG to use d via noiommu }', ['**capability** `CAP_SYSLOG`']],
    ['policy p { require d resets by fl|r, bus }', ['**reset** `flr`: Function Level Reset of PCI Express']],
    ['policy p { require d resets by flr, bu|s }', ['**reset** `bus`']],
    ['policy p { limit user a to 4| GiB locked memory }', ['4 GiB: 4,294,967,296 bytes']],
    ['policy p { limit user a to 4 Gi|B locked memory }', ['4 GiB: 4,294,967,296 bytes']],
    ['policy p { confirm within 2 mi|n }', ['2 min: 120 seconds']],
  ])('says what a value means: %s', (text, expected) => {
    const said = hover(at({ 'a.vfio': text }));
    for (const words of expected) expect(said).toMatch(new RegExp(words.replaceAll('*', '\\*')));
  });

  it('says nothing of a number without a unit', () => {
    expect(hover(at({ 'a.vfio': 'policy p { create |4 virtual functions on d }' }))).toBe('');
  });

  it('says what the machine has of what its host states', () => {
    expect(hover(nic('iommu    absent', 2))).toContain('On `edge-01`: no IOMMU');
    expect(hover(nic('absent', 2))).toContain('On `edge-01`: no IOMMU');
    expect(hover(nic('kernel', 2))).toContain('On `edge-01`: Linux 6.12.57');
    expect(hover(nic('6.1', 1))).toBe('On `edge-01`: Linux 6.12.57');
  });

  it('says which steps of the plan a statement wants', () => {
    expect(hover(nic('bind  fastpath', 1))).toMatch(/In the plan:\n- `edge-01` step \d+: /);
  });

  it('says who a user is, and what he needs', () => {
    const text = hover(nic('user dpdk', 6));
    expect(text).toMatch(/uid \d+/);
    expect(text).toContain('CAP\\_SYS\\_RAWIO');
  });

  it('cites the kernel where it refuses', () => {
    const text = example('02-gpu-for-a-vm/policy.vfio').replace('with its group ', '');
    const spot = at({ 'policy.vfio': text }, '02-gpu-for-a-vm/machine.json');
    const cited = spot.meaning.diagnostics.filter(({ kernel }) => kernel !== undefined);
    expect(cited.length).toBeGreaterThan(0);
    for (const { place, kernel } of cited) {
      const shown = hover({ ...spot, spot: { file: place.file, offset: place.span.start } });
      expect(shown).toContain(`Linux answers \`${kernel?.errno}\``);
      expect(shown).toContain(kernel?.citation ?? '-');
    }
  });

  it('says what a test does, where, and what it covers when it passes', () => {
    const policies = `host edge-0* { noiommu forbidden }
device d on edge-01 { at 0000:00:03.0 }
policy p on edge-01 { bind d to vfio-pci allow user dpdk to use d via noiommu limit user dpdk to 1 GiB locked memory }\n`;
    const test = (name: string, on: string, statements: string) =>
      hover(at({ 'a.vfio': `${policies}test "${name}" on ${on} {\n${statements}\n}` }));
    expect(
      test(
        'it g|oes `well`',
        'edge-01',
        `apply  p
  as user dpdk with CAP_SYS_RAWIO { open d -> ok use d via noiommu -> ok map 2 MiB at 0x0 -> ENOTTY }
  as anyone { open d -> EACCES }
  expect apply p refused VP3113
  apply p when step 1 fails with EBUSY
  expect machine unchanged`,
      ),
    ).toBe(
      [
        '**test** `it goes  well `: what is done on a simulated machine, and what must hold then',
        'On `edge-01`',
        `6 steps:
- \`apply p\`
- \`as user dpdk with CAP_SYS_RAWIO\` 3 calls
- \`as anyone\` one call
- \`expect apply p refused VP3113\`
- \`apply p when step 1 fails with EBUSY\`
- \`expect machine unchanged\``,
        'Covers `bind` of `p`, `limit` of `p`, `allow` of user dpdk for `d`, `p` refused with `VP3113`',
      ].join('\n\n'),
    );
    expect(test('|', 'edge-*', '')).toContain('On each of `edge-*`: `edge-01`\n\nIt does nothing');
    expect(test('|', 'snapshot "m.json"', 'apply p when not confirmed')).toMatch(
      /On the machine of `m\.json`[\s\S]*One step:[\s\S]*Covers `confirm`$/,
    );
    expect(test('|', 'edge-01', 'expect kernel tainted '.repeat(9))).toContain('and 1 more');
  });

  it('says what a file of ours is for, and what the machine and the plan have of it', () => {
    const kept = example('01-nic-without-iommu/policy.vfio').replace('allow ', 'persist across boots allow ');
    const rules = '/etc/udev/rules.d/60-vfioplan.rules';
    const test = `${kept}\ntest "t" on edge-01 { expect file "/etc/ud|ev/rules.d/60-vfioplan.rules" present }`;
    expect(hover(at({ 'policy.vfio': test }))).toMatch(
      new RegExp(
        `^\\*\\*file\\*\\* .${rules}.: what udev does .*\n\nOn .edge-01.: (there is none|not known: .*)\n\nIn the plan: .edge-01. step \\d+: write `,
      ),
    );
    const { workspace, meaning, spot } = at({
      'a.vfio': 'test "t" on edge-01 { expect file "/etc/modp|robe.d/vfioplan.conf" absent }',
    });
    const configuration = {
      readOnly: false,
      directories: [],
      files: [{ path: '/etc/modprobe.d/vfioplan.conf', text: 'a\nb\n' }],
    };
    const machines = workspace.machines.map((each) => ({
      ...each,
      snapshot: { ...each.snapshot, configuration },
    }));
    const there = { ...workspace, machines };
    expect(hover({ workspace: there, meaning: { ...meaning, hosts: [] }, spot })).toMatch(
      /it says\n- `a`\n- `b`$/,
    );
  });

  it('shows text of policies and machines as text', () => {
    const { workspace, meaning, spot } = at({
      'a.vfio': 'policy p { allow vm "a`<b>|" to use any device via any }',
    });
    const found = hoverAt(workspace, meaning, spot);
    expect(found?.paragraphs[0]).toContain('**vm** `a <b>`');
    expect(textAt(workspace, 'a.vfio', found?.span ?? { start: 0, end: 0 })).toBe('"a`<b>"');
  });

  it('says nothing in a comment, and in an empty file', () => {
    expect(hover(nic('# Address', 4))).toBe('');
    expect(hover(at({ 'a.vfio': '|' }))).toBe('');
  });
});
