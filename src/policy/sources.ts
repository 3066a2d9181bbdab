import type {
  Declaration,
  DeviceDeclaration,
  Document,
  HostDeclaration,
  ImportDeclaration,
  PolicyDeclaration,
  TestDeclaration,
} from '../syntax/ast.ts';
import type { Origin } from '../syntax/places.ts';

/** A declaration with where it stands. */
export interface Sited<T> extends Origin {
  readonly node: T;
}

/** Every declaration of every file, by kind, in the order of the files. Order never changes what a policy means. */
export interface Sources {
  readonly imports: readonly Sited<ImportDeclaration>[];
  readonly hosts: readonly Sited<HostDeclaration>[];
  readonly devices: readonly Sited<DeviceDeclaration>[];
  readonly policies: readonly Sited<PolicyDeclaration>[];
  readonly tests: readonly Sited<TestDeclaration>[];
  /** Names of declarations that are broken: whoever uses them is not told that they are unknown. */
  readonly broken: ReadonlySet<string>;
}

export function sourcesOf(documents: readonly Document[]): Sources {
  type Of<K extends Declaration['kind']> = Sited<Extract<Declaration, { kind: K }>>;
  const byKind = new Map<string, Sited<Declaration>[]>();
  for (const { file, declarations } of documents) {
    for (const { base, node } of declarations) {
      const others = byKind.get(node.kind);
      if (others === undefined) byKind.set(node.kind, [{ file, base, node }]);
      else others.push({ file, base, node });
    }
  }
  const of = <K extends Declaration['kind']>(kind: K) => (byKind.get(kind) ?? []) as Of<K>[];
  const broken = new Set(of('hole').flatMap(({ node }) => node.declares?.text ?? []));
  return {
    imports: of('import'),
    hosts: of('host'),
    devices: of('device'),
    policies: of('policy'),
    tests: of('test'),
    broken,
  };
}
