import { expect, test } from 'vitest';
import { complete } from '../../editor/service/completion.ts';
import { hoverAt } from '../../editor/service/hover.ts';
import { keyOf, meaningOf, type Workspace, withText, wordsAndNames } from '../../editor/service/workspace.ts';
import { format } from '../../src/format/format.ts';
import { machine } from '../machines.ts';
import { box } from './machines.ts';

// A text while it is typed: each prefix of a policy, and each text that lacks one of its characters.

const file = 'policy.vfio';
const text = `host box { iommu required }
devices ports on box { id 8086:1572 } # both
policy p on box {
  bind  ports to vfio-pci
  allow user dpdk to use ports via group
}`;
const empty: Workspace = {
  readings: new Map(),
  machines: [{ name: 'box', snapshot: machine(box) }],
  today: '2026-11-22',
};

const prefixes = Array.from(text, (_, index) => text.slice(0, index + 1));
const lacking = Array.from(text, (_, index) => text.slice(0, index) + text.slice(index + 1));

test.each([
  ['every prefix', prefixes],
  ['every text that lacks a character', lacking],
])(
  '%s has a tree, and each thing wrong with it is told once, in the first wave as in the second',
  (_, texts) => {
    for (const each of texts) {
      const workspace = withText(empty, file, each);
      const { declarations } = workspace.readings.get(file)?.document ?? { declarations: [] };
      expect([each, declarations.length > 0 || each.trim() === '']).toEqual([each, true]);
      const { diagnostics } = meaningOf(workspace);
      for (const wave of [wordsAndNames(workspace), diagnostics]) {
        const keys = wave.map(keyOf);
        expect([each, keys.length]).toEqual([each, new Set(keys).size]);
      }
    }
  },
  60_000,
);

test('the next word of the policy is offered wherever it begins, but names that are made up there', () => {
  const madeUp = ['box', 'ports', 'p', '{', '}', '#', 'both'];
  const words = [...text.matchAll(/\S+/g)].filter(
    ({ 0: word, index }) => !madeUp.includes(word) || /\b(?:on|bind|use) +$/.test(text.slice(0, index)),
  );
  expect(words.length).toBeGreaterThan(20);
  for (const { 0: word, index } of words) {
    const workspace = withText(empty, file, text.slice(0, index));
    // The machine is known from the text as it was a moment ago.
    const offers = complete(workspace, meaningOf(withText(empty, file, text)), { file, offset: index });
    expect([text.slice(0, index), offers.map((offer) => offer.text)]).toEqual([
      text.slice(0, index),
      expect.arrayContaining([word]),
    ]);
  }
});

test('a word is explained in every prefix that holds it', () => {
  const at = text.indexOf('iommu');
  for (const each of prefixes.filter(({ length }) => length > at + 'iommu'.length)) {
    const workspace = withText(empty, file, each);
    expect([each, hoverAt(workspace, meaningOf(workspace), { file, offset: at + 1 })]).toEqual([
      each,
      expect.objectContaining({ span: { start: at, end: at + 'iommu'.length } }),
    ]);
  }
}, 60_000);

test('a word is explained in every text that lacks a character elsewhere, and offered where its policy is whole before it', () => {
  const policy = text.indexOf('\npolicy');
  const known = meaningOf(withText(empty, file, text));
  const at = text.lastIndexOf('group');
  for (const [index, each] of lacking.entries()) {
    if (index >= at - 1 && index <= at + 'group'.length) continue;
    const workspace = withText(empty, file, each);
    const start = at - (index < at ? 1 : 0);
    const hover = hoverAt(workspace, meaningOf(workspace), { file, offset: start + 1 });
    expect([each, hover?.span]).toEqual([each, { start, end: start + 'group'.length }]);
    if (index >= policy && index < at) continue;
    const offers = complete(workspace, known, { file, offset: start }).map((offer) => offer.text);
    expect([each, offers]).toEqual([each, expect.arrayContaining(['group'])]);
  }
}, 60_000);

test('formatting keeps the comment of every prefix, and is the same when it is done again', () => {
  for (const each of prefixes) {
    const once = format(file, each).text;
    expect(once.includes('# both')).toBe(each.includes('# both'));
    expect(format(file, once).text).toBe(once);
  }
});
