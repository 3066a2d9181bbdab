import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { nameMeant, removal } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { dropInPath, isOwnPath, ownPaths, unitOf } from '../machine/configuration.ts';
import type { PolicyDeclaration, TestDeclaration, TestStatement, Word } from '../syntax/ast.ts';
import { type Origin, placeOf } from '../syntax/places.ts';
import type { Host } from './hosts.ts';
import { applies, isPattern } from './pattern.ts';
import type { Sited, Sources } from './sources.ts';

/** The devices that a test names. */
export function devicesTested({ statements }: TestDeclaration): readonly Word[] {
  return statements.flatMap((statement) => {
    if (statement.kind === 'bound') return [statement.device];
    if (statement.kind !== 'act') return [];
    return statement.calls.flatMap((call) => ('device' in call ? [call.device] : []));
  });
}

function policiesTested(statement: TestStatement): readonly Word[] {
  if (statement.kind === 'apply') return statement.policies;
  return statement.kind === 'refused' ? [statement.policy] : [];
}

/**
 * Policies that a test names and nobody declares, policies and devices that are for other hosts than its own, files that
 * no plan writes, and tests that show nothing.
 */
export function checkTests(sources: Sources, hosts: readonly Host[]): Diagnostic[] {
  const policies = scopesOf(sources.policies);
  const devices = scopesOf(sources.devices);
  return sources.tests.flatMap((sited) => {
    const { node } = sited;
    // A test on a snapshot has a host without a name, for which everything may be.
    const its = node.on ? hosts.filter(({ name }) => applies(node.on?.text ?? '', name)) : [];
    const elsewhere = (scopes: readonly (string | undefined)[]) =>
      its.find(({ name }) => !scopes.some((on) => on === undefined || applies(on, name)));
    const found = showingNothing(sited);
    for (const word of node.statements.flatMap(policiesTested)) {
      const scopes = policies.get(word.text);
      if (scopes === undefined) {
        if (!sources.broken.has(word.text)) found.push(unknownPolicy(sited, word, policies.keys()));
        continue;
      }
      const host = elsewhere(scopes);
      const cures = ['name a policy that applies to the host, or test another host'];
      const holes = { name: word.text, host: host?.name ?? '' };
      if (host) found.push(report('VP2015', placeOf(sited, word), holes, { cures }));
    }
    for (const statement of node.statements) {
      if (statement.kind !== 'file' || isOwnPath(statement.path.text)) continue;
      found.push(unwrittenFile(sited, statement.path, sources));
    }
    for (const word of devicesTested(node)) {
      const scopes = devices.get(word.text);
      const host = scopes && elsewhere(scopes);
      const cures = ['declare it for this host too, or test the host that it is declared for'];
      const holes = { name: word.text, host: host?.name ?? '' };
      if (host) found.push(report('VP2010', placeOf(sited, word), holes, { cures }));
    }
    return found;
  });
}

/** A test without a statement passes whatever the policies say, and a process that calls nothing is refused nothing. */
function showingNothing(sited: Sited<TestDeclaration>): Diagnostic[] {
  const { node } = sited;
  if (node.statements.length === 0) {
    const reason = 'the test does nothing and expects nothing';
    const cures = ['say what is done and what must hold then, or remove the test'];
    const fixes = [removal(placeOf(sited, node), 'the test')];
    return [report('VP3126', placeOf(sited, node.name), { reason }, { cures, fixes })];
  }
  return node.statements.flatMap((statement) => {
    if (statement.kind !== 'act' || statement.calls.length > 0) return [];
    const place = placeOf(sited, statement);
    const reason = 'the process opens, uses and maps nothing';
    const cures = ['say what it does and what is answered, or remove the block'];
    const fixes = [removal(place, 'the block')];
    return [report('VP3126', place, { reason }, { cures, fixes })];
  });
}

/** Files of which a test can expect something: those of the machine, and drop-ins of the services that policies name. */
export function writtenFiles(policies: Iterable<PolicyDeclaration>): readonly string[] {
  const services = new Set<string>();
  for (const { statements } of policies) {
    for (const statement of statements) {
      if (statement.kind === 'limit' && statement.who === 'service') services.add(statement.name.text);
      if (statement.kind !== 'allow' || statement.principal.kind !== 'service') continue;
      if (statement.principal.name !== undefined) services.add(statement.principal.name.text);
    }
  }
  const units = [...services].filter((name) => !isPattern(name)).map((name) => dropInPath(unitOf(name)));
  return [...Object.values(ownPaths), ...new Set(units)];
}

/** No snapshot tells of other files, so that nobody knows whether they are there. */
function unwrittenFile(origin: Origin, word: Word, { policies }: Sources): Diagnostic {
  const place = placeOf(origin, word);
  const files = writtenFiles(policies.map(({ node }) => node));
  const { cures, fixes } = nameMeant(place, word.text, files);
  const all = `plans write ${files.map((file) => `\`${file}\``).join(', ')}, and drop-ins of other services`;
  return report('VP2019', place, { path: word.text }, { cures: [...cures, all], fixes });
}

/** The hosts that declarations of one name are for; undefined: every host. */
function scopesOf(
  declarations: readonly Sited<{ readonly name: Word; readonly on?: Word }>[],
): ReadonlyMap<string, readonly (string | undefined)[]> {
  const scopes = new Map<string, (string | undefined)[]>();
  for (const { node } of declarations) {
    const of = scopes.get(node.name.text);
    if (of === undefined) scopes.set(node.name.text, [node.on?.text]);
    else of.push(node.on?.text);
  }
  return scopes;
}

function unknownPolicy(origin: Origin, word: Word, names: Iterable<string>): Diagnostic {
  const place = placeOf(origin, word);
  const meant = nameMeant(place, word.text, names);
  const cures = [...meant.cures, 'declare it: `policy NAME on HOST { … }`'];
  return report('VP2014', place, { name: word.text }, { cures, fixes: meant.fixes });
}
