import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import { byBind, listed, type Subject } from '../subject.ts';

/** vfio-pci takes functions with header type 0 only: no bridges, whatever their class says. */
export function* endpoints(subject: Subject): Iterable<Finding> {
  const { taken } = subject;
  for (const { fn, bind } of taken) {
    const { headerType, address } = fn;
    if (!isUnknown(headerType)) continue;
    const fact = `/functions/${address}/headerType`;
    const sentence = `${address} is an endpoint`;
    yield needed({ fact, sentence, unknown: headerType.unknown, expects: [0], place: bind.place });
  }
  const bridges = taken.filter(({ fn }) => !isUnknown(fn.headerType) && fn.headerType !== 0);
  for (const { bind, addresses } of byBind(bridges)) {
    const one = bridges.find(({ fn }) => fn.address === addresses[0]);
    const kind = one?.fn.headerType === 2 ? 'CardBus bridge' : 'bridge';
    yield found(
      report(
        'VP4103',
        bind.place,
        { address: listed(addresses), kind },
        {
          causes: addresses.map((address) => `${address} has a bridge's header`),
          cures: [
            'bind the functions behind the bridge; the bridge keeps its driver, which does not disturb VFIO',
          ],
          fixes: [leaving(subject, bind)],
          kernel: {
            step: `bind ${addresses[0]} to ${one?.driver ?? 'vfio-pci'}`,
            guard: 'the header type is not that of an endpoint',
            errno: 'EINVAL',
            citation: 'drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_register_device (6.12)',
          },
        },
      ),
      addresses,
    );
  }
}
