import type { Fix, Place } from '../../diagnostics/diagnostic.ts';
import { nameMeant, replacement } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isVfioDriver } from '../../machine/drivers.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import type { Assumption } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import { byBind, type Subject, type Wanted } from '../subject.ts';

/** A driver that the kernel has not got, or a host driver whose id table does not name the function. */
export function* drivers(subject: Subject): Iterable<Finding> {
  const missing = new Map<string, Wanted[]>();
  for (const wanted of subject.wanted.values()) {
    const { fn, driver, bind } = wanted;
    if (driver === null || fn.driver === driver) continue;
    yield* variant(subject, wanted);
    const there = available(subject, driver);
    if (there === false) missing.set(driver, [...(missing.get(driver) ?? []), wanted]);
    else if (typeof there === 'object') {
      const sentence = `the kernel has driver ${driver}`;
      yield needed({ ...there, sentence, place: bind.place });
    } else if (!isVfioDriver(driver) && !takesAnything.has(driver)) yield* mismatch(wanted, driver);
  }
  for (const [driver, wanted] of missing) yield* absent(subject, driver, wanted);
}

/** Drivers without an id table of their own, which any function can be given by override. */
const takesAnything: ReadonlySet<string> = new Set(['pci-stub', 'uio_pci_generic', 'igb_uio']);

/** `bind … to vfio` means the variant driver that was made for the function, if the kernel has one. */
function* variant({ arriving }: Subject, { fn, bind }: Wanted): Iterable<Finding> {
  const { address, drivers } = fn;
  // What virtual functions will match that are not there yet, no look at the machine tells.
  if (bind.to !== 'vfio' || !isUnknown(drivers) || arriving.has(address)) return;
  const sentence = `no driver of VFIO's was made for ${address}, and vfio-pci takes it`;
  yield needed({
    fact: `/functions/${address}/drivers`,
    sentence,
    unknown: drivers.unknown,
    place: bind.place,
  });
}

function available(
  { snapshot, functions }: Subject,
  driver: string,
): boolean | Pick<Assumption, 'fact' | 'unknown' | 'expects'> {
  if (!isUnknown(snapshot.drivers) && snapshot.drivers.includes(driver)) return true;
  for (const fn of functions.values()) if (fn.driver === driver) return true;
  if (driver === 'vfio-pci') {
    const { VFIO, VFIO_PCI } = snapshot.kernel.options;
    if (VFIO === 'n' || VFIO_PCI === 'n') return false;
    const expects = ['y', 'm'];
    if (isUnknown(VFIO_PCI)) return { fact: '/kernel/options/VFIO_PCI', unknown: VFIO_PCI.unknown, expects };
    return !isUnknown(VFIO) || { fact: '/kernel/options/VFIO', unknown: VFIO.unknown, expects };
  }
  for (const fn of functions.values()) if (!isUnknown(fn.drivers) && fn.drivers.includes(driver)) return true;
  return isUnknown(snapshot.drivers) ? { fact: '/drivers', unknown: snapshot.drivers.unknown } : false;
}

function* absent(subject: Subject, driver: string, wanted: readonly Wanted[]): Iterable<Finding> {
  const { policy, snapshot } = subject;
  const names = isUnknown(snapshot.drivers) ? [] : snapshot.drivers;
  for (const { bind, addresses } of byBind(wanted)) {
    const meant = nameMeant(bind.toPlace, driver, [...names, 'vfio-pci']);
    yield found(
      report(
        'VP3118',
        bind.place,
        { host: policy.host, driver },
        {
          causes: [
            driver === 'vfio-pci'
              ? 'the kernel was built without VFIO or without VFIO_PCI'
              : 'it is neither registered nor named by any function of the machine',
          ],
          cures: [
            ...meant.cures,
            driver === 'vfio-pci'
              ? 'boot a kernel that was built with `CONFIG_VFIO_PCI`'
              : 'load the module that brings the driver, and take the snapshot again',
          ],
          fixes: [...meant.fixes, leaving(subject, bind)],
        },
      ),
      addresses,
    );
  }
}

function* mismatch({ fn, bind }: Wanted, driver: string): Iterable<Finding> {
  const { drivers, address } = fn;
  if (isUnknown(drivers)) {
    const fact = `/functions/${address}/drivers`;
    yield needed({
      fact,
      sentence: `${driver} knows ${address}`,
      unknown: drivers.unknown,
      place: bind.place,
    });
  } else if (!drivers.includes(driver)) {
    yield found(
      report(
        'VP3119',
        bind.place,
        { driver, address },
        {
          causes: [
            drivers.length > 0 ? `it is known to ${drivers.join(', ')}` : 'no driver of this kernel knows it',
          ],
          cures:
            drivers.length > 0
              ? [`write one of them, or \`default\``]
              : ['write `none` to leave it without a driver'],
          fixes: bind.toPlace ? others(drivers, bind.toPlace) : [],
        },
      ),
      [address],
    );
  }
}

/** What can stand after `to` instead. */
function others(known: readonly string[], place: Place): readonly Fix[] {
  const words = known.length > 0 ? ['default', ...known.slice(0, 3)] : ['none'];
  return words.map((word) => replacement(place, word));
}
