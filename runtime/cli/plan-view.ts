import type { Plan, PlanStep } from '../../src/plan/plan.ts';
import { counted, printable } from './words.ts';

/** A plan as a person reads it: the steps, what must hold before, and who can do what afterwards. */
export function planView(plan: Plan): string {
  const lines = [title(plan), ''];
  for (const step of plan.steps) {
    lines.push(...stepLines(step), '');
  }
  if (plan.preconditions.length > 0) {
    lines.push('Before applying, the machine must show that');
    for (const { sentence, unknown } of plan.preconditions) {
      lines.push(`  - ${sentence} (not known: ${unknown})`);
    }
    lines.push('');
  }
  lines.push(...accessLines(plan));
  return `${lines.map(printable).join('\n').trimEnd()}\n`;
}

function title({ host, steps, profile }: Plan): string {
  const what = steps.length === 0 ? 'nothing is to be done' : counted(steps.length, 'step');
  return `${host}: ${what} (model of kernel ${profile})`;
}

function stepLines({ number, sentence, before, after, undo, lasting, why }: PlanStep): readonly string[] {
  const lines = [`${String(number).padStart(3)}  ${sentence}`];
  for (const [path, shown] of Object.entries(after)) {
    if (before[path] !== shown) lines.push(`       ${path}: ${value(before[path])} -> ${value(shown)}`);
  }
  lines.push(`       undo: ${'none' in undo ? `none, ${undo.none}` : undo.sentence}`);
  for (const each of lasting) {
    lines.push(`       cannot be undone: ${each}`);
  }
  for (const { file, line, column, text } of why) {
    lines.push(`       wanted by ${file}:${line}:${column}: ${text.split('\n')[0]?.trim() ?? ''}`);
  }
  return lines;
}

function value(shown: string | null | undefined): string {
  if (shown === null || shown === undefined) return 'absent';
  return shown === '' ? 'empty' : shown;
}

/** Who can use what once the plan is carried out. */
export function accessLines({ access }: Plan): readonly string[] {
  if (access.length === 0) return [];
  const lines = ['When it is done'];
  for (const { who, device, path, nodes, needs } of access) {
    const through = nodes.length === 0 ? '' : ` (${nodes.join(', ')})`;
    const bring = needs.length === 0 ? '' : `; its process must bring ${needs.join(', ')}`;
    lines.push(`  - ${who} can use ${device} via ${path}${through}${bring}`);
  }
  return lines;
}
