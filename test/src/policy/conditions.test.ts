import { expect, test } from 'vitest';
import { check } from '../../../src/check/check.ts';
import { ChangedText } from '../../../src/diagnostics/mend.ts';

const lab = 'host a { label role "lab" }\nhost b { label role "prod" label site "north" }\n';

function told(text: string) {
  const { diagnostics } = check({ sources: [{ file: 'p.vfio', text }], machines: [], today: '2026-11-22' });
  return diagnostics.filter(({ code }) => code === 'VP2017');
}

const forbid = (condition: string) =>
  `policy p on * { forbid anyone to use any device unless host ${condition} }`;

test.each([
  ['role is "prodd"', 'role is "prod"', 'no host has `role` "prodd"'],
  ['rolle is "prod"', 'role is "prod"', 'no host has a label `rolle`'],
  ['sit is "south"', 'site is "south"', 'no host has a label `sit`'],
])('%s is told, and mended', (bad, good, message) => {
  const text = lab + forbid(bad);
  const [diagnostic, ...others] = told(text);
  expect(others).toEqual([]);
  expect(diagnostic?.message).toBe(message);
  const changed = new ChangedText(text);
  changed.make(diagnostic?.fixes[0]?.edits ?? []);
  expect(changed.text).toBe(lab + forbid(good));
  expect(told(changed.text)).toEqual([]);
});

test.each([
  ['a value that some host has', forbid('role is "lab"'), lab],
  ['a value that is like none', forbid('role is "development"'), lab],
  ['a label that is like none', forbid('colour is "red"'), lab],
  ['no labels at all', forbid('rol is "lab"'), 'host a {}\n'],
  ['a host that cannot be read', forbid('rol is "lab"'), `${lab}host c { label rol lab }\n`],
])('%s is not', (_, text, hosts) => {
  expect(told(hosts + text)).toEqual([]);
});
