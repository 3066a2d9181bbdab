import { written } from '../../grammar/written.ts';
import type { Diagnostic, Fix } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import { isUnknown } from '../machine/snapshot.ts';
import type { Document } from '../syntax/ast.ts';
import { placeOf } from '../syntax/places.ts';
import { checkClasses } from './classes.ts';
import { checkConditions } from './conditions.ts';
import { type Host, hostsOf, type Machine, settingsOf } from './hosts.ts';
import { checkImports } from './imports.ts';
import { checkNames, strayDevices } from './names.ts';
import { checkPermissions } from './permissions.ts';
import type { HostPolicy } from './policy.ts';
import { type Sources, sourcesOf } from './sources.ts';
import { declaredIn, resolveStatements } from './statements.ts';
import { checkTests } from './tests.ts';

interface Resolution {
  /** One for each host that has a snapshot, in the order of their declarations. */
  readonly hosts: readonly HostPolicy[];
  /** What is wrong whatever the host is. */
  readonly general: readonly Diagnostic[];
  /** For every host, those without a snapshot too. */
  readonly byHost: ReadonlyMap<string, readonly Diagnostic[]>;
}

/**
 * Turns documents and machines into what is said about each host: names resolved, selectors matched, conditions
 * decided. Whatever could not be resolved is left out and has been reported once, so nothing after this stage speaks
 * of it again. `today` is `YYYY-MM-DD`; `only`: of this host alone, and what is wrong whatever the host is.
 */
export function resolve(
  documents: readonly Document[],
  machines: readonly Machine[],
  today: string,
  only?: string,
): Resolution {
  const sources = sourcesOf(documents);
  const hosts = hostsOf(sources, machines);
  const general = generally(documents, sources, hosts);
  const declared = declaredIn(sources, strayDevices(sources, hosts));
  const policies: HostPolicy[] = [];
  const byHost = new Map<string, readonly Diagnostic[]>();
  for (const host of hosts) {
    if (only !== undefined && host.name !== only) continue;
    const { labels, iommu, noiommu, kernel, diagnostics } = settingsOf(host, today);
    const statements = resolveStatements(host, declared, labels);
    byHost.set(host.name, [
      ...diagnostics,
      ...withoutSnapshot(host),
      ...anotherMachine(host, sources),
      ...statements.diagnostics,
    ]);
    if (!host.snapshot) continue;
    const { diagnostics: _, ...resolved } = statements;
    policies.push({ host: host.name, snapshot: host.snapshot, labels, iommu, noiommu, kernel, ...resolved });
  }
  return { hosts: policies, general, byHost };
}

/** What is wrong whatever the host is: the part of `resolve` that no machine has to be looked at for. */
export function resolveNames(
  documents: readonly Document[],
  machines: readonly Machine[],
): readonly Diagnostic[] {
  const sources = sourcesOf(documents);
  return generally(documents, sources, hostsOf(sources, machines));
}

function generally(
  documents: readonly Document[],
  sources: Sources,
  hosts: readonly Host[],
): readonly Diagnostic[] {
  return [
    ...checkImports(documents, sources),
    ...checkClasses(sources),
    ...checkNames(sources, hosts),
    ...checkConditions(sources),
    ...checkPermissions(sources),
    ...checkTests(sources, hosts),
    ...(hosts.length === 0 ? nowhere(sources) : []),
  ];
}

const giveSnapshot =
  'make one on the machine with `vfioplan snapshot`, and give it with `--machine FILE` or as `snapshot "FILE"` in the host';

function withoutSnapshot({ name, snapshot, place, declarations }: Host): Diagnostic[] {
  if (snapshot || !place) return [];
  const stated = declarations.flatMap(({ node }) => node.statements).find(({ kind }) => kind === 'snapshot');
  const causes =
    stated?.kind === 'snapshot' ? [`\`${stated.path.text}\` was not given or could not be read`] : [];
  return [report('VP2009', place, { host: name }, { causes, cures: [giveSnapshot] })];
}

/** A fleet's snapshots are easily mixed up; the hostname may be the fully qualified one. */
function anotherMachine({ name, snapshot, place }: Host, sources: Sources): Diagnostic[] {
  if (!snapshot || !place) return [];
  const { hostname } = snapshot;
  if (isUnknown(hostname) || hostname === name || hostname.split('.')[0] === name) return [];
  const cures = ['give the snapshot of the host that is meant, or call the host as the machine calls itself'];
  const fixes = [renaming(name, hostname.split('.')[0] ?? hostname, sources)];
  return [report('VP2008', place, { host: name, hostname }, { cures, fixes })];
}

/** Calls a host otherwise, wherever it is named by its own name and not by a pattern. */
function renaming(from: string, to: string, { hosts, devices, policies }: Sources): Fix {
  const places = [
    ...hosts.map((sited) => ({ sited, word: sited.node.name })),
    ...[...devices, ...policies].map((sited) => ({ sited, word: sited.node.on })),
  ];
  const edits = places.flatMap(({ sited, word }) =>
    word?.text === from ? [{ ...placeOf(sited, word), text: written(to) }] : [],
  );
  return { title: `call the host \`${to}\``, safe: false, edits };
}

/** Policies, and neither a host nor a machine that they could be checked against. */
function nowhere({ policies }: Sources): Diagnostic[] {
  const [first] = policies;
  if (!first) return [];
  const word = first.node.on ?? first.node.name;
  const host = first.node.on?.text ?? '*';
  return [report('VP2009', placeOf(first, word), { host }, { cures: [giveSnapshot] })];
}
