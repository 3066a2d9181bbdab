import { describe, expect, it } from 'vitest';
import { elementsOf } from '../../../src/format/elements.ts';
import { format } from '../../../src/format/format.ts';
import { linesOf } from '../../../src/format/layout.ts';
import { written } from '../../../src/format/write.ts';

function formatted(text: string): string {
  const { text: laid, diagnostics } = format('a.vfio', text);
  expect(diagnostics).toEqual([]);
  return laid;
}

/** Lines of a text that is to stay as it is. */
function stays(...lines: readonly string[]): void {
  const text = lines.map((line) => `${line}\n`).join('');
  expect(formatted(text)).toBe(text);
}

describe('the layout', () => {
  it('aligns what follows the first words, from one blank line to the next', () => {
    const statements =
      'bind a to vfio\nallow user b to use a via group\n\n\n\nrequire a isolated\nbind c to none\n';
    expect(formatted(`policy p on h\n{\n${statements}}`)).toBe(
      `policy p on h {
  bind  a to vfio
  allow user b to use a via group

  require a isolated
  bind    c to none
}
`,
    );
  });

  it('keeps a block on its line, and opens one that is too long for it', () => {
    expect(formatted('device   gpu{id 10de:2684 class display}')).toBe(
      'device gpu { id 10de:2684  class display }\n',
    );
    const reason = `"${'x'.repeat(60)}"`;
    expect(
      formatted(`host a { iommu any noiommu allowed { owner "n" reason ${reason} until 2027-03-01 } }`),
    ).toBe(
      `host a {
  iommu   any
  noiommu allowed {
    owner  "n"
    reason ${reason}
    until  2027-03-01
  }
}
`,
    );
    const inner = `noiommu allowed { reason ${reason} }`;
    expect(formatted(`host a { iommu any ${inner}  kernel = 6.1 }`)).toBe(
      `host a {\n  iommu   any\n  ${inner}\n  kernel  = 6.1\n}\n`,
    );
  });

  it('measures words by the columns that they take', () => {
    expect(formatted('policy p {\nprotect "漢字" # two\nprotect x # one\n}')).toBe(
      'policy p {\n  protect "漢字"  # two\n  protect x       # one\n}\n',
    );
  });

  it('puts statements that share a line on their own, and empties blocks that hold nothing', () => {
    expect(formatted('policy p { bind a to b bind c to d\n}policy q {\n\n}policy r{}')).toBe(
      'policy p {\n  bind a to b\n  bind c to d\n}\npolicy q {}\npolicy r {}\n',
    );
    expect(formatted('import "a" import "b"\n')).toBe('import "a"\nimport "b"\n');
  });

  it('keeps the line breaks within a statement, but for those before commas and braces', () => {
    expect(
      formatted('policy p\n on h\n{\nallow user a with CAP_SYS_RAWIO\n, CAP_IPC_LOCK\nto use b\nvia any }'),
    ).toBe(
      `policy p
    on h {
  allow user a with CAP_SYS_RAWIO, CAP_IPC_LOCK
      to use b
      via any
}
`,
    );
  });

  it('moves in what stands in parentheses, however they are written', () => {
    stays(
      'devices d {',
      '  class  storage.nvme',
      '  except (class display  not driver nouveau) or device x',
      '  except (',
      '    class display',
      '    not (',
      '      driver nouveau or driver nvidia',
      '    )',
      '    id 1:2',
      '        or id 3:4',
      '  )',
      '  count  2..4',
      '}',
    );
    expect(formatted('devices d { not not((class x )or id 1:2 ) count 2 .. 4 }')).toBe(
      'devices d { not not ((class x) or id 1:2)  count 2..4 }\n',
    );
  });

  it('does not join words that would be read otherwise', () => {
    expect(formatted('devices d { count 2. .. 4 }')).toBe('devices d { count 2. ..4 }\n');
    expect(formatted('policy p{forbid vm"a"to use any device}')).toBe(
      'policy p { forbid vm "a" to use any device }\n',
    );
  });

  it('leaves at most one blank line, and none at either end of a file or a block', () => {
    expect(formatted('\n\nhost a {\n\n\niommu any\n\n\n\nlabel r "x"\n\n}\n\n\n\npolicy p {}\n\n\n')).toBe(
      'host a {\n  iommu any\n\n  label r "x"\n}\n\npolicy p {}\n',
    );
    expect(formatted(' \n\t\n')).toBe('');
    expect(formatted('')).toBe('');
  });
});

describe('words that no node of the tree tells of', () => {
  it('keep their lines', () => {
    const text = 'devices d {\ncount  2..4 at 0:1\n\n\n  not ( class x\nid 1:2 ) except # c\n numa 0 }\n';
    const elements = { ...elementsOf(text, new Set()), ends: new Map() };
    expect(written(linesOf(elements), elements).join('')).toBe(
      `devices d {
  count 2..4 at 0:1

  not (class x
    id 1:2) except  # c
  numa 0
}
`,
    );
  });
});

