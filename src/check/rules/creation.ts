import type { KernelAnswer } from '../../diagnostics/diagnostic.ts';
import { oneOfTwo, removal, replacement } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown, type PciFunction } from '../../machine/snapshot.ts';
import { virtualAddresses } from '../../machine/virtual-functions.ts';
import { configuresSriov, sriovWithheld } from '../../model/sriov.ts';
import type { Create } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { finalDriver, type Subject } from '../subject.ts';

/** `create N virtual functions on DEVICE`, against what the function, its driver and the snapshot have. */
export function* creation(subject: Subject): Iterable<Finding> {
  const first = new Map<string, Create>();
  for (const create of subject.policy.creates) {
    yield* notPhysical(subject, create, first);
    for (const address of create.functions) {
      const fn = subject.functions.get(address);
      const earlier = first.get(address);
      if (earlier && earlier.count !== create.count) yield conflict(address, earlier, create);
      if (!fn || earlier) continue;
      first.set(address, create);
      yield* judge(subject, create, fn);
    }
  }
}

function conflict(address: string, first: Create, second: Create): Finding {
  const what = `the virtual functions of ${address}`;
  const holes = { what, first: first.count, second: second.count };
  const related = [{ place: first.place, message: `policy ${first.policy} wants ${first.count}` }];
  const cures = ['keep one of the two statements'];
  const fixes = oneOfTwo(second.place, first.place);
  return found(report('VP3132', second.place, holes, { related, cures, fixes }), [address]);
}

/** Functions of the statement that can have no virtual ones: one thing is wrong, however many a set has of them. */
function* notPhysical(
  subject: Subject,
  { functions, place }: Create,
  told: ReadonlyMap<string, Create>,
): Iterable<Finding> {
  const unable = functions.flatMap((address) => {
    const fn = subject.functions.get(address);
    return fn?.sriov === null && !told.has(address) ? [fn] : [];
  });
  const [first] = unable;
  if (first === undefined) return;
  const causes = unable.map(({ address, physicalFunction }) => {
    const virtual = typeof physicalFunction === 'string';
    const which = unable.length === 1 ? 'it' : address;
    return virtual
      ? `${which} is a virtual function of ${physicalFunction} itself`
      : `${which} has no SR-IOV capability`;
  });
  const fixes = [removal(place, 'the statement')];
  const cures = ['choose the physical function: `lspci -v` shows which have the capability'];
  const holes = { address: first.address };
  yield found(
    report('VP3134', place, holes, { causes, cures, fixes }),
    unable.flatMap((fn) => household(subject, fn)),
  );
}

function* judge(subject: Subject, { place, count, countPlace }: Create, fn: PciFunction): Iterable<Finding> {
  const { address, sriov } = fn;
  const about = household(subject, fn);
  if (isUnknown(sriov)) {
    const fact = `/functions/${address}/sriov`;
    yield needed({
      fact,
      sentence: `${address} has ${count} virtual functions`,
      unknown: sriov.unknown,
      place,
    });
    return;
  }
  if (sriov === null) return;
  const { numVfs, totalVfs } = sriov;
  if (numVfs === count) return;
  if (count > totalVfs) {
    const cures = [`write ${totalVfs} or less; some devices take more after a setting in their firmware`];
    const kernel = refusal(address, count, 'the function cannot have so many virtual functions', 'ERANGE');
    const fixes = totalVfs > 0 ? [replacement(countPlace, String(totalVfs))] : [];
    yield found(
      report('VP4111', place, { address, count, total: totalVfs }, { cures, fixes, kernel }),
      about,
    );
    return;
  }
  if (numVfs > 0) {
    const causes = [
      'the kernel changes the number by way of 0 only: all of them would go, with whatever uses them',
    ];
    const cures = [
      `write ${numVfs}, or take them away first: write 0 to /sys/bus/pci/devices/${address}/sriov_numvfs`,
    ];
    const kernel = refusal(address, count, 'virtual functions are enabled already', 'EBUSY');
    const fixes = [replacement(countPlace, String(numVfs))];
    yield found(report('VP4112', place, { address, count: numVfs }, { causes, cures, fixes, kernel }), about);
    return;
  }
  if (virtualAddresses(fn).length === 0) {
    const causes = [
      'the snapshot does not tell the offset, stride and device id of its virtual functions, so no plan can foretell them',
    ];
    const cures = [
      'take a new snapshot on the machine: Linux shows them since 4.13 (sriov_offset, sriov_stride)',
    ];
    const fixes = [removal(place, 'the statement')];
    yield found(report('VP3135', place, { address }, { causes, cures, fixes }), about);
    return;
  }
  yield* byItsDriver(subject, fn, count, place);
}

function* byItsDriver(
  subject: Subject,
  fn: PciFunction,
  count: number,
  place: Create['place'],
): Iterable<Finding> {
  const { address } = fn;
  const driver = finalDriver(subject, fn);
  if (isUnknown(driver)) {
    const fact = `/functions/${address}/driver`;
    const sentence = `a driver that enables virtual functions is bound to ${address}`;
    yield needed({ fact, sentence, unknown: driver.unknown, place });
    return;
  }
  const able = driver !== null && configuresSriov(subject.world, driver);
  const withheld = able && sriovWithheld(subject.world, subject.state, driver);
  if (able && !withheld) return;
  const cures = [
    withheld
      ? 'write Y to /sys/module/vfio_pci/parameters/enable_sriov, or load vfio_pci with `enable_sriov=1`'
      : 'bind the physical function to its own driver, which enables them',
  ];
  const guard = withheld
    ? 'vfio-pci has enable_sriov off'
    : driver === null
      ? 'no driver is bound to the function'
      : "the function's driver cannot enable virtual functions";
  const kernel = refusal(address, count, guard, 'ENOENT');
  const about = household(subject, fn);
  const holes = { address, driver: driver ?? 'none' };
  yield found(
    report('VP4113', place, holes, { cures, fixes: [removal(place, 'the statement')], kernel }),
    about,
  );
}

/** The function with the virtual ones that would come: what is refused of them follows. */
function household({ policy }: Subject, { address }: PciFunction): readonly string[] {
  const virtual = policy.arriving.filter(({ physicalFunction }) => physicalFunction === address);
  return [address, ...virtual.map((fn) => fn.address)];
}

function refusal(address: string, count: number, guard: string, errno: string): KernelAnswer {
  const step = `write ${count} to /sys/bus/pci/devices/${address}/sriov_numvfs`;
  return { step, guard, errno, citation: 'drivers/pci/iov.c sriov_numvfs_store (6.12)' };
}
