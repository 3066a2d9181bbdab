/** What the machines say about what is written: functions, groups, nodes, users, as an editor shows them. */
import type { Address, PciFunction, Snapshot } from '../../src/machine/snapshot.ts';
import { isUnknown, known } from '../../src/machine/snapshot.ts';
import { siblingsOf, topologyOf } from '../../src/machine/topology.ts';
import { describeFunction } from '../../src/policy/describe.ts';
import { applies } from '../../src/policy/pattern.ts';
import type { HostPolicy } from '../../src/policy/policy.ts';
import type { Meaning, Workspace } from './workspace.ts';

/** The machines that a declaration `on` a host name or pattern is about, by the names of their hosts. */
export function snapshotsFor(
  workspace: Workspace,
  meaning: Meaning | undefined,
  on: string,
): ReadonlyMap<string, Snapshot> {
  const found = new Map<string, Snapshot>();
  for (const { host, policy } of meaning?.hosts ?? [])
    if (policy !== undefined && applies(on, host)) found.set(host, policy.snapshot);
  if (found.size === 0) for (const { name, snapshot } of workspace.machines) found.set(name, snapshot);
  return found;
}

/** The hosts that a declaration `on` a host name or pattern is about, as far as they have a machine. */
export function policiesFor(meaning: Meaning | undefined, on: string): readonly HostPolicy[] {
  return (meaning?.hosts ?? []).flatMap(({ host, policy }) =>
    policy !== undefined && applies(on, host) ? [policy] : [],
  );
}

/** A function as a person knows it, and what shares its IOMMU group: one sentence each. */
export function factsOf(snapshot: Snapshot, fn: PciFunction): readonly string[] {
  return [describeFunction(fn), groupText(snapshot, fn)];
}

function groupText(snapshot: Snapshot, fn: PciFunction): string {
  const { iommuGroup } = fn;
  if (iommuGroup === null) return 'it has no IOMMU group';
  if (isUnknown(iommuGroup)) return `its IOMMU group is not known: ${iommuGroup.unknown}`;
  const others = siblingsOf(snapshot, fn);
  if (isUnknown(others)) return `IOMMU group ${iommuGroup}; what shares it is not known: ${others.unknown}`;
  if (others.length === 0) return `IOMMU group ${iommuGroup}, alone`;
  return `IOMMU group ${iommuGroup}, with ${others.map(({ address }) => address).join(', ')}`;
}

/** `0000:03:00.0, group 12`: as short as a hint in a line must be. */
export function briefly(snapshot: Snapshot, addresses: readonly Address[]): string {
  const { functions } = topologyOf(snapshot);
  if (addresses.length === 0) return 'nothing';
  const groups = new Set(addresses.map((address) => known(functions.get(address)?.iommuGroup ?? null, null)));
  const numbers = [...groups].filter((group) => group !== null).sort((a, b) => a - b);
  const shown =
    addresses.slice(0, 2).join(', ') + (addresses.length > 2 ? ` and ${addresses.length - 2} more` : '');
  if (numbers.length === 0) return `${shown}, no group`;
  return `${shown}, ${numbers.length === 1 ? 'group' : 'groups'} ${numbers.slice(0, 4).join(', ')}${numbers.length > 4 ? ' …' : ''}`;
}
