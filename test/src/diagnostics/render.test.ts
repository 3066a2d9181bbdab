import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts';
import { render } from '../../../src/diagnostics/render.ts';
import { report } from '../../../src/diagnostics/report.ts';

function at(
  text: string,
  part: string,
  extra: Partial<Diagnostic> = {},
): [Diagnostic[], Map<string, string>] {
  const start = text.indexOf(part);
  const place = { file: 'a.vfio', span: { start, end: start + part.length } };
  return [[report('VP1001', place, { text: part }, extra)], new Map([['a.vfio', text]])];
}

/** The source line and the line of carets below it, as columns of a terminal. */
function excerpt(text: string, part: string): string[] {
  return render(...at(text, part))
    .split('\n')
    .slice(-3, -1);
}

describe('render', () => {
  it('says what, where, why, what the kernel would say and what to do', () => {
    const text = 'host a {\n  iommu any\n}\n';
    const place = { file: 'machine:a', span: { start: 0, end: 1 } };
    const [diagnostics, sources] = at(text, 'iommu', {
      related: [{ place, message: 'read from here' }],
      causes: ['the machine has none'],
      cures: ['say `absent`'],
      fixes: [{ title: 'write `absent`', safe: false, edits: [] }],
      kernel: {
        step: 'bind 0000:03:00.0 to vfio-pci',
        guard: 'no IOMMU group and no-IOMMU mode is off',
        errno: 'EINVAL',
        citation: 'drivers/vfio/group.c vfio_group_find_or_alloc (6.12)',
      },
    });
    expect(render(diagnostics, sources)).toBe(`error[VP1001]: unexpected \`iommu\`
 --> a.vfio:2:3
  |
2 |   iommu any
  |   ^^^^^
note: read from here
  --> machine:a
  = because: the machine has none
  = kernel: bind 0000:03:00.0 to vfio-pci fails with EINVAL: no IOMMU group and no-IOMMU mode is off
            drivers/vfio/group.c vfio_group_find_or_alloc (6.12)
  = help: say \`absent\`
  = fix: write \`absent\`
`);
  });

  it('puts carets under the words, whatever stands before them', () => {
    expect(excerpt('\tiommu any', 'any')).toEqual(['1 |     iommu any', '  |           ^^^']);
    expect(excerpt('"漢字" any', 'any')).toEqual(['1 | "漢字" any', `  | ${' '.repeat(7)}^^^`]);
    expect(excerpt('"e\u0301" any', 'any')).toEqual(['1 | "e\u0301" any', `  | ${' '.repeat(4)}^^^`]);
    expect(excerpt('"😀" 漢 x', '漢')).toEqual(['1 | "😀" 漢 x', `  | ${' '.repeat(5)}^^`]);
  });

  it('shows no character that would rearrange the line or drive the terminal', () => {
    const [line] = excerpt('\u202e\u001b[31m any', 'any');
    expect(line).toBe('1 | ��[31m any');
  });

  it('cuts long lines around the mark', () => {
    const text = `${'x'.repeat(5000)} here ${'y'.repeat(5000)}`;
    const [line = '', carets = ''] = excerpt(text, 'here');
    expect(line.length).toBeLessThan(120);
    expect(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('here');
  });

  it('marks the first line only of what goes over several, and the end of the text by one caret', () => {
    const text = 'host a {\niommu any';
    expect(excerpt(text, text)).toEqual(['1 | host a {', '  | ^^^^^^^^']);
    const place = { file: 'a.vfio', span: { start: text.length, end: text.length } };
    const rendered = render([report('VP1003', place, {})], new Map([['a.vfio', text]]));
    expect(rendered).toContain('a.vfio:2:10');
    expect(rendered.split('\n')[4]).toBe(`  | ${' '.repeat(9)}^`);
  });

  it('counts lines that end in CR LF once, and leaves the ends out', () => {
    expect(excerpt('a\r\nb any\r\n', 'any')).toEqual(['2 | b any', '  |   ^^^']);
  });

  it('colours by the palette that it is given, and by nothing else', () => {
    const mark = (sign: string) => (text: string) => `<${sign}${text}>`;
    const palette = {
      error: mark('e'),
      warning: mark('w'),
      info: mark('i'),
      strong: mark('s'),
      faint: mark('f'),
    };
    const [diagnostics, sources] = at('host', 'host');
    expect(render(diagnostics, sources, { palette })).toContain('<eerror[VP1001]><s: unexpected `host`>');
    expect(render(diagnostics, sources)).not.toContain('\u001b');
  });

  it('lets no name command the terminal or forge a line', () => {
    const evil = 'x\u001b[2J\u009b31m\u202e\nerror[VP0000]: forged';
    const place = { file: evil, span: { start: 0, end: 0 } };
    const kernel = { step: evil, guard: evil, errno: 'EPERM', citation: evil };
    const extra = { causes: [evil], cures: [evil], kernel, related: [{ place, message: evil }] };
    const diagnostic = report('VP2901', place, { file: evil }, extra);
    for (const sources of [new Map(), new Map([[evil, 'host a']])]) {
      const rendered = render([diagnostic], sources);
      for (const sign of ['\u001b', '\u009b', '\u202e']) expect(rendered).not.toContain(sign);
      expect(rendered).not.toMatch(/^error\[VP0000\]/m);
    }
  });
});
