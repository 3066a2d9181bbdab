import type { Place } from '../../src/diagnostics/diagnostic.ts';
import { isLaw } from '../../src/policy/applied.ts';
import type { Document, PolicyStatement } from '../../src/syntax/ast.ts';
import { placeOf } from '../../src/syntax/places.ts';
import type { TestResult } from './result.ts';

export interface Coverage {
  /** Statements of all policies, and how many a test has exercised. */
  readonly statements: number;
  readonly exercised: number;
  /** Wishes that no test has established, or of which nobody has made use. */
  readonly unused: readonly Covered[];
  /** Laws for which no test was refused. */
  readonly unrefused: readonly Covered[];
  /** Codes with which policies were refused as tests expected, sorted. */
  readonly refusals: readonly string[];
}

export interface Covered {
  readonly policy: string;
  readonly kind: Exclude<PolicyStatement['kind'], 'hole'>;
  readonly place: Place;
}

/**
 * What tests have shown of policies: `bind`, `create`, `limit` and `persist` when they were applied, `confirm` when nobody did,
 * `allow` when somebody used the device by it, and what forbids, protects or requires when a policy was refused for it.
 */
export function coverageOf(documents: readonly Document[], results: readonly TestResult[]): Coverage {
  const key = ({ file, span }: Place): string => `${span.start}:${file}`;
  const seen = new Set(results.flatMap(({ exercised }) => exercised.map(key)));
  const all = documents.flatMap(({ file, declarations }) =>
    declarations.flatMap(({ base, node }) =>
      node.kind !== 'policy'
        ? []
        : node.statements.flatMap((statement): Covered[] => {
            const { kind } = statement;
            if (kind === 'hole') return [];
            return [{ policy: node.name.text, kind, place: placeOf({ file, base }, statement) }];
          }),
    ),
  );
  const left = all.filter(({ place }) => !seen.has(key(place)));
  return {
    statements: all.length,
    exercised: all.length - left.length,
    unused: left.filter((each) => !isLaw(each)),
    unrefused: left.filter(isLaw),
    refusals: [...new Set(results.flatMap(({ refusals }) => refusals))].sort(),
  };
}
