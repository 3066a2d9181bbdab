import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readStrace } from '../../runtime/trace/strace/read.ts';
import { check } from '../../src/check/check.ts';
import { codes } from '../../src/diagnostics/codes.ts';
import type { Declaration } from '../../src/diagnostics/declare.ts';
import type { Diagnostic, Fix } from '../../src/diagnostics/diagnostic.ts';
import { ChangedText } from '../../src/diagnostics/mend.ts';
import { readPlan, readSnapshot } from '../../src/wire/read.ts';
import { readTrace } from '../../src/wire/read-trace.ts';
import { type MachineWords, machine } from '../machines.ts';
import { replayed } from '../runtime/cli/provocations.ts';
import { runAll } from '../runtime/tests/run-all.ts';
import { type Example, type Page, readPage, readSetting } from './page.ts';
import { provocations } from './provocations.ts';
import { leavesAnother, withoutFix } from './without-fix.ts';

/** A page is its own test: the bad example yields the code, the fixed one does not, and each quick fix mends it. */
const directory = new URL('../../src/diagnostics/pages/', import.meta.url);
const declared = codes as Record<string, Declaration>;
const pages = readdirSync(directory)
  .filter((file) => file.endsWith('.md'))
  .map((file) => ({ file, page: readPage(readFileSync(new URL(file, directory), 'utf8')) }));

test('each code has its page, and each page its code', () => {
  expect(pages.map(({ file }) => file.replace('.md', '')).sort()).toEqual(Object.keys(codes).sort());
});

test('what is said of a policy has a fix, or it is written down why no edit can be one', () => {
  const ofPolicies = pages.filter(({ page }) => page.bad.some(({ language }) => language === 'vfio'));
  const without = ofPolicies.filter(({ page }) => page.bad.every((bad) => fixesOf(page, bad).length === 0));
  expect(without.map(({ page }) => page.code).sort()).toEqual(Object.keys(withoutFix).sort());
});

// Some pages are of texts as large as they may be.
describe.each(pages)('$file', { timeout: 120_000 }, ({ file, page }) => {
  test('has the title of the code, and examples', () => {
    expect(`${page.code}.md`).toBe(file);
    expect(page.title).toBe(declared[page.code]?.title);
    expect(page.bad.length).toBeGreaterThan(0);
    expect(page.fixed.length).toBeGreaterThan(0);
    if (page.code.startsWith('VP4')) expect(page.sections).toContain('Kernel');
  });

  test.each(page.bad)('bad: yields the code', async (example) => {
    expect(await codesOf(example)).toContain(page.code);
  });

  const policies = page.bad.filter(({ language }) => language === 'vfio');
  if (policies.length > 0 && declared[page.code]?.severity === 'error') {
    test.each(policies)('bad: one message for one mistake, with a cure', ({ text }) => {
      const errors = policyDiagnostics(text).filter(({ severity }) => severity === 'error');
      expect(errors.map(({ code }) => code)).toEqual([page.code]);
      expect(errors[0]?.cures).not.toEqual([]);
    });
  }

  test.each(page.fixed)('fixed: does not yield it', async (example) => {
    const seen = await codesOf(example);
    expect(seen).not.toContain(page.code);
    expect(seen.filter((code) => declared[code]?.severity === 'error')).toEqual([]);
  });

  const fixes = page.bad.flatMap((example) => fixesOf(page, example));
  if (fixes.length > 0) {
    test.each(fixes)('quick fix: $fix.title', ({ example, fix }) => {
      const mended = applied(example, fix);
      const after = policyDiagnostics(mended);
      expect(after.map(({ code }) => code)).not.toContain(page.code);
      const errors = after.filter(({ severity }) => severity === 'error').map(({ code }) => code);
      expect(errors).toEqual(leavesAnother[`${page.code} ${fix.title}`] ?? []);
    });

    test('a quick fix turns a bad example into a fixed one', () => {
      const made = fixes.map(({ example, fix }) => words(applied(example, fix)));
      expect(page.fixed.map(({ text }) => words(text))).toContainEqual(expect.toBeOneOf(made));
    });
  }
});

async function codesOf({ language, text }: Example): Promise<readonly string[]> {
  if (language === 'vfio') return policyDiagnostics(text).map(({ code }) => code);
  if (language === 'snapshot') return readSnapshot('snapshot.json', text).diagnostics.map(({ code }) => code);
  if (language === 'plan') return readPlan('plan.json', text).diagnostics.map(({ code }) => code);
  if (language === 'trace')
    return readTrace('trace.jsonl', text.trimEnd()).diagnostics.map(({ code }) => code);
  if (language === 'strace') return readStrace('log', text).diagnostics.map(({ code }) => code);
  if (language === 'replay') return replayed(text);
  if (language === 'test') return tested(text);
  const provoke = provocations[text.trim()];
  if (language !== 'deed' || !provoke)
    throw new Error(`no way to run a block of ${language}: ${text.trim()}`);
  return provoke();
}

async function tested(text: string): Promise<readonly string[]> {
  const { machine: name, today, sources } = readSetting(text);
  const machines = name ? [{ name, snapshot: fixture(name) }] : [];
  const results = await runAll({ sources, machines, today });
  return results.flatMap(({ diagnostics }) => diagnostics.map(({ code }) => code));
}

function policyDiagnostics(text: string): readonly Diagnostic[] {
  const { machine: name, today, sources } = readSetting(text);
  const machines = name ? [{ name, snapshot: fixture(name) }] : [];
  return check({ sources, machines, today }).diagnostics;
}

function fixture(name: string) {
  const words = readFileSync(new URL(`machines/${name}.json`, import.meta.url), 'utf8');
  return machine(JSON.parse(words) as MachineWords);
}

function fixesOf(page: Page, example: Example): { example: Example; fix: Fix }[] {
  if (example.language !== 'vfio') return [];
  const own = policyDiagnostics(example.text).filter(({ code }) => code === page.code);
  return own.flatMap(({ fixes }) => fixes.map((fix) => ({ example, fix })));
}

/** A text without its layout. */
function words(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('{ }', '{}').trim();
}

/** The example with a fix's edits made, each in the part that holds its file. */
function applied({ text }: Example, { edits }: Fix): string {
  const heads = [...text.matchAll(/^# file: .*\n/gm)].map(({ 0: head, index }) => index + head.length);
  const files = readSetting(text).sources.map(({ file }) => file);
  const changed = new ChangedText(text);
  changed.make(
    edits.map((edit) => {
      const base = [0, ...heads][files.indexOf(edit.file)] ?? Number.NaN;
      return { ...edit, span: { start: base + edit.span.start, end: base + edit.span.end } };
    }),
  );
  return changed.text;
}