describe('comments', () => {
  it('stay at the ends of their lines, in the column of their neighbours', () => {
    expect(
      formatted(
        'host a {# machine\niommu any# first\nkernel >= 6.1 # second\n\nlabel r "x"    # apart\n} # end',
      ),
    ).toBe(
      `host a {         # machine
  iommu  any     # first
  kernel >= 6.1  # second

  label r "x"  # apart
}              # end
`,
    );
  });

  it('are not sent far away by one long line', () => {
    const long = `label r "${'x'.repeat(100)}"`;
    expect(formatted(`host a {\nkernel >= 6.1 # near\n${long} # far\niommu any # near\n}`)).toBe(
      `host a {\n  kernel >= 6.1  # near\n  ${long.replace('label', 'label ')}  # far\n  iommu  any     # near\n}\n`,
    );
  });

  it('stay on lines of their own above what they stood above, in empty blocks, and at the end', () => {
    stays(
      '# The file.',
      '',
      '# A host.',
      'host a {',
      '  # Its IOMMU.',
      '  iommu any',
      '',
      '  # Nothing more.',
      '}',
      'host b {',
      '  # Nothing at all.',
      '}',
      '',
      '# The end.',
    );
    expect(formatted('host a {\n# one\n\n\n# two\n}\n# three')).toBe(
      'host a {\n  # one\n\n  # two\n}\n# three\n',
    );
  });

  it('go on below one another in one column', () => {
    stays(
      'host a {',
      '  iommu  any     # first',
      '                 # and more of it',
      '  kernel >= 6.1  # second',
      '}',
    );
    expect(formatted('host a { iommu any # first\n\t\t   # and more\n # of the next\nkernel >= 6.1 }')).toBe(
      `host a {
  iommu  any  # first
              # and more
  # of the next
  kernel >= 6.1
}
`,
    );
  });

  it('may stand anywhere, and break the line there', () => {
    expect(formatted('policy# a\np# b\n{bind#c\n# d\na to b}# e\n')).toBe(
      `policy  # a
    p   # b
{
  bind  #c
      # d
      a to b
}  # e
`,
    );
    expect(formatted('device d { not ( # why\nid 1:2 # so\n) }')).toBe(
      'device d {\n  not (     # why\n    id 1:2  # so\n  )\n}\n',
    );
  });

  it('keep every character but the white space at their ends', () => {
    expect(formatted('#!  a\tb  \u202e \t\nhost a {}#\n')).toBe('#!  a\tb  \u202e\nhost a {}  #\n');
  });
});

describe('what cannot be read', () => {
  const broken = 'policy   p{ bind   x   vfio-pci;\n\n\n\n   # why\n }';

  it('stays byte for byte, with a warning, among what is formatted', () => {
    const { text, diagnostics } = format('a.vfio', `host  a{}\n\n\n${broken} # c\n\n\nhost  b{}\n`);
    expect(text).toBe(`host a {}\n\n${broken}  # c\n\nhost b {}\n`);
    expect(diagnostics.map(({ code, severity }) => `${severity} ${code}`)).toEqual(['warning VP1090']);
    expect(diagnostics[0]?.causes).toEqual(['expected `to` after `x`, found `vfio-pci`']);
    expect(diagnostics[0]?.place.span.start).toBe(`host  a{}\n\n\n${broken}`.indexOf('vfio-pci'));
  });

  it.each([
    'policy p { persist   across   ways }',
    'device d {  foo  bar }',
    'garbage   between',
    '}',
    'host a { label r "x  }',
    'policy  p {  bind a to b  ',
    '\u000e \r\n \t',
    `device d {${' ('.repeat(40)} }`,
  ])('%s', (text) => {
    expect(format('a.vfio', text)).toMatchObject({ text, diagnostics: [{ code: 'VP1090' }] });
    expect(format('a.vfio', `${text}\nhost  b{}\n`).text).toBe(`${text}\nhost b {}\n`);
  });

  it('a brace left over below a broken declaration is not told apart from it', () => {
    const text = 'policy p { bind x }  }\nhost b {}\n';
    const { text: laid, diagnostics } = format('a.vfio', text);
    expect(laid).toBe(text);
    expect(diagnostics).toHaveLength(1);
  });

  it('is told of a hundred times at most', () => {
    const { diagnostics } = format('a.vfio', 'policy p { bind x }\n'.repeat(300));
    expect(diagnostics).toHaveLength(100);
    expect(diagnostics.at(-1)?.causes[1]).toBe('nor are 200 more below');
  });

  it('a file of which no part can be trusted is refused with a code', () => {
    for (const [text, code] of [
      ['host a{}\0', 'VP1017'],
      ['#'.repeat((4 << 20) + 1), 'VP1013'],
    ] as const) {
      const { text: laid, diagnostics } = format('a.vfio', text);
      expect(diagnostics.map((each) => each.code)).toEqual([code]);
      expect(laid).toBe(text);
    }
  });

  it('a declaration that would be too long to be read again stays as it is, and so does a file', () => {
    const long = `policy p {${' protect a'.repeat(100_000)}}`;
    const { text, diagnostics } = format('a.vfio', `host  a{}\n${long}\n`);
    expect(text).toBe(`host a {}\n${long}\n`);
    expect(diagnostics[0]?.causes[0]).toContain('1048576');
    const wide = `protect ${'x'.repeat(90)} # x\n`;
    const file = `policy p {\n${wide}${'protect a # x\n'.repeat(9000)}}\n`.repeat(5);
    expect(format('a.vfio', file)).toMatchObject({ text: file, diagnostics: [{ code: 'VP1013' }] });
  });
});

describe('line ends', () => {
  it('stay CR LF where all are', () => {
    expect(formatted('host a {\r\niommu any # x\r\n\r\n\r\n}\r\n')).toBe(
      'host a {\r\n  iommu any  # x\r\n}\r\n',
    );
  });

  it('become LF where they are mixed, and what cannot be read keeps its own', () => {
    expect(formatted('host a {\r\niommu any\rlabel r "x"\n}')).toBe(
      'host a {\n  iommu any\n  label r "x"\n}\n',
    );
    expect(format('a', 'policy p {\r\nbind x\r\n}\nhost  b{}').text).toBe(
      'policy p {\r\nbind x\r\n}\nhost b {}\n',
    );
  });

  it('white space of other kinds goes', () => {
    expect(formatted('\ufeffhost\u00a0a\u2028{\f}\v')).toBe('host a {}\n');
  });
});
