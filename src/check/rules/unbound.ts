import { insertionBefore, removal, replacement } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isVfioDriver } from '../../machine/drivers.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found, needed } from '../finding.ts';
import { describeWho, finalDriver, listed, type Subject } from '../subject.ts';

/**
 * An allowed function that is not with a VFIO driver when the policy is established: no statement binds it and it is
 * not bound so now or goes back from there, or a statement binds it to something else. Nobody could open it.
 */
export function* unbound(subject: Subject): Iterable<Finding> {
  for (const allow of subject.policy.allows) {
    const who = describeWho(allow.who);
    const nowhere: string[] = [];
    const elsewhere = new Map<string, string[]>();
    for (const address of allow.functions) {
      const wanted = subject.wanted.get(address);
      const fn = subject.functions.get(address);
      const driver = fn === undefined ? (wanted?.driver ?? null) : finalDriver(subject, fn);
      if (isUnknown(driver)) {
        const sentence = `${address} is bound to vfio-pci`;
        const fact = `/functions/${address}/driver`;
        yield needed({ fact, sentence, unknown: driver.unknown, expects: ['vfio-pci'], place: allow.place });
      } else if (driver === null || !isVfioDriver(driver)) {
        if (!wanted) nowhere.push(address);
        else elsewhere.set(driver ?? 'none', [...(elsewhere.get(driver ?? 'none') ?? []), address]);
      }
    }
    const device = allow.device;
    if (nowhere.length > 0)
      yield found(
        report(
          'VP3109',
          allow.place,
          { who, device, address: listed(nowhere) },
          {
            cures: [`add \`bind ${device} to vfio-pci\` to a policy of this host`],
            fixes: [insertionBefore(allow.place, `bind ${device} to vfio-pci`)],
          },
        ),
        nowhere,
      );
    for (const [driver, addresses] of elsewhere) {
      const bind = subject.wanted.get(addresses[0] ?? '')?.bind;
      yield found(
        report(
          'VP3123',
          allow.place,
          { who, address: listed(addresses), driver },
          {
            related: bind ? [{ place: bind.place, message: `it is bound to ${driver} here` }] : [],
            cures: ['bind it to `vfio-pci` (or `vfio`, the best variant driver), or remove the allow'],
            fixes: [
              ...(bind?.toPlace ? [replacement(bind.toPlace, 'vfio-pci')] : []),
              removal(allow.place, 'the allow'),
            ],
          },
        ),
        addresses,
      );
    }
  }
}
