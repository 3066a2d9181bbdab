import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Address } from '../machine/snapshot.ts';
import { establishing } from '../policy/applied.ts';
import type { HostPolicy } from '../policy/policy.ts';
import { resolve, resolveNames } from '../policy/resolve.ts';
import { deriveScript } from '../script/derive.ts';
import type { Document } from '../syntax/ast.ts';
import { type Reading, readDocument } from '../syntax/read.ts';
import { checkAccess } from './access.ts';
import type { CheckedHost, CheckedPolicy, CheckInput, Checking } from './checked.ts';
import { checkErrnos } from './errnos.ts';
import { declaresAll, withoutConsequences, withoutLacks } from './lacks.ts';
import { checkMaps } from './maps.ts';
import { rules } from './rules.ts';
import { runScript } from './run.ts';
import { subjectOf } from './subject.ts';
import { checkTrespass } from './trespass.ts';
import { type Need, reportNeeds } from './unknowns.ts';

/**
 * Judges policies against machines. Each host goes through the same four steps: its names are resolved, the rules look
 * at policy and machine together, the script that would establish the policy runs on the model, and everybody who is
 * allowed a device tries on the model to open it, as does a stranger. What a rule has explained the model does not say
 * again. Pure: the same input gives the same answer.
 */
export function check(input: CheckInput): Checking {
  const { sources, machines, today, strict = false, only } = input;
  const read = sources.map(({ file, text, reading }) => readDocument(file, text, reading));
  const documents = documentsOf(read);
  const wanted = only === undefined ? documents : establishing(documents, new Set(only.policies));
  const resolution = resolve(wanted, machines, today, only?.host);
  const sure = surely(read, resolution.general);
  const general = sorted([...wordsOf(read), ...sure(resolution.general)], strict);
  // A file that could not be read whole may lack the statement that forbids: then no host is sound.
  const sound = !general.some(isError);
  const policies = new Map(resolution.hosts.map((policy) => [policy.host, policy]));
  const hosts = [...resolution.byHost].map(([host, named]): CheckedHost => {
    const policy = policies.get(host);
    if (!policy) return { host, diagnostics: sorted(sure(named), strict) };
    const { diagnostics, checked } = checkHost(policy);
    const all = sorted(sure(withoutConsequences([...named, ...diagnostics], general)), strict);
    const judged = { host, diagnostics: all, policy };
    return sound && !all.some(isError) ? { ...judged, checked } : judged;
  });
  return { diagnostics: [...general, ...hosts.flatMap(({ diagnostics }) => diagnostics)], hosts };
}

/**
 * What is wrong with words and names alone: the part of `check` that asks neither machine nor model, at the pace of
 * typing. `machines` tell which hosts there are.
 */
export function checkNames(
  read: readonly Reading[],
  machines: CheckInput['machines'],
): readonly Diagnostic[] {
  const named = resolveNames(documentsOf(read), machines);
  return sorted([...wordsOf(read), ...surely(read, named)(named)], false);
}

function documentsOf(read: readonly Reading[]): readonly Document[] {
  return read.map(({ document }) => document);
}

function wordsOf(read: readonly Reading[]): readonly Diagnostic[] {
  const documents = documentsOf(read);
  return [
    ...read.flatMap(({ diagnostics }) => diagnostics),
    ...checkErrnos(documents),
    ...checkMaps(documents),
  ];
}

/** What can be said although a file may be broken, or missing: then what it misses may stand where it could not be read. */
function surely(
  read: readonly Reading[],
  general: readonly Diagnostic[],
): (found: readonly Diagnostic[]) => readonly Diagnostic[] {
  const missing = general.some(({ code }) => code === 'VP2005');
  const whole = !missing && !read.some(({ diagnostics }) => diagnostics.some(isError));
  if (whole) return (found) => found;
  const declared = !missing && declaresAll(read);
  return (found) => withoutLacks(found, declared);
}

function checkHost(policy: HostPolicy): { diagnostics: readonly Diagnostic[]; checked: CheckedPolicy } {
  const subject = subjectOf(policy);
  const diagnostics: Diagnostic[] = [];
  const explained = new Set<Address>();
  const needs: Need[] = (policy.assumptions ?? []).map((need) => ({ ...need, choosing: true }));
  for (const rule of rules) {
    for (const finding of rule(subject)) {
      if ('need' in finding) {
        needs.push(finding.need);
        continue;
      }
      diagnostics.push(finding.diagnostic);
      if (isError(finding.diagnostic)) for (const address of finding.about) explained.add(address);
    }
  }
  const script = deriveScript(policy);
  for (const { why, ...precondition } of script.preconditions) {
    const place = why[0] ?? policy.binds[0]?.place;
    if (place) needs.push({ ...precondition, place });
  }
  const run = runScript(subject, script, explained);
  const trespass = checkTrespass(subject, run.state, run.explained);
  const access = checkAccess(subject, run.state, run.explained, trespass.nodes);
  diagnostics.push(...run.diagnostics, ...access, ...trespass.diagnostics);
  // A group that is not told was an error already, and not only something to be shown.
  const untold = new Set([...explained].map((address) => `/functions/${address}/iommuGroup`));
  const open = needs.filter(({ fact }) => !untold.has(fact));
  const unknowns = reportNeeds(policy.host, open);
  diagnostics.push(...unknowns.diagnostics);
  const preconditions = [...script.preconditions];
  // What the steps themselves ask of a fact is the strictest that anybody asks.
  const asked = new Set(preconditions.map(({ fact }) => fact));
  for (const each of unknowns.preconditions) if (!asked.has(each.fact)) preconditions.push(each);
  // The one place where a checked policy is made: `check` withholds it when anything is an error.
  const checked = { policy, script: { steps: script.steps, preconditions } };
  return { diagnostics, checked: checked as unknown as CheckedPolicy };
}

function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}

/** By file and place. With `strict`, what rests on something unknown is an error. */
function sorted(diagnostics: readonly Diagnostic[], strict: boolean): Diagnostic[] {
  const judged = strict ? diagnostics.map(strictly) : [...diagnostics];
  return judged.sort((a, b) => {
    if (a.place.file !== b.place.file) return a.place.file < b.place.file ? -1 : 1;
    return a.place.span.start - b.place.span.start || (a.code < b.code ? -1 : a.code > b.code ? 1 : 0);
  });
}

function strictly(diagnostic: Diagnostic): Diagnostic {
  const unknown = diagnostic.code.startsWith('VP33') || diagnostic.code === 'VP2009';
  return unknown ? { ...diagnostic, severity: 'error' } : diagnostic;
}
