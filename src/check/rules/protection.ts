import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found } from '../finding.ts';
import { byBind, groupOf, listed, type Subject } from '../subject.ts';

/** `protect DEVICE`: no statement may touch it, nor a function that shares its group. */
export function* protection(subject: Subject): Iterable<Finding> {
  for (const { functions, place, policy } of subject.policy.protects) {
    for (const address of functions) {
      const fn = subject.functions.get(address);
      if (!fn) continue;
      const group = groupOf(subject, fn);
      const touched = [...subject.wanted.values()].filter(
        (wanted) =>
          wanted.driver !== wanted.fn.driver &&
          (wanted.fn === fn ||
            // A virtual function goes away when its physical function loses its driver.
            wanted.fn.address === fn.physicalFunction ||
            (typeof group === 'number' && !isUnknown(group) && groupOf(subject, wanted.fn) === group)),
      );
      for (const { bind, addresses } of byBind(touched)) {
        const causes = addresses
          .filter((other) => other !== address)
          .map((other) => `${other} shares IOMMU group ${group} with ${address}`);
        yield found(
          report(
            'VP3105',
            bind.place,
            { address, touched: listed(addresses) },
            {
              related: [{ place, message: `policy ${policy} protects it here` }],
              causes,
              cures: ['choose another device, or remove the protection'],
            },
          ),
          addresses,
        );
      }
    }
  }
}
