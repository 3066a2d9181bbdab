import { report } from '../../diagnostics/report.ts';
import { isVfioDriver } from '../../machine/drivers.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { putBackOf } from '../../script/put-back.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import type { Subject } from '../subject.ts';

/** A physical function whose virtual functions are enabled stays with the driver that enabled them. */
export function* virtualFunctions(subject: Subject): Iterable<Finding> {
  const { wanted, policy } = subject;
  // Those that an earlier plan made and no policy names any more are gone before their physical function is bound.
  const going = new Set(putBackOf(policy).virtual.map(({ address }) => address));
  for (const { fn, bind, driver } of wanted.values()) {
    const { sriov, address } = fn;
    if (driver === fn.driver) continue;
    const toVfio = driver !== null && isVfioDriver(driver);
    // A function without a driver has no virtual functions that could go away with it.
    if (!toVfio && fn.driver === null) continue;
    if (isUnknown(sriov)) {
      const fact = `/functions/${address}/sriov/numVfs`;
      const sentence = `${address} has no virtual functions`;
      yield needed({ fact, sentence, unknown: sriov.unknown, expects: [0, null], place: bind.place });
      continue;
    }
    if (!sriov || sriov.numVfs === 0 || going.has(address)) continue;
    yield found(
      report(
        'VP4104',
        bind.place,
        { address, count: sriov.numVfs },
        {
          causes: ['they go away with the driver that made them, and nothing brings them back'],
          cures: [
            `take the virtual functions away first: write 0 to /sys/bus/pci/devices/${address}/sriov_numvfs`,
            'or bind the virtual functions and leave the physical one to its driver',
          ],
          fixes: [leaving(subject, bind)],
          ...(toVfio ? { kernel: refusal(address, driver) } : {}),
        },
      ),
      [address],
    );
  }
}

function refusal(address: string, driver: string) {
  return {
    step: `bind ${address} to ${driver}`,
    guard: 'SR-IOV is enabled on the physical function',
    errno: 'EBUSY',
    citation: 'drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_register_device (6.12)',
  };
}
