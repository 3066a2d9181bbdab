import type { Plan, PlanPlace, PlanStep } from './plan.ts';

/**
 * A plan as people read it before they agree to it: what will be done and why, what each step changes, how it is taken
 * back, what cannot be taken back, what has to be so that the snapshot did not tell, and who can use what afterwards.
 */
export function describePlan(plan: Plan): string {
  const sections = [
    summaryOf(plan),
    ...plan.steps.map(stepText),
    ...(plan.preconditions.length === 0 ? [] : [preconditionsText(plan)]),
    ...(plan.access.length === 0 ? [] : [accessText(plan)]),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** `3 steps on edge-01, 1 lasting effect`, or that there is nothing to do. */
export function summaryOf({ host, steps, preconditions }: Plan): string {
  if (steps.length === 0) return `nothing to do on ${host}: it is as the policy says`;
  const lasting = new Set(steps.flatMap((step) => step.lasting)).size;
  const parts = [
    `${counted(steps.length, 'step')} on ${host}`,
    ...(lasting === 0 ? [] : [counted(lasting, 'lasting effect')]),
    ...(preconditions.length === 0 ? [] : [counted(preconditions.length, 'precondition')]),
  ];
  return parts.join(', ');
}

function stepText(step: PlanStep): string {
  const number = `${step.number}. `;
  const indent = ' '.repeat(number.length);
  const lines = [
    ...changesOf(step),
    'none' in step.undo ? `undo: none, ${step.undo.none}` : `undo: ${step.undo.sentence}`,
    ...step.lasting.map((each) => `lasting: ${each}`),
    ...step.why.map((each) => `why: ${whyText(each)}`),
  ];
  return [`${number}${step.sentence}`, ...lines.map((line) => `${indent}${line}`)].join('\n');
}

/** Only what differs: a step also looks at what it must leave alone. */
function changesOf({ before, after }: PlanStep): readonly string[] {
  return Object.entries(after)
    .filter(([path, value]) => before[path] !== value)
    .map(([path, value]) => `${path}: ${shown(before[path] ?? null)} -> ${shown(value)}`);
}

function preconditionsText({ preconditions }: Plan): string {
  const lines = preconditions.map(({ sentence, unknown, expects }) =>
    expects === undefined
      ? `  - ${sentence} (unknown: ${unknown}); then plan again`
      : `  - ${sentence} (unknown: ${unknown})`,
  );
  return ['The machine must show, and the snapshot does not tell:', ...lines].join('\n');
}

function accessText({ access }: Plan): string {
  const lines = access.map(({ who, device, path, nodes, needs }) => {
    const bring = needs.length === 0 ? '' : `; needs ${needs.join(' and ')}`;
    return `  - ${who} can use ${device} via ${path} (${nodes.join(', ')})${bring}`;
  });
  return ['Afterwards:', ...lines].join('\n');
}

function whyText({ file, line, column, text }: PlanPlace): string {
  const short = text.length > 100 ? `${text.slice(0, 99)}…` : text;
  return `${file}:${line}:${column}  ${short}`;
}

function shown(value: string | null): string {
  return value === null ? '(absent)' : value;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
