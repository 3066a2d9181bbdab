import { nearest } from '../../grammar/nearest.ts';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { nameMeant, oneOfTwo, removal } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import type { PolicyStatement, Selector, Word } from '../syntax/ast.ts';
import { type Origin, placeOf } from '../syntax/places.ts';
import type { Host } from './hosts.ts';
import { applies, isPattern } from './pattern.ts';
import type { Sited, Sources } from './sources.ts';
import { devicesTested } from './tests.ts';

/** What is wrong with the names alone, whatever the machines are. */
export function checkNames(sources: Sources, hosts: readonly Host[]): Diagnostic[] {
  return [
    ...duplicates(sources, hosts),
    ...unknownHosts(sources, hosts),
    ...references(sources),
    ...circles(sources),
  ];
}

/** The devices that a statement names. */
export function devicesNamed(statement: PolicyStatement): readonly Word[] {
  switch (statement.kind) {
    case 'bind':
    case 'require':
    case 'create':
      return [statement.device];
    case 'allow':
    case 'forbid':
      return statement.device.kind === 'name' ? [statement.device.name] : [];
    case 'protect':
      return statement.device ? [statement.device] : [];
    default:
      return [];
  }
}

/** The devices that a selector names, at any depth. */
function devicesSelected(selector: Selector): readonly Word[] {
  switch (selector.kind) {
    case 'device':
    case 'virtual':
    case 'in-group':
      return [selector.name];
    case 'or':
    case 'and':
      return selector.operands.flatMap(devicesSelected);
    case 'not':
      return devicesSelected(selector.operand);
    default:
      return [];
  }
}

type Scoped = Sited<{
  readonly kind: string;
  readonly name: Word;
  readonly on?: Word;
  readonly span: Place['span'];
}>;

function duplicates(sources: Sources, hosts: readonly Host[]): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const names = new Set(hosts.map(({ name }) => name));
  const groups: [string, readonly Scoped[]][] = [
    ['host', sources.hosts],
    ['device', sources.devices],
    ['policy', sources.policies],
    ['test', sources.tests],
  ];
  for (const [kind, declarations] of groups) {
    const seen = new Map<string, Namesakes>();
    for (const sited of declarations) {
      const name = sited.node.name.text;
      const earlier: Namesakes = seen.get(name) ?? { named: new Map(), shared: [] };
      const twin = twinOf(sited, earlier, names);
      if (twin) {
        diagnostics.push(
          report(
            'VP2001',
            placeOf(sited, sited.node.name),
            { kind, name },
            {
              related: [{ place: placeOf(twin, twin.node.name), message: 'it is declared here first' }],
              cures: ['give one of the two another name, or another host after `on`'],
              fixes: oneOfTwo(placeOf(sited, sited.node), placeOf(twin, twin.node)),
            },
          ),
        );
      }
      const on = hostsOf(sited);
      if (isPattern(on)) earlier.shared.push(sited);
      else if (!earlier.named.has(on)) earlier.named.set(on, sited);
      seen.set(name, earlier);
    }
  }
  return diagnostics;
}

/** Earlier declarations of one name: for one host each, of which a fleet has many, and for the hosts of a pattern. */
interface Namesakes {
  readonly named: Map<string, Scoped>;
  readonly shared: Scoped[];
}

function hostsOf({ node: { on } }: Scoped): string {
  return on?.text ?? '*';
}

/** An earlier declaration of the name that is for one of the same hosts, too. */
function twinOf(sited: Scoped, { named, shared }: Namesakes, names: ReadonlySet<string>): Scoped | undefined {
  const on = hostsOf(sited);
  const broad = shared.find((other) => overlap(hostsOf(other), on, names));
  if (!isPattern(on)) return named.get(on) ?? broad;
  return broad ?? [...named.values()].find((other) => overlap(on, hostsOf(other), names));
}

/** Whether a pattern and another one, or a name, are for the same host. */
function overlap(pattern: string, other: string, names: ReadonlySet<string>): boolean {
  if (pattern === other || pattern === '*' || other === '*') return true;
  if (!isPattern(other)) return names.has(other) && applies(pattern, other);
  return [...names].some((name) => applies(pattern, name) && applies(other, name));
}

