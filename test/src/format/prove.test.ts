import { describe, expect, it } from 'vitest';
import { format, formatWith } from '../../../src/format/format.ts';
import { written } from '../../../src/format/write.ts';

// The proof, asked about layouts that make mistakes: each must be found, and the text given back as it was.

const text = `# The file.
host a{
  # Its IOMMU.
  iommu any # first
  kernel >= 6.1
  label role "lab"
}
policy p { bind x }   # broken
`;

type Write = typeof written;

/** A layout that replaces one thing in the text that the right one makes. */
function replacing(what: string | RegExp, by: string): Write {
  return (lines, elements) => [written(lines, elements).join('').replace(what, by)];
}

describe('the proof', () => {
  it('finds nothing in the layout that is used', () => {
    expect(formatWith(written, 'a.vfio', text).text).not.toBe(text);
    expect(formatWith(written, 'a.vfio', text)).toEqual(format('a.vfio', text));
  });

  it.each<[string, Write, string]>([
    ['a lost comment', replacing('  # first', ''), '# first'],
    ['a comment that is moved to the next line', replacing('  # first', '\n  # first'), '# first'],
    ['a comment that is moved to the line above', replacing('\n  # Its', ' # Its'), '# Its IOMMU.'],
    ['a comment that is moved below a word', replacing('any  # first', '# first\n any'), 'any'],
    ['a comment of other words', replacing('# The file', '# A file'), '# The file.'],
    ['a comment too many', replacing('{', '{ # more'), '# Its IOMMU.'],
    ['a lost word', replacing(' role', ''), 'host'],
    ['another word', replacing('6.1', '6.12'), '6.1'],
    ['words that are joined', replacing(/label +role/, 'label-role'), 'host'],
    ['a word too many at the end', replacing(/$/, 'import "x"'), 'import'],
    [
      'a broken declaration with other white space',
      replacing('{ bind x }', '{bind x }'),
      'policy p { bind x }',
    ],
    ['a word less in a broken declaration', replacing('{ bind x }', '{ bind }'), 'policy p { bind x }'],
    ['a declaration that is cut in two', replacing('\n  kernel', '\nhost a {\n  kernel'), 'host'],
  ])('finds %s', (_, write, shown) => {
    const { text: laid, diagnostics } = formatWith(write, 'a.vfio', text);
    expect(laid).toBe(text);
    expect(diagnostics.map(({ code }) => code)).toEqual(['VP9002']);
    expect(diagnostics[0]?.message).toContain('would lose, add or move');
    expect(diagnostics[0]?.message).toContain(shown);
  });

  it('finds a layout that does not come to rest', () => {
    const restless: Write = (lines, elements) =>
      written(
        lines.map((line) => ({ ...line, blank: !line.blank })),
        elements,
      );
    const { text: laid, diagnostics } = formatWith(restless, 'a.vfio', text);
    expect(laid).toBe(text);
    expect(diagnostics[0]?.message).toContain('formatted otherwise again');
  });

  it('finds a text that means something else, though its words are the same', async () => {
    const { difference } = await import('../../../src/format/prove.ts');
    const { elementsOf } = await import('../../../src/format/elements.ts');
    const elements = elementsOf('', new Set());
    const laid = (source: string) => ({ source, elements, text: source });
    expect(difference('a.vfio', laid('host a {}'), laid('host a { }'))).toBeUndefined();
    expect(difference('a.vfio', laid('host a {}'), laid('host b {}'))).toContain('mean something else');
    expect(difference('a.vfio', laid('host a {}'), laid('host a {} host b {}'))).toContain('something else');
  });
});
