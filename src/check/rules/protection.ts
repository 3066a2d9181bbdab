import { report } from '../../diagnostics/report.ts';
import { holds } from '../../machine/holdings.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import type { Protect } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import { byBind, groupOf, leavesDriver, listed, type Subject } from '../subject.ts';

/**
 * `protect`: no statement may touch the device, nor a function that shares its group. Of devices that are protected for
 * what they hold, the laws ask after each step; here only what has to be known for that.
 */
export function* protection(subject: Subject): Iterable<Finding> {
  for (const protect of subject.policy.protects)
    if (protect.holding.length > 0) yield* doubts(subject, protect);
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
              fixes: [leaving(subject, bind)],
            },
          ),
          addresses,
        );
      }
    }
  }
}

/** Siblings of what is touched that may hold what is protected, and nobody has looked. */
function* doubts(subject: Subject, { holding, place }: Protect): Iterable<Finding> {
  for (const wanted of subject.wanted.values()) {
    if (leavesDriver(wanted) === false) continue;
    const group = groupOf(subject, wanted.fn);
    if (typeof group !== 'number') continue;
    for (const { address } of subject.members.get(group) ?? []) {
      for (const kind of address === wanted.fn.address ? [] : holding) {
        const held = holds(subject.snapshot, address, kind);
        if (held.is !== 'unknown') continue;
        const { fact, unknown } = held;
        const sentence = `${address}, which shares IOMMU group ${group} with ${wanted.fn.address}, holds nothing that is protected`;
        yield needed({ fact, sentence, unknown, place });
      }
    }
  }
}