function unknownHosts(sources: Sources, hosts: readonly Host[]): Diagnostic[] {
  const declared = new Set([...sources.broken, ...sources.hosts.map(({ node }) => node.name.text)]);
  const names = new Set([...declared, ...hosts.map(({ name }) => name)]);
  const diagnostics: Diagnostic[] = [];
  const scoped: readonly Scoped[] = [...sources.devices, ...sources.policies, ...sources.tests];
  for (const sited of scoped) {
    const { on } = sited.node;
    if (!on || on.text === '*' || declared.has(on.text)) continue;
    if (hosts.some(({ name }) => applies(on.text, name))) continue;
    diagnostics.push(
      unknownName('VP2003', placeOf(sited, on), on.text, names, 'declare it: `host NAME { … }`'),
    );
  }
  return diagnostics;
}

/** Devices that are declared for a host that does not exist, which was said: nobody is told that he cannot use them. */
export function strayDevices(sources: Sources, hosts: readonly Host[]): ReadonlySet<string> {
  const stray = sources.devices.filter(({ node }) => {
    const on = node.on?.text;
    return on !== undefined && !hosts.some(({ name }) => applies(on, name));
  });
  return new Set(stray.map(({ node }) => node.name.text));
}

function references(sources: Sources): Diagnostic[] {
  const declared = new Set(sources.devices.map(({ node }) => node.name.text));
  const used = new Set<string>();
  // Devices whose name was misspelt, which is told there.
  const meant = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  const refer = (origin: Origin, word: Word) => {
    used.add(word.text);
    if (declared.has(word.text) || sources.broken.has(word.text)) return;
    const cure = 'declare it: `device NAME on HOST { … }`';
    diagnostics.push(unknownName('VP2002', placeOf(origin, word), word.text, declared, cure));
    const likely = nearest(word.text, [...declared]);
    if (likely !== undefined) meant.add(likely);
  };
  for (const sited of sources.policies)
    for (const statement of sited.node.statements)
      for (const word of devicesNamed(statement)) refer(sited, word);
  for (const sited of sources.devices)
    for (const selector of [...sited.node.selectors, ...sited.node.except])
      for (const word of devicesSelected(selector)) refer(sited, word);
  for (const sited of sources.tests) for (const word of devicesTested(sited.node)) refer(sited, word);
  for (const sited of sources.devices) {
    const { name } = sited.node;
    if (used.has(name.text) || meant.has(name.text)) continue;
    const cures = ['use it in a policy, or remove the declaration'];
    const fixes = [removal(placeOf(sited, sited.node), 'the declaration')];
    diagnostics.push(report('VP2004', placeOf(sited, name), { name: name.text }, { cures, fixes }));
  }
  return diagnostics;
}

function unknownName(
  code: 'VP2002' | 'VP2003',
  place: Place,
  name: string,
  candidates: Iterable<string>,
  declare: string,
): Diagnostic {
  const meant = nameMeant(place, name, candidates);
  return report(code, place, { name }, { cures: [...meant.cures, declare], fixes: meant.fixes });
}

/** Devices that are chosen by themselves through other devices. */
function circles(sources: Sources): Diagnostic[] {
  const edges = new Map<string, string[]>();
  for (const { node } of sources.devices) {
    const to = [...node.selectors, ...node.except].flatMap(devicesSelected).map(({ text }) => text);
    if (to.length > 0) edges.set(node.name.text, [...(edges.get(node.name.text) ?? []), ...to]);
  }
  const places = new Map(
    sources.devices.map((sited) => [sited.node.name.text, placeOf(sited, sited.node.name)]),
  );
  const diagnostics: Diagnostic[] = [];
  const told = new Set<string>();
  for (const sited of sources.devices) {
    const name = sited.node.name.text;
    const circle = edges.has(name) && !told.has(name) ? wayBack(name, edges) : undefined;
    if (!circle) continue;
    for (const member of circle) told.add(member);
    diagnostics.push(
      report(
        'VP2012',
        placeOf(sited, sited.node.name),
        { name, circle: circle.join(' → ') },
        {
          related: circle.slice(1, -1).flatMap((other) => {
            const place = places.get(other);
            return place ? [{ place, message: `\`${other}\` is chosen here` }] : [];
          }),
          cures: ['choose one of these devices by what it is: its address, id or class'],
        },
      ),
    );
  }
  return diagnostics;
}

/** The shortest way from a name back to itself. */
function wayBack(start: string, edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const from = new Map<string, string>();
  const queue = [start];
  for (const name of queue) {
    for (const next of edges.get(name) ?? []) {
      if (next === start) {
        const way = [start];
        for (let at = name; at !== start; at = from.get(at) ?? start) way.unshift(at);
        return [start, ...way];
      }
      if (from.has(next)) continue;
      from.set(next, name);
      queue.push(next);
    }
  }
  return undefined;
}
