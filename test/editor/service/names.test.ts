import { describe, expect, it } from 'vitest';
import { canRename, definitionOf, referencesOf, rename } from '../../../editor/service/names.ts';
import { wordsAndNames } from '../../../editor/service/workspace.ts';
import { at, nic, textAt } from './workspace.ts';

const two = `host a { label role "lab" }
host b { }
device nic on a { at 0000:00:03.0 }
device nic on b { at 0000:00:04.0 }
policy p on a { bind nic to vfio-pci  allow user dpdk to use nic via any }
policy q on b { bind nic to vfio-pci  forbid anyone to use any device unless host role is "lab" }
`;

function lines(text: string, places: readonly { span: { start: number } }[]): readonly number[] {
  return places.map(({ span }) => text.slice(0, span.start).split('\n').length);
}

/** The spot at the nth occurrence of a word in `two`. */
function inTwo(word: string, nth: number) {
  let offset = -1;
  for (let count = 0; count <= nth; count += 1) offset = two.indexOf(word, offset + 1);
  return at({ 'a.vfio': `${two.slice(0, offset)}|${two.slice(offset)}` });
}

describe('definition', () => {
  it('is the declaration for the host of the statement', () => {
    const { workspace, spot } = inTwo('nic', 4);
    expect(lines(two, definitionOf(workspace, spot))).toEqual([4]);
  });

  it('of a host pattern is every host that it fits', () => {
    const { workspace, spot } = at({ 'a.vfio': 'host db-1 { }\nhost db-2 { }\npolicy p on db|-* { }' });
    expect(definitionOf(workspace, spot)).toHaveLength(2);
  });

  it('of a file is the file, beside the one that names it', () => {
    const { workspace, spot } = at({ 'sub/a.vfio': 'import "../b|ase.vfio"' });
    expect(definitionOf(workspace, spot)).toEqual([{ file: 'base.vfio', span: { start: 0, end: 0 } }]);
  });

  it('is found in another file', () => {
    const { workspace, spot } = at({
      'a.vfio': 'import "b.vfio"\npolicy p { bind ni|c to vfio-pci }',
      'b.vfio': 'device nic { at 0000:00:03.0 }',
    });
    expect(definitionOf(workspace, spot).map(({ file }) => file)).toEqual(['b.vfio']);
  });
});

describe('references', () => {
  it('are those of the device that is meant, not of its namesake on another host', () => {
    const { workspace, spot } = inTwo('nic', 0);
    expect(
      lines(
        two,
        referencesOf(workspace, spot).map(({ place }) => place),
      ),
    ).toEqual([3, 5, 5]);
  });

  it('of labels and principals go through all policies', () => {
    const { workspace, spot } = inTwo('role', 1);
    expect(
      lines(
        two,
        referencesOf(workspace, spot).map(({ place }) => place),
      ),
    ).toEqual([1, 6]);
  });
});

describe('rename', () => {
  it('changes every place, and nothing is wrong afterwards', () => {
    const { workspace, spot } = nic('fastpath', 3);
    const renaming = rename(workspace, spot, 'slow.path');
    if (!('edits' in renaming)) throw new Error(renaming.refused);
    expect(renaming.edits).toHaveLength(8);
    let { text = '' } = workspace.readings.get('policy.vfio') ?? {};
    for (const { span, text: by } of [...renaming.edits].sort((a, b) => b.span.start - a.span.start))
      text = text.slice(0, span.start) + by + text.slice(span.end);
    expect(text).not.toContain('fastpath');
    expect(wordsAndNames(at({ 'policy.vfio': text }).workspace)).toEqual([]);
  });

  it('puts a keyword in quotes', () => {
    const { workspace, spot } = nic('fastpath', 3);
    const renaming = rename(workspace, spot, 'any');
    expect('edits' in renaming && renaming.edits.every(({ text }) => text === '"any"')).toBe(true);
  });

  it('refuses what is no name, what is taken, and what a policy does not name', () => {
    const { workspace, spot } = inTwo('nic', 0);
    expect(rename(workspace, spot, 'a b')).toHaveProperty('refused');
    const host = inTwo('a {', 0);
    expect(rename(host.workspace, host.spot, 'b')).toEqual({ refused: 'there is a host `b` already' });
    const user = inTwo('dpdk', 0);
    expect(canRename(user.workspace, user.spot)).toBeUndefined();
    const found = canRename(workspace, spot);
    expect(found && textAt(workspace, 'a.vfio', found.place.span)).toBe('nic');
  });
});
