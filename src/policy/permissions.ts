import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { insertionAfter, replacement } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import type { NoIommuStatement } from '../syntax/ast.ts';
import { type Origin, placeOf } from '../syntax/places.ts';
import type { Sources } from './sources.ts';

/** What a permission says, in the order in which it is written, and what only a person can fill in. */
const parts = [
  ['owner', 'owner "…"'],
  ['reason', 'reason "…"'],
  ['until', 'until YYYY-MM-DD'],
] as const;

/** Permissions that nobody answers for, that have no reason or no end: they hold, and for ever. */
export function checkPermissions({ hosts }: Sources): Diagnostic[] {
  return hosts.flatMap((sited) =>
    sited.node.statements.flatMap((statement) =>
      statement.kind !== 'noiommu'
        ? []
        : statement.allowed
          ? checkPermission(sited, statement)
          : checkProhibition(sited, statement),
    ),
  );
}

/** What is forbidden is forbidden to everybody and for ever: a last day of it would be one on which nothing ends. */
function checkProhibition(origin: Origin, statement: NoIommuStatement): Diagnostic[] {
  const said = parts.map(([part]) => part).filter((part) => statement[part] !== undefined);
  if (said.length === 0) return [];
  const place = placeOf(origin, statement);
  const reason = `a permission has ${said.map((part) => `\`${part}\``).join(', ')}, and here none is given`;
  const fixes = [replacement(place, 'noiommu forbidden')];
  return [report('VP3126', place, { reason }, { cures: ['write `noiommu forbidden` alone'], fixes })];
}

function checkPermission(origin: Origin, statement: NoIommuStatement): Diagnostic[] {
  const missing = parts.filter(([part]) => statement[part] === undefined);
  if (missing.length === 0) return [];
  const place = placeOf(origin, statement);
  const blanks = missing.map(([, words]) => words).join(' ');
  const [last] = parts.flatMap(([part]) => statement[part] ?? []).sort((a, b) => b.span.end - a.span.end);
  const whole =
    last === undefined
      ? replacement(place, `noiommu allowed { ${blanks} }`)
      : insertionAfter(placeOf(origin, last), blanks);
  const names = missing.map(([part]) => `\`${part}\``);
  const final = names.pop();
  return [
    report(
      'VP2020',
      place,
      { missing: names.length === 0 ? `${final}` : `${names.join(', ')} and ${final}` },
      {
        causes: statement.until === undefined ? ['without a last day it holds on every day'] : [],
        cures: [`say it: \`${blanks}\``, 'or forbid it: `noiommu forbidden`'],
        fixes: [whole, replacement(place, 'noiommu forbidden')],
      },
    ),
  ];
}
