import { timeText } from '../policy/describe.ts';
import type { Plan, PlanStep } from './plan.ts';

/**
 * A plan as people read it before they agree to it: what will be done and why, what each step changes, how it is taken
 * back, what cannot be taken back, what has to be so that the snapshot did not tell, and who can use what afterwards.
 * Text from policies and machines stands in it as it is: whoever shows it on a terminal takes control characters out.
 */
export function describePlan(plan: Plan): string {
  const { steps, preconditions } = plan;
  const sections: (readonly string[])[] = [[summaryOf(plan)], ...steps.map(stepLines)];
  if (plan.confirmWithin !== undefined && steps.length > 0) sections.push([confirmLine(plan.confirmWithin)]);
  if (preconditions.length > 0) sections.push(preconditionLines(plan));
  if (plan.declared.length > 0) sections.push(declaredLines(plan));
  if (plan.access.length > 0) sections.push(accessLines(plan));
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** `edge-01: 3 steps, 1 lasting effect (model of kernel 6.12)`. */
function summaryOf({ host, steps, preconditions, profile }: Plan): string {
  const lasting = new Set(steps.flatMap((step) => step.lasting)).size;
  const parts = [
    steps.length === 0 ? 'nothing is to be done' : counted(steps.length, 'step'),
    ...(lasting === 0 ? [] : [counted(lasting, 'lasting effect')]),
    ...(preconditions.length === 0 ? [] : [counted(preconditions.length, 'precondition')]),
  ];
  return `${host}: ${parts.join(', ')} (model of kernel ${profile})`;
}

/** Who can use what once the plan is carried out; nothing when nobody is allowed anything. */
export function accessLines({ access }: Plan): readonly string[] {
  if (access.length === 0) return [];
  const lines = access.map(({ who, device, path, nodes, needs }) => {
    const bring = needs.length === 0 ? '' : `; its process must bring ${needs.join(', ')}`;
    return `  - ${who} can use ${device} via ${path} (${nodes.join(', ')})${bring}`;
  });
  return ['When it is done', ...lines];
}

function stepLines({ number, sentence, before, after, undo, lasting, why }: PlanStep): readonly string[] {
  const indent = '       ';
  return [
    `${String(number).padStart(3)}  ${sentence}`,
    // Only what differs: a step also looks at what it must leave alone.
    ...Object.entries(after)
      .filter(([path, value]) => before[path] !== value)
      .flatMap(([path, value]) =>
        changeLines(path, before[path] ?? null, value).map((line) => indent + line),
      ),
    `${indent}undo: ${'none' in undo ? `none, ${undo.none}` : undo.sentence}`,
    ...lasting.map((each) => `${indent}cannot be undone: ${each}`),
    ...why.map(
      ({ file, line, column, text }) => `${indent}wanted by ${file}:${line}:${column}: ${short(text)}`,
    ),
  ];
}

function confirmLine(seconds: number): string {
  return `On the machine itself it is taken back unless somebody confirms it within ${timeText(seconds)}`;
}

/** A value in one line; of a text of several, which of its lines go and which come. */
function changeLines(path: string, before: string | null, after: string | null): readonly string[] {
  const [old, fresh] = [before ?? '', after ?? ''].map((text) => text.split('\n')) as [string[], string[]];
  if (old.length < 2 && fresh.length < 2) return [`${path}: ${shown(before)} -> ${shown(after)}`];
  const [known, kept] = [new Set(old), new Set(fresh)];
  const gone = before === null ? [] : old.filter((line) => !kept.has(line));
  const lines = after === null ? [] : fresh.map((line) => `${known.has(line) ? ' ' : '+'} ${line}`);
  const what = before === null ? 'absent -> a file' : after === null ? 'a file -> absent' : 'changed';
  return [`${path}: ${what}`, ...[...gone.map((line) => `- ${line}`), ...lines].map((line) => `  ${line}`)];
}

function preconditionLines({ preconditions }: Plan): readonly string[] {
  const lines = preconditions.map(({ sentence, unknown, expects }) => {
    const again = expects === undefined ? ', and the plan be made again then' : '';
    return `  - ${sentence} (not known: ${unknown})${again}`;
  });
  return ['Before applying, the machine must show that', ...lines];
}

function declaredLines({ declared }: Plan): readonly string[] {
  const lines = declared.map(({ sentence, why }) => {
    const [at] = why;
    return `  - ${sentence}${at === undefined ? '' : ` (${at.file}:${at.line}:${at.column})`}`;
  });
  return ['Declared, and brought about by no step', ...lines];
}

function short(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

function shown(value: string | null): string {
  if (value === null) return 'absent';
  return value === '' ? 'empty' : value;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
