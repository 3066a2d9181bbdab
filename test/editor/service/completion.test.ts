import { describe, expect, it } from 'vitest';
import { complete } from '../../../editor/service/completion.ts';
import { keywords } from '../../../grammar/keywords.ts';
import { readDocument } from '../../../src/syntax/read.ts';
import { at, example, textAt } from './workspace.ts';

/** What is offered where the text has its `|`. */
function offered(text: string, machine?: string): readonly string[] {
  const { workspace, meaning, spot } = at({ 'a.vfio': text }, machine);
  return complete(workspace, meaning, spot).map((offer) => offer.text);
}

const device = 'device fast on edge-01 { at 0000:00:03.0 }\n';

describe('completion', () => {
  it('offers the words that the grammar allows, and no others', () => {
    const declarations = ['import', 'host', 'device', 'devices', 'policy', 'test'];
    expect(offered('|')).toEqual(declarations);
    // Between declarations nothing is named, whatever was declared before.
    expect(offered(`${device}policy p on edge-01 { bind fast to vfio-pci }\n|`)).toEqual(declarations);
    expect(offered('po|')).toContain('policy');
    expect(offered('policy p |')).toEqual(['on']);
    expect(offered('policy p { allow |')).toEqual(['anyone', 'user', 'group', 'service', 'vm', 'container']);
    expect(offered('host h { iommu |')).toEqual(['required', 'absent', 'any']);
    expect(offered('host h { noiommu allowed { |')).toEqual(['owner', 'reason', 'until']);
    expect(offered('policy p { forbid unsafe |')).toEqual(['interrupts']);
  });

  it('reads on from a broken statement', () => {
    expect(offered('policy p { bnd x y allow |')).toContain('user');
    expect(offered('policy p { bind x to\n allow user a to |')).toEqual(['use']);
    expect(offered('policy { } } policy q on h { requ|')).toContain('require');
  });

  it('offers the names that are declared for the host', () => {
    const other = 'device far on other { at 0000:00:04.0 }\n';
    const text = `host edge-01 { }\nhost other { }\n${device}${other}policy p on edge-01 { bind | }`;
    expect(offered(text)).toEqual(['fast']);
    expect(offered(`host edge-01 { label role "lab" }\n${device}policy p on |`)).toEqual(['edge-01']);
    expect(
      offered('host h { label role "lab" }\npolicy p { forbid anyone to use any device unless host |'),
    ).toEqual(['role']);
    expect(
      offered(
        'host h { label role "lab" }\npolicy p { forbid anyone to use any device unless host role is |',
      ),
    ).toEqual(['"lab"']);
  });

  it('offers the files that plans write, and what a test says of one', () => {
    const text = 'policy p { limit service vpp to 1 GiB locked memory }\ntest "t" on edge-01 { expect file';
    expect(offered(`${text} |`)).toEqual([
      '"/etc/modules-load.d/vfioplan.conf"',
      '"/etc/modprobe.d/vfioplan.conf"',
      '"/etc/udev/rules.d/60-vfioplan.rules"',
      '"/etc/security/limits.d/60-vfioplan.conf"',
      '"/etc/systemd/system/vpp.service.d/60-vfioplan.conf"',
    ]);
    expect(offered(`${text} "/etc/mod|`)).toContain('"/etc/modprobe.d/vfioplan.conf"');
    expect(offered(`${text} "a" |`)).toEqual(['present', 'absent', 'with']);
    expect(offered(`${text} "a" with |`)).toEqual(['line', 'text']);
  });

  it('offers what the machine has', () => {
    expect(offered('device d on edge-01 { at | }')).toContain('0000:00:03.0');
    expect(offered('device d on edge-01 { id 80| }')).toContain('8086:10d3');
    expect(offered('device d on edge-01 { class | }')).toContain('network.ethernet');
    expect(offered(`${device}policy p on edge-01 { bind fast to |`)).toEqual(
      expect.arrayContaining(['vfio-pci', 'vfio', 'none', 'default']),
    );
    expect(offered(`${device}policy p on edge-01 { allow user |`)).toContain('dpdk');
    expect(offered('host edge-01 { kernel >= |')).toEqual(['6.12']);
  });

  it('offers what the kernel knows', () => {
    expect(offered('policy p { require d resets by |')).toContain('flr');
    expect(offered('policy p { allow user a with |')).toContain('CAP_SYS_RAWIO');
    expect(offered('policy p { limit user a to 4 |')).toEqual(['KiB', 'MiB', 'GiB', 'TiB']);
  });

  it('replaces the word that has begun, and the quote that an editor closed', () => {
    const { workspace, spot, meaning } = at({
      'a.vfio':
        'host h { label role "lab" }\npolicy p { forbid anyone to use any device unless host role is "l|" }',
    });
    const [offer] = complete(workspace, meaning, spot);
    expect(offer?.text).toBe('"lab"');
    expect(textAt(workspace, 'a.vfio', offer?.span ?? { start: 0, end: 0 })).toBe('"l"');
  });

  it('offers in a test what is done there, and what is expected', () => {
    const head = 'policy other on h { }\npolicy p on edge-01 { }\ntest "t" on edge-01 { ';
    expect(offered(`${head}|`)).toEqual(['apply', 'as', 'expect']);
    expect(offered(`${head}apply |`)).toEqual(['p']);
    expect(offered(`${head}apply p expect |`)).toEqual(
      expect.arrayContaining(['apply', 'kernel', 'machine']),
    );
    expect(offered(`${head}expect apply p refused |`)).toContain('VP4101');
    expect(offered(`${head}as anyone { |`)).toEqual(['open', 'use', 'map']);
    expect(offered(`${head}as anyone { map 2 MiB at 0x0 -> |`)).toEqual(
      expect.arrayContaining(['ok', 'ENOTTY']),
    );
  });

  it('offers nothing in a comment', () => {
    expect(offered('# po|')).toEqual([]);
  });

  it('offers at every place of an example, each word in a good place', () => {
    const text = example('02-gpu-for-a-vm/policy.vfio');
    const { workspace, meaning } = at({ 'a.vfio': text }, '02-gpu-for-a-vm/machine.json');
    const words = [...text.replace(/#.*|"[^"]*"/g, (other) => ' '.repeat(other.length)).matchAll(/[a-z-]+/g)];
    const missing = words.filter(({ 0: word, index }) => {
      if (!Object.hasOwn(keywords, word)) return false;
      const offers = complete(workspace, meaning, { file: 'a.vfio', offset: index });
      return !offers.some((offer) => offer.text === word);
    });
    expect(missing.map(({ 0: word }) => word)).toEqual([]);
  });

  it('offers only what reads on without a mistake at the word itself', () => {
    const head = 'policy p on edge-01 { ';
    for (const word of offered(`${head}|`)) {
      const { diagnostics } = readDocument('a.vfio', `${head}${word}`);
      expect(diagnostics.some(({ place }) => place.span.start < head.length - 2)).toBe(false);
      expect(diagnostics.map(({ code }) => code)).not.toContain('VP1005');
    }
  });
});
