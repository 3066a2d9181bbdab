import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { applies } from '../../policy/pattern.ts';
import type { Allow, Forbid, WhoMay } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import { describeWho, listed, pathOf, type Subject } from '../subject.ts';

/** An allowed use that is forbidden too. Forbid wins, so the allow can never be kept: both places are named. */
export function* forbidden(subject: Subject): Iterable<Finding> {
  for (const allow of subject.policy.allows) {
    for (const forbid of subject.policy.forbids) {
      if (forbid.what !== 'use' || !forbid.who || !covers(forbid.who, allow.who)) continue;
      const addresses = allow.functions.filter((address) => meets(subject, allow, forbid, address));
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

function covers(forbidden: WhoMay, allowed: WhoMay): boolean {
  if (forbidden.kind === 'anyone') return true;
  return forbidden.kind === allowed.kind && applies(forbidden.name, allowed.name);
}

function meets(subject: Subject, allow: Allow, { functions, via }: Forbid, address: string): boolean {
  const fn = subject.functions.get(address);
  if (!fn || (functions && !functions.includes(address))) return false;
  const path = pathOf(subject, allow, fn);
  // A path that is not known may be the forbidden one.
  return via === 'any' || path === null || path === via;
}

/** `forbid unsafe interrupts` on a machine where the module parameter already permits them. */
export function* unsafeInterruptsForbidden({ policy, snapshot }: Subject): Iterable<Finding> {
  const forbid = policy.forbids.find(({ what }) => what === 'unsafe-interrupts');
  if (!forbid) return;
  const { modules } = snapshot;
  if (isUnknown(modules)) return;
  const value = modules['vfio_iommu_type1']?.parameters['allow_unsafe_interrupts'] ?? 'N';
  if (isUnknown(value) || value === 'N') return;
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
