import { report } from '../../diagnostics/report.ts';
import { isUnknown, type Snapshot } from '../../machine/snapshot.ts';
import { isDenylisted } from '../../model/binding.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import type { Subject } from '../subject.ts';

/** Devices that can reach other memory than their user's are refused unless vfio_pci was loaded to take them. */
export function* denylist(subject: Subject): Iterable<Finding> {
  const { taken, snapshot } = subject;
  for (const { fn, bind, driver } of taken) {
    const id = `${fn.vendor}:${fn.device}`;
    if (driver !== 'vfio-pci' || fn.driver === driver || !isDenylisted(fn)) continue;
    const disabled = parameter(snapshot);
    if (typeof disabled === 'object') {
      const fact = '/modules/vfio_pci/parameters/disable_denylist';
      const sentence = 'vfio_pci was loaded with disable_denylist=Y';
      yield needed({ fact, sentence, unknown: disabled.unknown, expects: ['Y'], place: bind.place });
      continue;
    }
    if (disabled === 'Y') continue;
    const { address } = fn;
    yield found(
      report(
        'VP4107',
        bind.place,
        { address, id },
        {
          cures: [
            'if every user of it is trusted, load vfio_pci with `disable_denylist=1`; the parameter is fixed after that',
          ],
          fixes: [leaving(subject, bind)],
          kernel: {
            step: `bind ${address} to vfio-pci`,
            guard: 'the device is on the denylist',
            errno: 'EINVAL',
            citation: 'drivers/vfio/pci/vfio_pci.c vfio_pci_probe, vfio_pci_is_denylisted (6.12)',
          },
        },
      ),
      [address],
    );
  }
}

function parameter({ modules }: Snapshot): string | { readonly unknown: string } {
  if (isUnknown(modules)) return modules;
  return modules['vfio_pci']?.parameters['disable_denylist'] ?? 'N';
}
