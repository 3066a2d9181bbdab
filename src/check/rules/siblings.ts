import { removal, replacement } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isVfioDriver } from '../../machine/drivers.ts';
import { isUnknown, type PciFunction } from '../../machine/snapshot.ts';
import type { Allow } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import { describeWho, finalDriver, listed, pathOf, type Subject, uses } from '../subject.ts';
import { forbids } from './forbidden.ts';

/**
 * The node of a group leads to every function of the group that is with a VFIO driver. Whoever is allowed one function
 * via group gets the others too, and nothing is permitted that no statement allows, but for those that the author has
 * taken in as belonging to it: `with its group`.
 */
export function* siblings(subject: Subject): Iterable<Finding> {
  for (const [allow, others] of givenAlong(subject)) yield refusal(subject, allow, [...others]);
}

/** Statements by which somebody gets functions that nothing allows him, and these. */
export function givenAlong(subject: Subject): ReadonlyMap<Allow, ReadonlySet<PciFunction>> {
  const allowed = new Map<string, Set<string>>();
  for (const { who, functions } of subject.policy.allows) {
    const of = allowed.get(describeWho(who)) ?? new Set();
    allowed.set(describeWho(who), of);
    for (const address of functions) of.add(address);
  }
  const seen = new Map<Allow, Set<PciFunction>>();
  for (const { allow, fn } of uses(subject)) {
    if (pathOf(subject, allow, fn) !== 'group') continue;
    const group = subject.world.devices.get(fn.address)?.group ?? null;
    const may = allowed.get(describeWho(allow.who));
    for (const other of group === null ? [] : (subject.members.get(group) ?? [])) {
      if (other === fn || may?.has(other.address) || !comesAlone(subject, other)) continue;
      // That it is forbidden says more.
      if (subject.policy.forbids.some((forbid) => forbids(subject, forbid, allow, other.address))) continue;
      const others = seen.get(allow) ?? new Set();
      seen.set(allow, others.add(other));
    }
  }
  return seen;
}

/** With a VFIO driver, and not because the group of another device was taken whole. */
function comesAlone(subject: Subject, fn: PciFunction): boolean {
  const driver = finalDriver(subject, fn);
  if (isUnknown(driver) || driver === null || !isVfioDriver(driver)) return false;
  const bind = subject.wanted.get(fn.address)?.bind;
  const named = bind && subject.policy.devices.get(bind.device)?.functions.includes(fn.address);
  return bind?.wholeGroup !== true || named === true;
}

function refusal(subject: Subject, allow: Allow, others: readonly PciFunction[]): Finding {
  const who = describeWho(allow.who);
  const addresses = others.map(({ address }) => address);
  const binds = new Set(others.flatMap(({ address }) => subject.wanted.get(address)?.bind ?? []));
  const { cdev, iommufd } = subject.world.profile.build;
  const byCdev = cdev && iommufd !== 'n';
  return found(
    report(
      'VP3136',
      allow.place,
      { who, address: listed(allow.functions), others: listed(addresses) },
      {
        related: [...binds].map(({ place, device }) => ({ place, message: `\`${device}\` is bound here` })),
        causes: ['they share an IOMMU group, and the node of the group leads to all of its functions'],
        cures: [
          `allow ${who} the others too, or bind them to \`none\` or \`pci-stub\`, which nobody can use`,
          ...(byCdev ? ['write `via iommufd`: each function has a node of its own'] : []),
        ],
        fixes: [
          ...(byCdev && allow.viaPlace ? [replacement(allow.viaPlace, 'iommufd')] : []),
          removal(allow.place, 'the allow'),
        ],
      },
    ),
  );
}
