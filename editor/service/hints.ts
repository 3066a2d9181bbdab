/** What a line means on the machines, beside it: what a device is, which driver, which nodes. */
import type { Span } from '../../grammar/span.ts';
import type { Place } from '../../src/diagnostics/diagnostic.ts';
import type { HostPolicy } from '../../src/policy/policy.ts';
import { briefly } from './machine.ts';
import type { Meaning } from './workspace.ts';

export interface Hint {
  /** After which character it stands. */
  readonly offset: number;
  readonly label: string;
}

/** More hosts than this say nothing in a line any more. */
const hostLimit = 3;

/** Those of one file within a span, by place. */
export function hintsIn(meaning: Meaning, file: string, within: Span): readonly Hint[] {
  const byOffset = new Map<number, { readonly host: string; readonly label: string }[]>();
  const add = (host: string, { file: other, span }: Place, label: string) => {
    if (other !== file || span.end < within.start || within.end < span.end) return;
    const others = byOffset.get(span.end);
    if (others === undefined) byOffset.set(span.end, [{ host, label }]);
    else if (!others.some((each) => each.host === host && each.label === label)) others.push({ host, label });
  };
  for (const { host, policy } of meaning.hosts) {
    if (policy === undefined) continue;
    for (const { place, functions } of policy.devices.values())
      add(host, place, `= ${briefly(policy.snapshot, functions)}`);
    for (const [place, label] of driversOf(policy)) add(host, place, label);
    for (const [place, label] of nodesOf(policy, meaning)) add(host, place, label);
  }
  return [...byOffset]
    .map(([offset, hosts]) => ({ offset, label: labelOf(hosts) }))
    .sort((a, b) => a.offset - b.offset);
}

function labelOf(hosts: readonly { readonly host: string; readonly label: string }[]): string {
  const [first] = hosts;
  if (first === undefined) return '';
  const same = hosts.every(({ label }) => label === first.label);
  if (same) return first.label;
  const shown = hosts.slice(0, hostLimit).map(({ host, label }) => `${host} ${label}`);
  const more = hosts.length > hostLimit ? ` and ${hosts.length - hostLimit} more hosts` : '';
  return `${shown.join('; ')}${more}`;
}

/** The driver that `vfio` and `default` come to. */
function driversOf({ binds }: HostPolicy): readonly (readonly [Place, string])[] {
  return binds.flatMap(({ to, functions, driver, place }) => {
    if (to !== 'vfio' && to !== 'default') return [];
    const drivers = [...new Set(functions.map((address) => driver(address) ?? 'no driver'))];
    return drivers.length === 0 ? [] : [[place, `= ${drivers.join(', ')}`] as const];
  });
}

/** The nodes that a principal opens, as the plan has them; and the path, where `any` leaves it open. */
function nodesOf({ host, allows }: HostPolicy, { plans }: Meaning): readonly (readonly [Place, string])[] {
  const access = plans.filter((plan) => plan.host === host).flatMap((plan) => plan.access);
  return allows.flatMap(({ who, device, via, place }) => {
    const name = who.kind === 'anyone' ? 'anyone' : `${who.kind} ${who.name}`;
    const its = access.find(
      (each) => each.who === name && each.device === device && (via === 'any' || via === each.path),
    );
    if (its === undefined || its.nodes.length === 0) return [];
    const shown =
      its.nodes.slice(0, 3).join(' ') + (its.nodes.length > 3 ? ` and ${its.nodes.length - 3} more` : '');
    return [[place, via === 'any' ? `= ${its.path}: ${shown}` : `= ${shown}`] as const];
  });
}
