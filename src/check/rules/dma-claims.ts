import type { Place } from '../../diagnostics/diagnostic.ts';
import { removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import type { Address } from '../../machine/snapshot.ts';
import type { DmaClaim } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import { groupOf, listed, pathOf, type Subject, uses } from '../subject.ts';

interface Resting {
  readonly what: string;
  readonly place: Place;
}

/**
 * `dma none` is a claim that no machine can show. What rests on it is told: uses without an IOMMU, and isolation where
 * there is none. A claim on which nothing rests has no effect.
 */
export function* dmaClaims(subject: Subject): Iterable<Finding> {
  const resting = new Map<DmaClaim, { readonly addresses: Set<Address>; readonly on: Map<Place, Resting> }>();
  const rest = (address: Address, what: string, place: Place): void => {
    const claim = subject.claims.get(address);
    if (claim === undefined) return;
    const entry = resting.get(claim) ?? { addresses: new Set(), on: new Map() };
    resting.set(claim, entry);
    entry.addresses.add(address);
    entry.on.set(place, { what, place });
  };
  for (const { allow, fn } of uses(subject)) {
    if (pathOf(subject, allow, fn) === 'noiommu')
      rest(fn.address, 'its use without an IOMMU is safe only if the claim is true', allow.place);
  }
  for (const { what, functions, place } of subject.policy.requires) {
    for (const address of what === 'isolated' ? functions : []) {
      const fn = subject.functions.get(address);
      if (fn && groupOf(subject, fn) === null)
        rest(address, 'without an IOMMU it is isolated only if the claim is true', place);
    }
  }
  for (const [claim, { addresses, on }] of resting) yield told(claim, [...addresses], [...on.values()]);
  for (const claim of new Set(subject.claims.values())) {
    if (resting.has(claim)) continue;
    const reason = 'nothing rests on the claim: the device is used with an IOMMU, or not at all';
    const fixes = [removal(claim.place, 'the claim')];
    yield found(report('VP3126', claim.place, { reason }, { cures: ['remove the claim'], fixes }));
  }
}

function told({ reason, place }: DmaClaim, addresses: readonly Address[], on: readonly Resting[]): Finding {
  return found(
    report(
      'VP3127',
      place,
      { address: listed(addresses) },
      {
        related: on.map(({ what, place: at }) => ({ place: at, message: what })),
        causes: [
          `the claim: ${reason}`,
          'a user of the function can switch its bus mastering on: the command register is his to write (drivers/vfio/pci/vfio_pci_config.c vfio_basic_config_write, 6.12)',
        ],
        cures: ['switch the IOMMU on where there is one: then nothing rests on the claim'],
      },
    ),
  );
}
