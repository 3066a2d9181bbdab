import { report } from '../../diagnostics/report.ts';
import { type Address, isUnknown } from '../../machine/snapshot.ts';
import { applies } from '../../policy/pattern.ts';
import type { Allow, Forbid, WhoMay } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { describeWho, listed, pathOf, type Subject } from '../subject.ts';

/** An allowed use that is forbidden too. Forbid wins, so the allow can never be kept: both places are named. */
export function* forbidden(subject: Subject): Iterable<Finding> {
  for (const allow of subject.policy.allows) {
    for (const forbid of subject.policy.forbids) {
      const addresses = allow.functions.filter((address) => forbids(subject, forbid, allow, address));
      if (addresses.length === 0) continue;
      yield found(
        report(
          'VP3108',
          allow.place,
          { who: describeWho(allow.who), address: listed(addresses) },
          {
            related: [{ place: forbid.place, message: `policy ${forbid.policy} forbids it here` }],
            cures: ['remove the allow, or narrow the forbid: `unless host LABEL is "VALUE"`'],
          },
        ),
        addresses,
      );
      break;
    }
  }
}

/** Whether a forbid covers an allowed use of one function. */
export function forbids(subject: Subject, forbid: Forbid, allow: Allow, address: Address): boolean {
  const { what, who, functions, via } = forbid;
  const fn = subject.functions.get(address);
  if (what !== 'use' || !who || !covers(who, allow.who)) return false;
  if (!fn || (functions && !functions.includes(address))) return false;
  const path = pathOf(subject, allow, fn);
  // A path that is not known may be the forbidden one.
  return via === 'any' || path === null || path === via;
}

function covers(forbidden: WhoMay, allowed: WhoMay): boolean {
  if (forbidden.kind === 'anyone') return true;
  return forbidden.kind === allowed.kind && applies(forbidden.name, allowed.name);
}

/** `forbid unsafe interrupts` on a machine where the module parameter already permits them. */
export function* unsafeInterruptsForbidden({ policy, snapshot }: Subject): Iterable<Finding> {
  const forbid = policy.forbids.find(({ what }) => what === 'unsafe-interrupts');
  if (!forbid) return;
  const { modules } = snapshot;
  const value = isUnknown(modules)
    ? modules
    : (modules['vfio_iommu_type1']?.parameters['allow_unsafe_interrupts'] ?? 'N');
  if (isUnknown(value)) {
    const fact = '/modules/vfio_iommu_type1/parameters/allow_unsafe_interrupts';
    const sentence = 'unsafe interrupts are not allowed';
    yield needed({ fact, sentence, unknown: value.unknown, expects: ['N', null], place: forbid.place });
    return;
  }
  if (value === 'N') return;
  yield found(
    report(
      'VP3121',
      forbid.place,
      { host: policy.host, value },
      {
        causes: ['/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts says so'],
        cures: ['write N to it, and remove the option from /etc/modprobe.d'],
      },
    ),
  );
}
