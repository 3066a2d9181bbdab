import { describe, expect, it } from 'vitest';
import { actionsIn } from '../../../editor/service/actions.ts';
import { coloursOf } from '../../../editor/service/colours.ts';
import { hintsIn } from '../../../editor/service/hints.ts';
import { lensesOf } from '../../../editor/service/lenses.ts';
import { foldsOf, outlineOf } from '../../../editor/service/outline.ts';
import { meaningOf, type Workspace, withText, wordsAndNames } from '../../../editor/service/workspace.ts';
import { at, example, nic, textAt } from './workspace.ts';

const file = 'policy.vfio';

function readingOf({ readings }: Workspace) {
  const reading = readings.get(file);
  if (reading === undefined) throw new Error('no reading');
  return reading;
}

describe('lenses', () => {
  it('stand on the names of tests, where the file is broken too', () => {
    const broken = (text: string) => text.replace('bind ', 'bnd ');
    for (const change of [(text: string) => text, broken]) {
      const { workspace } = nic('host', 0, change);
      const lenses = lensesOf(readingOf(workspace));
      expect(lenses.length).toBeGreaterThan(0);
      for (const { span, test } of lenses) expect(textAt(workspace, file, span)).toBe(`"${test}"`);
    }
  });
});

describe('outline', () => {
  it('has the declarations, each with its statements', () => {
    const { workspace } = nic('host');
    const outline = outlineOf(readingOf(workspace));
    expect(outline.map(({ kind, name, detail }) => [kind, name, detail])).toEqual([
      ['host', 'edge-01', ''],
      ['device', 'fastpath', 'on edge-01'],
      ['policy', 'dataplane', 'on edge-01'],
      ['policy', 'baseline', 'on *'],
      ['test', 'the owner takes the card without DMA mappings, and nobody else gets in', 'on edge-01'],
      ['test', 'whatever goes wrong, the network card is back', 'on edge-01'],
    ]);
    expect(outline[2]?.children.map(({ name }) => name)).toEqual([
      'bind fastpath to vfio-pci',
      'allow user dpdk with CAP_SYS_RAWIO to use fastpath via noiommu',
    ]);
    for (const { span, selection, name, kind } of outline) {
      expect(textAt(workspace, file, selection)).toBe(kind === 'test' ? `"${name}"` : name);
      expect(span.start <= selection.start && selection.end <= span.end).toBe(true);
    }
  });

  it('keeps what can be read of a broken file', () => {
    const { workspace } = nic('host', 0, (text) => text.replace('bind ', 'bnd ').replace(/\}\s*$/, ''));
    expect(outlineOf(readingOf(workspace)).map(({ name }) => name)).toContain('dataplane');
  });
});

describe('folds', () => {
  it('are declarations, blocks in them, runs of comments and of imports', () => {
    const text =
      'import "a"\nimport "b"\n# one\n# two\nhost h {\n  noiommu allowed {\n    owner "x"\n  }\n}\npolicy p { }\n';
    const { workspace } = at({ [file]: text });
    expect(foldsOf(readingOf(workspace))).toEqual([
      { firstLine: 1, lastLine: 2, kind: 'imports' },
      { firstLine: 3, lastLine: 4, kind: 'comment' },
      { firstLine: 5, lastLine: 9, kind: 'block' },
      { firstLine: 6, lastLine: 8, kind: 'block' },
    ]);
  });
});

describe('colours', () => {
  it('tell names by what they name, and where they are declared', () => {
    const { workspace } = nic('host');
    const colours = coloursOf(readingOf(workspace)).map(({ span, type, declares }) => [
      textAt(workspace, file, span),
      type,
      declares,
    ]);
    expect(colours).toContainEqual(['edge-01', 'namespace', true]);
    expect(colours).toContainEqual(['fastpath', 'variable', true]);
    expect(colours).toContainEqual(['fastpath', 'variable', false]);
    expect(colours).toContainEqual(['dpdk', 'parameter', false]);
    expect(colours).toContainEqual(['CAP_SYS_RAWIO', 'enumMember', false]);
  });

  it('never overlap, in their order', () => {
    const { workspace } = nic('host');
    const colours = coloursOf(readingOf(workspace));
    colours.forEach(({ span }, index) => {
      expect(span.start).toBeGreaterThanOrEqual(colours[index - 1]?.span.end ?? 0);
    });
  });
});

describe('hints', () => {
  it('say what a device is, and which node is opened', () => {
    const { workspace, meaning } = nic('host');
    const { text } = readingOf(workspace);
    const hints = hintsIn(meaning, file, { start: 0, end: text.length });
    const after = hints.map(({ offset, label }) => [text.slice(0, offset).split(/\s/).at(-1), label]);
    expect(after[0]).toEqual(['fastpath', '= 0000:00:03.0, no group']);
    expect(after[1]?.[0]).toBe('noiommu');
    expect(after[1]?.[1]).toMatch(/^= \/dev\/vfio\/noiommu-\d+$/);
    expect(hintsIn(meaning, file, { start: 0, end: 10 })).toEqual([]);
  });

  it('say which group, which way and which driver, where the text leaves it open', () => {
    const text = example('02-gpu-for-a-vm/policy.vfio')
      .replace('to vfio-pci', 'to vfio')
      .replace('via group', 'via any');
    const { meaning } = at({ [file]: text }, '02-gpu-for-a-vm/machine.json');
    const labels = hintsIn(meaning, file, { start: 0, end: text.length }).map(({ label }) => label);
    expect(labels).toContainEqual(expect.stringMatching(/^= 0000:.*, group \d+$/));
    expect(labels).toContain('= vfio-pci');
    expect(labels).toContainEqual(expect.stringMatching(/^= (iommufd|group): \/dev\/vfio\//));
  });
});

describe('the two waves', () => {
  it('say words and names first, and all of it with the plans then', () => {
    const { workspace } = nic('host');
    expect(wordsAndNames(workspace)).toEqual([]);
    const { text } = readingOf(workspace);
    const wrong = withText(workspace, file, text.replace('bind  fastpath', 'bind  fastpth'));
    expect(wordsAndNames(wrong).map(({ code }) => code)).toEqual(['VP2002']);
    const meaning = meaningOf(workspace);
    expect(meaning.plans.map(({ host }) => host)).toEqual(['edge-01']);
    expect(meaningOf(wrong).plans).toEqual([]);
    expect(meaningOf(wrong).diagnostics).toEqual(expect.arrayContaining([...wordsAndNames(wrong)]));
  });

  it('the first says nothing that the second does not say', () => {
    const { workspace } = nic('host');
    const { text } = readingOf(workspace);
    for (let cut = 0; cut < text.length; cut += 7) {
      const broken = withText(workspace, file, text.slice(0, cut) + text.slice(cut + 5));
      expect(meaningOf(broken).diagnostics).toEqual(expect.arrayContaining([...wordsAndNames(broken)]));
    }
  });
});

describe('actions', () => {
  it('are the fixes of what is wrong there', () => {
    const { workspace } = nic('host', 0, (text) => text.replace('bind  fastpath', 'bind  fastpth'));
    const diagnostics = wordsAndNames(workspace);
    const [first] = diagnostics;
    if (first === undefined) throw new Error('nothing is wrong');
    const actions = actionsIn(diagnostics, file, first.place.span);
    expect(actions.map(({ fix, preferred }) => [fix.title, preferred])).toEqual([
      ['write `fastpath`', false],
    ]);
    expect(actionsIn(diagnostics, file, { start: 0, end: 1 })).toEqual([]);
    expect(actionsIn(diagnostics, 'other.vfio', first.place.span)).toEqual([]);
  });
});
