import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { oneOfTwo } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { known, type Snapshot } from '../machine/snapshot.ts';
import type { HostDeclaration, HostStatement, NoIommuStatement } from '../syntax/ast.ts';
import { type Origin, placeOf } from '../syntax/places.ts';
import { applies, isPattern } from './pattern.ts';
import type { HostPolicy, KernelRelation, NoIommuPermission } from './policy.ts';
import { forHosts } from './scopes.ts';
import type { Sited, Sources } from './sources.ts';

export interface Machine {
  readonly name: string;
  readonly snapshot: Snapshot;
}

/** A host that the sources or the machines name, with every host declaration that applies to it. */
export interface Host {
  readonly name: string;
  readonly snapshot?: Snapshot;
  readonly declarations: readonly Sited<HostDeclaration>[];
  /** Where it is named; absent when only a machine names it. */
  readonly place?: Place;
}

/**
 * The hosts of a check. A machine stands for the host of its name, for the host whose `snapshot` path it is, or for
 * the host of its hostname; one host and one machine that are left over belong together; a machine that no
 * declaration names is a host of its own, so that patterns and files without a host reach it.
 */
export function hostsOf(sources: Sources, machines: readonly Machine[]): Host[] {
  const named = new Map<string, Sited<HostDeclaration>>();
  for (const sited of sources.hosts) {
    const name = sited.node.name.text;
    if (!isPattern(name) && !named.has(name)) named.set(name, sited);
  }
  const free = new Set(machines);
  const paired = new Map<string, Machine>();
  for (const [name, { node }] of named) {
    const machine = machineFor(name, node, free);
    if (machine) {
      paired.set(name, machine);
      free.delete(machine);
    }
  }
  const [onlyName] = named.keys();
  const [onlyMachine] = free;
  if (onlyName !== undefined && onlyMachine && named.size === 1 && machines.length === 1) {
    paired.set(onlyName, onlyMachine);
    free.clear();
  }
  const declarationsOf = forHosts(sources.hosts, ({ node }) => node.name.text);
  const hosts: Host[] = [];
  const names = new Set<string>();
  const add = (name: string, snapshot: Snapshot | undefined, place?: Place) => {
    // Of two machines for one host the first is the one.
    if (names.has(name)) return;
    names.add(name);
    const declarations = declarationsOf(name);
    hosts.push({ name, declarations, ...(snapshot ? { snapshot } : {}), ...(place ? { place } : {}) });
  };
  for (const [name, sited] of named) add(name, paired.get(name)?.snapshot, placeOf(sited, sited.node.name));
  for (const machine of free) add(ownName(machine, sources, names), machine.snapshot);
  return hosts;
}

function machineFor(name: string, node: HostDeclaration, free: ReadonlySet<Machine>): Machine | undefined {
  const path = node.statements.find((statement) => statement.kind === 'snapshot')?.path.text;
  let byHostname: Machine | undefined;
  for (const machine of free) {
    if (machine.name === name || machine.name === path) return machine;
    if (known(machine.snapshot.hostname, null) === name) byHostname ??= machine;
  }
  return byHostname;
}

/** The name of a machine that no host declaration names: what the sources speak of, else its hostname, else its own name. */
function ownName({ name, snapshot }: Machine, sources: Sources, taken: ReadonlySet<string>): string {
  const hostname = known(snapshot.hostname, name);
  const wanted = hostname === name || speakOf(sources, name) ? name : hostname;
  return taken.has(wanted) ? name : wanted;
}

function speakOf({ hosts, devices, policies, tests }: Sources, name: string): boolean {
  if (hosts.some(({ node }) => applies(node.name.text, name))) return true;
  const scoped = [...devices, ...policies, ...tests];
  return scoped.some(({ node: { on } }) => on !== undefined && on.text !== '*' && applies(on.text, name));
}

