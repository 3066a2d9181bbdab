import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { siblingsOf, topologyOf } from '../../machine/topology.ts';
import { type Finding, found, needed } from '../finding.ts';
import { byBind, groupOf, listed, type Subject, uses } from '../subject.ts';

/**
 * Whether a function has an IOMMU group decides every step that is made for it, so one that is not told is an error
 * and not a precondition. Of other functions it is one: they might belong to the same group.
 */
export function* groupsKnown(subject: Subject): Iterable<Finding> {
  const { policy, snapshot, taken } = subject;
  const untold = taken.filter(({ fn }) => isUnknown(groupOf(subject, fn)));
  for (const { bind, addresses } of byBind(untold)) {
    const facts = listed(addresses.map((address) => `\`/functions/${address}/iommuGroup\``));
    const extra = {
      severity: 'error',
      causes: addresses.map((address) => `whether ${address} has an IOMMU group decides how it can be used`),
      cures: ['take a snapshot on the machine itself with `vfioplan snapshot`'],
    } as const;
    yield found(report('VP3304', bind.place, { facts, host: policy.host }, extra), addresses);
  }
  const { withoutKnownGroup } = topologyOf(snapshot);
  const used = [
    ...taken.map(({ fn, bind }) => ({ fn, place: bind.place })),
    ...[...uses(subject)].map(({ fn, allow }) => ({ fn, place: allow.place })),
  ];
  const one = used.find(({ fn }) => !isUnknown(fn.iommuGroup) && isUnknown(siblingsOf(snapshot, fn)));
  if (!one || !withoutKnownGroup || !isUnknown(withoutKnownGroup.iommuGroup)) return;
  const { address, iommuGroup } = withoutKnownGroup;
  const fact = `/functions/${address}/iommuGroup`;
  const sentence = `${address} does not share the group of ${one.fn.address}`;
  yield needed({ fact, sentence, unknown: iommuGroup.unknown, place: one.place });
}
