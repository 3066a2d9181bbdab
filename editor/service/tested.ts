/** What a test does, as the hover on its name has it. */
import { keywords } from '../../grammar/keywords.ts';
import type { Principal, TestDeclaration, TestStatement } from '../../src/syntax/ast.ts';
import { snapshotsFor } from './machine.ts';
import { code, escaped } from './markdown.ts';
import type { Meaning, Spot, Workspace } from './workspace.ts';

/** A list that is longer is cut: a hover is for a glance. */
const shownLimit = 8;

/** Paragraphs of CommonMark; none where no test is named. */
export function testParagraphs(
  workspace: Workspace,
  meaning: Meaning | undefined,
  { file, offset }: Spot,
): readonly string[] {
  const reading = workspace.readings.get(file);
  for (const { base, node } of reading?.document.declarations ?? []) {
    if (node.kind !== 'test') continue;
    const { start, end } = node.name.span;
    if (offset < base + start || base + end < offset) continue;
    const text = reading?.text.slice(base) ?? '';
    const title = `**test** ${code(node.name.text)}: ${keywords.test.meaning}`;
    return [title, whereOf(workspace, meaning, node), doingOf(text, node), ...shownBy(workspace, node)];
  }
  return [];
}

function whereOf(
  workspace: Workspace,
  meaning: Meaning | undefined,
  { on, snapshot }: TestDeclaration,
): string {
  if (on === undefined) return `On the machine of ${code(snapshot?.text ?? '')}`;
  if (!on.text.includes('*')) return `On ${code(on.text)}`;
  const hosts = [...snapshotsFor(workspace, meaning, on.text).keys()];
  const shown = hosts.slice(0, shownLimit).map(code).join(', ');
  return `On each of ${code(on.text)}: ${shown}${hosts.length > shownLimit ? ` and ${hosts.length - shownLimit} more` : ''}`;
}

function doingOf(text: string, { statements }: TestDeclaration): string {
  if (statements.length === 0) return 'It does nothing';
  const lines = statements.slice(0, shownLimit).map((statement) => `\n- ${doing(text, statement)}`);
  const more = statements.length > shownLimit ? `\n- and ${statements.length - shownLimit} more` : '';
  return `${statements.length === 1 ? 'One step' : `${statements.length} steps`}:${lines.join('')}${more}`;
}

/** As it is written; of what somebody does, how much it is. */
function doing(text: string, statement: TestStatement): string {
  const { start, end } = statement.span;
  const words = text.slice(start, end).replace(/\s+/g, ' ');
  if (statement.kind !== 'act') return code(words);
  const { length } = statement.calls;
  return `${code(words.slice(0, words.indexOf('{')).trim())} ${length === 1 ? 'one call' : `${length} calls`}`;
}

/** What counts as exercised when the test passes, as far as its text tells. */
function shownBy({ readings }: Workspace, { statements }: TestDeclaration): readonly string[] {
  const shown = new Set<string>();
  for (const statement of statements) {
    if (statement.kind === 'apply') {
      const { fault } = statement;
      for (const { text } of fault === undefined ? statement.policies : [])
        for (const kind of wishesOf(readings, text)) shown.add(`${code(kind)} of ${code(text)}`);
      if (fault?.kind === 'unconfirmed') shown.add(code('confirm'));
    }
    if (statement.kind === 'refused')
      shown.add(`${code(statement.policy.text)} refused with ${code(statement.code.text)}`);
    if (statement.kind !== 'act') continue;
    for (const call of statement.calls)
      if ('device' in call && call.result.text === 'ok')
        shown.add(
          `${code('allow')} of ${escaped(nameOf(statement.principal))} for ${code(call.device.text)}`,
        );
  }
  return shown.size === 0 ? [] : [`Covers ${[...shown].join(', ')}`];
}

function nameOf({ kind, name }: Principal): string {
  return name === undefined ? kind : `${kind} ${name.text}`;
}

/** The wishes that an `apply` of the policy brings about. */
function wishesOf(readings: Workspace['readings'], policy: string): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const { document } of readings.values())
    for (const { node } of document.declarations)
      for (const { kind } of node.kind === 'policy' && node.name.text === policy ? node.statements : [])
        if (['bind', 'create', 'limit', 'persist'].includes(kind)) kinds.add(kind);
  return kinds;
}
