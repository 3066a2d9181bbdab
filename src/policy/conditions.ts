import { nearest } from '../../grammar/nearest.ts';
import { inQuotes, written } from '../../grammar/written.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { replacement } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import type { LabelCondition } from '../syntax/ast.ts';
import { type Origin, placeOf } from '../syntax/places.ts';
import type { Sources } from './sources.ts';

/**
 * Conditions `unless host LABEL is "VALUE"` of which no host has the label or the value, and some host one that is
 * written much like it. Policies are shared by fleets, so that one which merely fits none of these hosts is no mistake.
 */
export function checkConditions({ hosts, policies }: Sources): Diagnostic[] {
  // A fleet says the same few values over and over, in hosts and in conditions.
  const values = new Map<string, Set<string>>();
  for (const statement of hosts.flatMap(({ node }) => node.statements)) {
    // What could not be read may be the label that is meant.
    if (statement.kind === 'hole') return [];
    if (statement.kind !== 'label') continue;
    const { name, value } = statement;
    const known = values.get(name.text);
    if (known === undefined) values.set(name.text, new Set([value.text]));
    else known.add(value.text);
  }
  const meant = guesses(values);
  return policies.flatMap((sited) =>
    sited.node.statements.flatMap((statement) => {
      if (statement.kind !== 'allow' && statement.kind !== 'forbid') return [];
      const { unless, kind } = statement;
      return unless === undefined ? [] : checkCondition(sited, kind, unless, meant(unless));
    }),
  );
}

/** What a condition's label or value may be a slip of; undefined: nothing is wrong, or nobody can tell. */
type Guess = { readonly word: 'label' | 'value'; readonly meant: string };

function guesses(
  values: ReadonlyMap<string, ReadonlySet<string>>,
): (condition: LabelCondition) => Guess | undefined {
  const made = new Map<string, string | undefined>();
  const once = (key: string, guess: () => string | undefined): string | undefined => {
    if (!made.has(key)) made.set(key, guess());
    return made.get(key);
  };
  return ({ label, value }) => {
    const known = values.get(label.text);
    if (known?.has(value.text)) return undefined;
    const word = known === undefined ? 'label' : 'value';
    const meant =
      known === undefined
        ? once(label.text, () => nearest(label.text, values.keys()))
        : once(`${label.text}\0${value.text}`, () => nearest(value.text, known));
    return meant === undefined ? undefined : { word, meant };
  };
}

function checkCondition(
  origin: Origin,
  kind: 'allow' | 'forbid',
  condition: LabelCondition,
  guess: Guess | undefined,
): Diagnostic[] {
  if (guess === undefined) return [];
  const { word, meant } = guess;
  const { label, value } = condition;
  const place = placeOf(origin, condition[word]);
  const [what, text] =
    word === 'label'
      ? [`a label \`${label.text}\``, written(meant)]
      : [`\`${label.text}\` "${value.text}"`, inQuotes(meant)];
  const causes = [`the exception never holds, and the ${kind} is for every host of the policy`];
  const cures = [`did you mean \`${meant}\`?`];
  return [report('VP2017', place, { what }, { causes, cures, fixes: [replacement(place, text)] })];
}
