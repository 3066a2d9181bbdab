import { oneOfTwo } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import type { Address } from '../../machine/snapshot.ts';
import type { Bind } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import { listed, type Subject } from '../subject.ts';

/** Two statements that want different drivers for one function. Order never matters, so neither wins. */
export function* conflicts({ policy }: Subject): Iterable<Finding> {
  const first = new Map<Address, Bind>();
  const pairs = new Map<Bind, Map<Bind, Address[]>>();
  for (const bind of policy.binds) {
    for (const address of bind.functions) {
      const earlier = first.get(address);
      if (!earlier) first.set(address, bind);
      else if (earlier.driver(address) !== bind.driver(address)) {
        const of = pairs.get(bind) ?? new Map<Bind, Address[]>();
        pairs.set(bind, of.set(earlier, [...(of.get(earlier) ?? []), address]));
      }
    }
  }
  for (const [bind, earlier] of pairs) {
    for (const [other, addresses] of earlier) {
      const [address = ''] = addresses;
      const name = (b: Bind): string => b.driver(address) ?? 'none';
      yield found(
        report(
          'VP3107',
          bind.place,
          { address: listed(addresses), first: name(other), second: name(bind) },
          {
            related: [{ place: other.place, message: `policy ${other.policy} wants ${name(other)}` }],
            causes: [`policy ${bind.policy} wants ${name(bind)} for \`${bind.device}\``],
            cures: ['keep one of the two statements, or make the devices that they name disjoint'],
            fixes: oneOfTwo(bind.place, other.place),
          },
        ),
        addresses,
      );
    }
  }
}
