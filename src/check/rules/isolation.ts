import { removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found, needed } from '../finding.ts';
import { finalDriver, groupOf, listed, type Subject } from '../subject.ts';

/**
 * `require DEVICE isolated`: nothing else that the host uses shares its group. Without an IOMMU nothing is isolated;
 * with one, a function that another driver of the host has, or that is not known, is in the way.
 */
export function* isolation(subject: Subject): Iterable<Finding> {
  for (const { what, functions, place } of subject.policy.requires) {
    if (what !== 'isolated') continue;
    for (const address of functions) {
      const fn = subject.functions.get(address);
      if (!fn) continue;
      const group = groupOf(subject, fn);
      if (isUnknown(group)) {
        const sentence = `${address} is alone in its IOMMU group`;
        yield needed({ fact: `/functions/${address}/iommuGroup`, sentence, unknown: group.unknown, place });
        continue;
      }
      // That the claim is all that isolates it is told with the claim.
      if (group === null && subject.claims.has(address)) continue;
      if (group === null) {
        const cures = ['switch the IOMMU on, or remove the requirement'];
        const fixes = [removal(place, 'the requirement')];
        const others = 'everything: without an IOMMU its DMA reaches all of memory';
        yield found(report('VP3106', place, { address, group: 'none', others }, { cures, fixes }), []);
        continue;
      }
      const others = (subject.members.get(group) ?? []).filter(
        (member) => member !== fn && hostUses(subject, member),
      );
      if (others.length === 0) continue;
      // The same functions make the group not viable, which the bind's own message says.
      const bound = subject.taken.some((wanted) => groupOf(subject, wanted.fn) === group);
      if (bound) continue;
      yield found(
        report(
          'VP3106',
          place,
          { address, group, others: listed(others.map((other) => other.address)) },
          {
            causes: others.map((other) => `${other.address} stays with ${driverText(subject, other)}`),
            cures: [
              'move the device to a slot with a group of its own, or take the whole group: `bind … with its group to …`',
            ],
            fixes: [removal(place, 'the requirement')],
          },
        ),
        [],
      );
    }
  }
}

function hostUses(subject: Subject, member: Subject['snapshot']['functions'][number]): boolean {
  const driver = finalDriver(subject, member);
  return isUnknown(driver) || (driver !== null && subject.world.drivers.get(driver)?.managesDma !== true);
}

function driverText(subject: Subject, member: Subject['snapshot']['functions'][number]): string {
  const driver = finalDriver(subject, member);
  return isUnknown(driver) ? 'a driver that is not known' : (driver ?? 'no driver');
}
