import type { Place } from '../diagnostics/diagnostic.ts';
import type {
  Declaration,
  DeviceDeclaration,
  Document,
  HostDeclaration,
  ImportDeclaration,
  PolicyDeclaration,
} from '../syntax/ast.ts';

/** A declaration with the file it stands in. */
export interface Sited<T> {
  readonly file: string;
  readonly node: T;
}

/** Every declaration of every file, by kind, in the order of the files. Order never changes what a policy means. */
export interface Sources {
  readonly imports: readonly Sited<ImportDeclaration>[];
  readonly hosts: readonly Sited<HostDeclaration>[];
  readonly devices: readonly Sited<DeviceDeclaration>[];
  readonly policies: readonly Sited<PolicyDeclaration>[];
  /** Names of declarations that are broken: whoever uses them is not told that they are unknown. */
  readonly broken: ReadonlySet<string>;
}

export function sourcesOf(documents: readonly Document[]): Sources {
  const of = <K extends Declaration['kind']>(kind: K): Sited<Extract<Declaration, { kind: K }>>[] =>
    documents.flatMap(({ file, declarations }) =>
      declarations
        .filter((node): node is Extract<Declaration, { kind: K }> => node.kind === kind)
        .map((node) => ({ file, node })),
    );
  const broken = new Set(of('hole').flatMap(({ node }) => node.declares?.text ?? []));
  return {
    imports: of('import'),
    hosts: of('host'),
    devices: of('device'),
    policies: of('policy'),
    broken,
  };
}

export function placeOf(file: string, node: { readonly span: Place['span'] }): Place {
  return { file, span: node.span };
}
