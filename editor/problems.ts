import type { Diagnostic } from '../src/index.ts';
import { element } from './element.ts';
import { explanationOf } from './service/explanation.ts';

/** More than anybody reads at once, and as many as the page draws between two keys. */
const shownLimit = 100;

/** The list under the text, at most `shownLimit` of it. `line`: where a diagnostic stands in the edited file, if it does; `show` goes there. */
export function problemItems(
  diagnostics: readonly Diagnostic[],
  line: (diagnostic: Diagnostic) => number | undefined,
  show: (diagnostic: Diagnostic) => void,
): HTMLLIElement[] {
  const items = diagnostics.slice(0, shownLimit).map((diagnostic) => {
    const [message = '', ...more] = explanationOf(diagnostic);
    const at = line(diagnostic);
    const place = at === undefined ? diagnostic.place.file : `line ${at}`;
    const button = element(
      'button',
      { type: 'button', class: 'problem' },
      element('span', { class: `severity ${diagnostic.severity}` }, diagnostic.severity),
      element('code', {}, diagnostic.code),
      element('span', { class: 'message' }, message),
      element('span', { class: 'place' }, place),
    );
    if (at === undefined) button.disabled = true;
    else button.addEventListener('click', () => show(diagnostic));
    const details = more.map((text) => element('p', {}, text));
    return element('li', { 'data-code': diagnostic.code }, button, ...details);
  });
  const hidden = diagnostics.length - items.length;
  if (hidden > 0) items.push(element('li', { class: 'quiet' }, `… and ${hidden} more`));
  return items;
}
