import { removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown, type PciFunction } from '../../machine/snapshot.ts';
import type { Require } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import type { Subject } from '../subject.ts';

/** `require DEVICE resets by …` and `numa …`: what no plan changes, against what the machine has. */
export function* requirements({ policy, functions }: Subject): Iterable<Finding> {
  for (const require of policy.requires) {
    for (const address of require.functions) {
      const fn = functions.get(address);
      if (fn && require.what === 'resets') yield* resets(require, fn);
      if (fn && require.what === 'numa') yield* numa(require, fn);
    }
  }
}

function* resets(
  { methods, place }: Extract<Require, { what: 'resets' }>,
  { address, resetMethods }: PciFunction,
): Iterable<Finding> {
  const wanted = methods.join(' or ');
  if (isUnknown(resetMethods)) {
    const fact = `/functions/${address}/resetMethods`;
    const sentence = `${address} resets by ${wanted}`;
    yield needed({ fact, sentence, unknown: resetMethods.unknown, place });
    return;
  }
  if (methods.some((method) => (resetMethods as readonly string[]).includes(method))) return;
  const has = resetMethods.length === 0 ? 'in no way' : `by ${resetMethods.join(', ')}`;
  const cures = [
    resetMethods.length === 0
      ? 'choose another device: what one user leaves in this one, the next one finds'
      : 'name a way that it has, if it is good enough',
    'look at `/sys/bus/pci/devices/…/reset_method`: a way that was taken out there can be written back',
  ];
  const causes = [
    'the kernel tries the ways of `reset_method` in their order (drivers/pci/pci.c __pci_reset_function_locked)',
  ];
  yield found(
    report(
      'VP3128',
      place,
      { address, wanted, has },
      { causes, cures, fixes: [removal(place, 'the requirement')] },
    ),
  );
}

function* numa(
  { nodes, place }: Extract<Require, { what: 'numa' }>,
  { address, numaNode }: PciFunction,
): Iterable<Finding> {
  const wanted = nodes.join(' or ');
  if (isUnknown(numaNode)) {
    const fact = `/functions/${address}/numaNode`;
    const sentence = `${address} is on NUMA node ${wanted}`;
    yield needed({ fact, sentence, unknown: numaNode.unknown, expects: nodes, place });
    return;
  }
  if (nodes.includes(numaNode)) return;
  const has = numaNode === -1 ? 'none that the firmware tells' : `node ${numaNode}`;
  const cures = ['choose a device on the node that is meant, or move the card to a slot of its socket'];
  yield found(
    report('VP3129', place, { address, wanted, has }, { cures, fixes: [removal(place, 'the requirement')] }),
  );
}
