import { oneOfTwo, removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import type { Address } from '../../machine/snapshot.ts';
import type { Persist } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import { listed, type Subject } from '../subject.ts';

const words: Readonly<Record<Persist['until'], string>> = {
  nothing: 'nothing',
  boots: 'across boots',
  drivers: 'across boots, before drivers',
};

/**
 * `persist`: one answer for one device, and a policy that has something to keep.
 */
export function* persistence(subject: Subject): Iterable<Finding> {
  const { policy } = subject;
  const of = new Map(policy.persists.map((persist) => [persist.policy, persist]));
  if (of.size === 0) return;
  const said = new Map<Address, Persist>();
  const pairs = new Map<Persist, Map<Persist, Address[]>>();
  const kept = new Set(
    [...policy.binds, ...policy.creates, ...policy.allows].map((statement) => statement.policy),
  );
  for (const { policy: name, functions } of policy.binds) {
    const persist = of.get(name);
    if (persist === undefined) continue;
    for (const address of functions) {
      const earlier = said.get(address);
      if (earlier === undefined) said.set(address, persist);
      else if (earlier.until !== persist.until) {
        const others = pairs.get(persist) ?? new Map<Persist, Address[]>();
        pairs.set(persist, others.set(earlier, [...(others.get(earlier) ?? []), address]));
      }
    }
  }
  for (const [second, others] of pairs) {
    for (const [first, addresses] of others) yield conflict(first, second, addresses);
  }
  for (const persist of policy.persists) {
    if (!kept.has(persist.policy)) {
      const reason = 'the policy says of nothing what it shall be';
      const fixes = [removal(persist.place, 'the statement')];
      yield found(report('VP3126', persist.place, { reason }, { cures: ['remove the statement'], fixes }));
    }
  }
}

function conflict(first: Persist, second: Persist, addresses: readonly Address[]): Finding {
  const what = `what of ${listed(addresses)} persists`;
  return found(
    report(
      'VP3132',
      second.place,
      { what, first: words[first.until], second: words[second.until] },
      {
        related: [{ place: first.place, message: `policy ${first.policy} says ${words[first.until]}` }],
        cures: ['say the same in both policies, or bind the device in one of them'],
        fixes: oneOfTwo(second.place, first.place),
      },
    ),
  );
}
