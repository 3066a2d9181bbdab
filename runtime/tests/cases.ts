import type { CheckInput } from '../../src/check/checked.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { applies, isPattern } from '../../src/policy/pattern.ts';
import type { Document, TestDeclaration } from '../../src/syntax/ast.ts';
import type { Origin } from '../../src/syntax/places.ts';

/** One test on one machine. */
export interface Case extends Origin {
  readonly node: TestDeclaration;
  /** The host that the machine stands for. */
  readonly host: string;
  readonly machines: CheckInput['machines'];
}

export interface Hosts {
  /** Those that the policies and the machines name. */
  readonly names: readonly string[];
  readonly machines: CheckInput['machines'];
  /** The snapshot that a test names; undefined: it could not be read. */
  snapshotOf(origin: Origin, test: TestDeclaration): Snapshot | undefined;
}

/**
 * The tests in the order of their files; one on a pattern runs on each of its hosts. Tests on the same machines have the
 * same list of them.
 */
export function casesOf(documents: readonly Document[], hosts: Hosts): readonly Case[] {
  const lists = new Map<Snapshot, Map<string, Case['machines']>>();
  /** The first of a name is the one. */
  const withOwn = (name: string, snapshot: Snapshot): Case['machines'] => {
    const its = lists.get(snapshot) ?? new Map<string, Case['machines']>();
    lists.set(snapshot, its);
    const list = its.get(name) ?? [{ name, snapshot }, ...hosts.machines];
    its.set(name, list);
    return list;
  };
  return documents.flatMap(({ file, declarations }) =>
    declarations.flatMap(({ base, node }) => {
      if (node.kind !== 'test') return [];
      const origin = { file, base };
      const { on } = node;
      if (on !== undefined) {
        const { machines } = hosts;
        return hosts.names
          .filter((host) => applies(on.text, host))
          .map((host) => ({ ...origin, node, host, machines }));
      }
      const snapshot = hosts.snapshotOf(origin, node);
      if (snapshot === undefined) return [];
      const host = hostFor(node, documents, snapshot);
      return [{ ...origin, node, host, machines: withOwn(host, snapshot) }];
    }),
  );
}

/** The host that a machine by itself stands for: the one of the first policy that the test names. */
function hostFor(
  { statements }: TestDeclaration,
  documents: readonly Document[],
  { hostname }: Snapshot,
): string {
  const own = typeof hostname === 'string' ? hostname : 'machine';
  const policies = documents.flatMap(({ declarations }) =>
    declarations.flatMap(({ node }) => (node.kind === 'policy' ? [node] : [])),
  );
  for (const statement of statements) {
    const word =
      statement.kind === 'apply'
        ? statement.policies[0]
        : statement.kind === 'refused'
          ? statement.policy
          : undefined;
    const on = policies.find(({ name }) => name.text === word?.text)?.on?.text;
    if (on === undefined) continue;
    if (!isPattern(on)) return on;
    return applies(on, own) ? own : on.replaceAll('*', own);
  }
  return own;
}
