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
  const values = new Map<string, string[]>();
  for (const statement of hosts.flatMap(({ node }) => node.statements)) {
    // What could not be read may be the label that is meant.
    if (statement.kind === 'hole') return [];
    if (statement.kind !== 'label') continue;
    const { name, value } = statement;
    values.set(name.text, [...(values.get(name.text) ?? []), value.text]);
  }
  return policies.flatMap((sited) =>
    sited.node.statements.flatMap((statement) => {
      if (statement.kind !== 'allow' && statement.kind !== 'forbid') return [];
      const { unless, kind } = statement;
      return unless === undefined ? [] : checkCondition(sited, kind, unless, values);
    }),
  );
}

function checkCondition(
  origin: Origin,
  kind: 'allow' | 'forbid',
  { label, value }: LabelCondition,
  values: ReadonlyMap<string, readonly string[]>,
): Diagnostic[] {
  const known = values.get(label.text);
  if (known?.includes(value.text)) return [];
  const [word, meant, put, what] =
    known === undefined
      ? [label, nearest(label.text, values.keys()), written, `a label \`${label.text}\``]
      : [value, nearest(value.text, known), inQuotes, `\`${label.text}\` "${value.text}"`];
  if (meant === undefined) return [];
  const place = placeOf(origin, word);
  const causes = [`the exception never holds, and the ${kind} is for every host of the policy`];
  const cures = [`did you mean \`${meant}\`?`];
  return [report('VP2017', place, { what }, { causes, cures, fixes: [replacement(place, put(meant))] })];
}