interface Settings
  extends Pick<HostPolicy, 'labels' | 'iommu' | 'noiommu'>,
    Required<Pick<HostPolicy, 'kernel'>> {
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * What all declarations of a host say together. Two that say different things are an error, whatever their order, and then
 * nothing is said; `any` says nothing.
 */
export function settingsOf(host: Host, today: string): Settings {
  const said = new Map<string, Setting>();
  const open = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  const kernel: KernelRelation[] = [];
  for (const { statement, by, ...origin } of statementsOf(host)) {
    const place = placeOf(origin, statement);
    if (statement.kind === 'kernel') {
      const { relation, version } = statement;
      kernel.push({ relation, version: version.text, place: placeOf(origin, version) });
      continue;
    }
    const setting = settingOf(statement);
    if (setting === undefined) continue;
    const [what, value] = setting;
    const before = said.get(what);
    if (!before) said.set(what, { value, place, by, statement });
    else if (before.value !== value) {
      open.add(what);
      if (!isToldOtherwise(what, before.by, by))
        diagnostics.push(contradiction(host.name, what, before, { value, place }));
    }
  }
  const labels = new Map<string, string>();
  let iommu: Settings['iommu'] = { state: 'any' };
  let noiommu: NoIommuPermission = { allowed: false, expired: false };
  for (const [what, { statement, place }] of said) {
    if (open.has(what)) continue;
    if (statement.kind === 'label') labels.set(statement.name.text, statement.value.text);
    else if (statement.kind === 'iommu') iommu = { state: statement.state, place };
    else if (statement.kind === 'noiommu') noiommu = permissionOf(statement, place, today);
  }
  return { labels, iommu, noiommu, kernel, diagnostics };
}

interface Setting {
  readonly value: string;
  readonly place: Place;
  readonly by: HostDeclaration;
  readonly statement: HostStatement;
}

/** What a statement says one thing of, and what it says; undefined: nothing. */
function settingOf(statement: HostStatement): readonly [what: string, value: string] | undefined {
  switch (statement.kind) {
    case 'snapshot':
      return ['snapshot', `"${statement.path.text}"`];
    case 'label':
      return [`label ${statement.name.text}`, `"${statement.value.text}"`];
    case 'iommu':
      return statement.state === 'any' ? undefined : ['iommu', statement.state];
    case 'noiommu': {
      const { allowed, until } = statement;
      return ['noiommu', allowed ? `allowed${until ? ` until ${until.text}` : ''}` : 'forbidden'];
    }
    default:
      return undefined;
  }
}

function contradiction(
  host: string,
  what: string,
  first: Pick<Setting, 'value' | 'place'>,
  second: Pick<Setting, 'value' | 'place'>,
): Diagnostic {
  return report(
    'VP2007',
    second.place,
    { host, what, first: first.value, second: second.value },
    {
      related: [{ place: first.place, message: `${what} is ${first.value} here` }],
      cures: ['keep one of the two, or narrow the pattern of the host that should not be meant'],
      fixes: oneOfTwo(second.place, first.place),
    },
  );
}

/** What is said twice in one block is told there (VP1020), and so is a host that is declared twice (VP2001). */
function isToldOtherwise(what: string, first: HostDeclaration, second: HostDeclaration): boolean {
  return first === second ? !what.startsWith('label ') : first.name.text === second.name.text;
}

interface Said extends Origin {
  readonly statement: HostStatement;
  readonly by: HostDeclaration;
}

function statementsOf(host: Host): readonly Said[] {
  return host.declarations.flatMap(({ file, base, node }) =>
    node.statements.map((statement) => ({ file, base, statement, by: node })),
  );
}

function permissionOf(statement: NoIommuStatement, place: Place, today: string): NoIommuPermission {
  const { owner, reason, until } = statement;
  const expired = until !== undefined && until.text < today;
  return {
    allowed: statement.allowed && !expired,
    expired: statement.allowed && expired,
    place,
    ...(owner ? { owner: owner.text } : {}),
    ...(reason ? { reason: reason.text } : {}),
    ...(until ? { until: until.text } : {}),
  };
}
