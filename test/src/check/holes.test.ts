import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endOf, lex } from '../../../grammar/lexer.ts';
import { check } from '../../../src/check/check.ts';
import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { readSnapshot } from '../../../src/wire/read.ts';

const examples = join(import.meta.dirname, '../../../examples');
const folders = readdirSync(examples, { withFileTypes: true }).filter(
  (entry) => entry.isDirectory() && existsSync(join(examples, entry.name, 'policy.vfio')),
);

describe('a policy with one word missing', () => {
  it.each(folders.map(({ name }) => name))('%s: one broken thing gives one message', (folder) => {
    const json = readFileSync(join(examples, folder, 'machine.json'), 'utf8');
    const { snapshot } = readSnapshot('machine.json', json);
    if (snapshot === undefined) throw new Error('the example has no snapshot');
    const text = readFileSync(join(examples, folder, 'policy.vfio'), 'utf8');
    const beyond = furtherThan(text, snapshot);
    const many: string[] = [];
    let broken = 0;
    for (const token of lex(text).tokens) {
      const without = text.slice(0, token.startOffset) + text.slice(endOf(token));
      const sources = [{ file: 'policy.vfio', text: without }];
      const machines = [{ name: 'machine.json', snapshot }];
      const { diagnostics, hosts } = check({ sources, machines, today: '2026-11-22' });
      const codes = beyond(diagnostics);
      if (!codes.some((code) => code.startsWith('VP1'))) continue;
      broken += 1;
      // And nothing that cannot be read whole is ever sound.
      expect(hosts.filter(({ checked }) => checked !== undefined)).toEqual([]);
      if (codes.length > 1) many.push(`without ${token.image} at ${token.startOffset}: ${codes.join(' ')}`);
    }
    expect(broken).toBeGreaterThan(20);
    expect(many).toEqual([]);
  });
});

describe('a policy with one device misspelt in a statement', () => {
  it.each(folders.map(({ name }) => name))('%s: the name is told, and not what follows', (folder) => {
    const json = readFileSync(join(examples, folder, 'machine.json'), 'utf8');
    const { snapshot } = readSnapshot('machine.json', json);
    if (snapshot === undefined) throw new Error('the example has no snapshot');
    const text = readFileSync(join(examples, folder, 'policy.vfio'), 'utf8');
    const named = [...text.matchAll(/^\s+(?:bind|allow [\w ]+ to use|protect|require)\s+([a-z][\w-]*)/gm)];
    const beyond = furtherThan(text, snapshot);
    const said: string[] = [];
    for (const { index, 0: words, 1: name = '' } of named) {
      if (!new RegExp(`^devices? ${name}\\b`, 'm').test(text)) continue;
      const end = index + words.length;
      const sources = [{ file: 'policy.vfio', text: `${text.slice(0, end)}x${text.slice(end)}` }];
      const machines = [{ name: 'machine.json', snapshot }];
      const { diagnostics } = check({ sources, machines, today: '2026-11-22' });
      said.push(`${name}x: ${beyond(diagnostics).join(' ')}`);
    }
    expect(said.length).toBeGreaterThan(1);
    expect(said.filter((each) => !each.endsWith(': VP2002'))).toEqual([]);
  });
});

/** Codes beyond the warnings that the whole text gives. */
function furtherThan(text: string, snapshot: Snapshot): (found: readonly Diagnostic[]) => readonly string[] {
  const sources = [{ file: 'policy.vfio', text }];
  const { diagnostics } = check({
    sources,
    machines: [{ name: 'machine.json', snapshot }],
    today: '2026-11-22',
  });
  const usual = new Set<string>(diagnostics.map(({ code }) => code));
  return (found) => found.map(({ code }) => code).filter((code) => !usual.has(code));
}
