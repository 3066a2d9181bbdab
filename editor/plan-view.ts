/** The plan beside the text: what happens in which order, what takes it back, what it rests on, who may use what. */
import type { Plan, PlanStep } from '../src/index.ts';
import { element } from './element.ts';

type Show = (line: number) => void;

/** `show`: goes to a line of the policy. */
export function planSections(plans: readonly Plan[], show: Show): HTMLElement[] {
  return plans.map((plan) => {
    const count = plan.steps.length;
    const summary =
      count === 0
        ? 'The machine is as the policy wants it: nothing to do.'
        : `${count} ${count === 1 ? 'step' : 'steps'}, each proved on the model for Linux ${plan.profile}, with its undo.`;
    return element(
      'article',
      { 'data-host': plan.host },
      element('h3', {}, plan.host),
      element('p', { class: 'summary' }, summary),
      ...preconditions(plan),
      element('ol', { class: 'steps' }, ...plan.steps.map((step) => stepItem(step, show))),
      ...access(plan),
    );
  });
}

function preconditions({ preconditions }: Plan): HTMLElement[] {
  if (preconditions.length === 0) return [];
  const items = preconditions.map(({ sentence, unknown }) =>
    element('li', {}, sentence, element('span', { class: 'quiet' }, ` — ${unknown}`)),
  );
  return [element('h4', {}, 'Must hold on the machine'), element('ul', { class: 'preconditions' }, ...items)];
}

function stepItem(
  { number, sentence, before, after, undo, lasting, why }: PlanStep,
  show: Show,
): HTMLLIElement {
  const item = element('li', { value: String(number) }, element('p', { class: 'sentence' }, sentence));
  const changed = Object.entries(after).filter(([path, shown]) => before[path] !== shown);
  if (changed.length > 0) {
    const rows = changed.map(([path, shown]) => {
      const was = before[path] ?? null;
      const row = element('li', {}, element('code', {}, path));
      if (!`${was}${shown}`.includes('\n')) row.append(` ${shownAs(was)} → ${shownAs(shown)}`);
      else row.append(shown === null ? ' → absent' : ' → ', element('pre', {}, shown ?? was ?? ''));
      return row;
    });
    item.append(element('ul', { class: 'changes' }, ...rows));
  }
  const back = 'none' in undo ? `no undo needed: ${undo.none}` : `undo: ${undo.sentence}`;
  item.append(element('p', { class: 'undo' }, back));
  for (const what of lasting) item.append(element('p', { class: 'lasting' }, `stays after undo: ${what}`));
  for (const { line, text } of why) {
    const button = element('button', { type: 'button', class: 'why' }, `line ${line}: ${text}`);
    button.addEventListener('click', () => show(line));
    item.append(button);
  }
  return item;
}

/** What a path shows, as a person reads it. */
function shownAs(value: string | null): string {
  if (value === null) return 'absent';
  return value === '' || value === '(null)' ? 'empty' : value;
}

function access({ access }: Plan): HTMLElement[] {
  if (access.length === 0) return [];
  const items = access.map(({ who, device, path, nodes, needs }) => {
    const item = element('li', {}, `${who} uses ${device} via ${path}`);
    if (nodes.length > 0) item.append(': ', element('code', {}, nodes.join(' ')));
    if (needs.length > 0) item.append(element('span', { class: 'quiet' }, ` — needs ${needs.join(', ')}`));
    return item;
  });
  return [element('h4', {}, 'Who can use what then'), element('ul', { class: 'access' }, ...items)];
}
