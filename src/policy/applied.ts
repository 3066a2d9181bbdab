import type { Document, PolicyStatement } from '../syntax/ast.ts';

const laws: readonly PolicyStatement['kind'][] = ['forbid', 'forbid-unsafe-interrupts', 'protect', 'require'];

/** Whether a statement says what must never be, and so holds of whatever is established. */
export function isLaw({ kind }: Pick<PolicyStatement, 'kind'>): boolean {
  return laws.includes(kind);
}

/**
 * The documents as if only these policies were to be established: of all others nothing is left but what they forbid,
 * protect and require, and that somebody has to confirm what is done.
 */
export function establishing(documents: readonly Document[], policies: ReadonlySet<string>): Document[] {
  return documents.map(({ file, declarations }) => ({
    file,
    declarations: declarations.map(({ base, node }) => {
      if (node.kind !== 'policy' || policies.has(node.name.text)) return { base, node };
      return { base, node: { ...node, statements: node.statements.filter(holdsOfAll) } };
    }),
  }));
}

function holdsOfAll(statement: PolicyStatement): boolean {
  return isLaw(statement) || statement.kind === 'confirm';
}
