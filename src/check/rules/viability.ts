import type { Fix, KernelAnswer, Place } from '../../diagnostics/diagnostic.ts';
import { insertionAfter } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isVfioDriver } from '../../machine/drivers.ts';
import { type HoldingKind, holds } from '../../machine/holdings.ts';
import { isUnknown, type PciFunction } from '../../machine/snapshot.ts';
import { className } from '../../policy/classes.ts';
import { comesWithGroup } from '../../policy/drivers.ts';
import type { Bind } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { leaving } from '../leaving.ts';
import { finalDriver, listed, pathOf, type Subject, uses as usesOf } from '../subject.ts';

/**
 * A group can be claimed only while none of its functions sits with a host driver, one that does DMA for the host
 * (drivers/iommu/iommu.c iommu_group_claim_dma_owner). Ports with pcieport and functions without a driver do not count.
 */
export function* viability(subject: Subject): Iterable<Finding> {
  const byGroup = new Map<number, Bind[]>();
  for (const { fn, bind } of subject.taken) {
    const group = subject.world.devices.get(fn.address)?.group ?? null;
    if (group === null) continue;
    const binds = byGroup.get(group) ?? [];
    if (!binds.includes(bind)) byGroup.set(group, [...binds, bind]);
  }
  for (const [group, binds] of byGroup) {
    const blocking: PciFunction[] = [];
    for (const member of subject.members.get(group) ?? []) {
      const driver = finalDriver(subject, member);
      const [bind] = binds;
      if (isUnknown(driver)) {
        if (bind) yield unknownDriver(member, group, driver.unknown, bind.place);
      } else if (driver !== null && !managesDma(subject, driver)) blocking.push(member);
    }
    if (blocking.length > 0) for (const bind of binds) yield refusal(subject, group, bind, blocking);
  }
  yield* ofOthers(subject, byGroup);
}

/** Groups that are used and need no bind, as their functions are with a VFIO driver: the model tries those, and reads
 * a driver that is not known as none. */
function* ofOthers(subject: Subject, bound: ReadonlyMap<number, readonly Bind[]>): Iterable<Finding> {
  const seen = new Set<number>(bound.keys());
  for (const { allow, fn } of usesOf(subject)) {
    const group = subject.world.devices.get(fn.address)?.group ?? null;
    if (group === null || seen.has(group)) continue;
    seen.add(group);
    for (const member of subject.members.get(group) ?? []) {
      const driver = finalDriver(subject, member);
      if (isUnknown(driver)) yield unknownDriver(member, group, driver.unknown, allow.place);
    }
  }
}

function unknownDriver({ address }: PciFunction, group: number, unknown: string, place: Place): Finding {
  const sentence = `${address}, which shares group ${group}, is not bound to a host driver`;
  const expects = [null, 'vfio-pci', 'pcieport'];
  return needed({ fact: `/functions/${address}/driver`, sentence, unknown, expects, place });
}

/** A driver that is not there is reported as such; a VFIO driver would not block. */
function managesDma({ world }: Subject, driver: string): boolean {
  return world.drivers.get(driver)?.managesDma ?? isVfioDriver(driver);
}

function refusal(subject: Subject, group: number, bind: Bind, blocking: readonly PciFunction[]): Finding {
  const { world, snapshot } = subject;
  const mine = bind.functions.filter((address) => world.devices.get(address)?.group === group);
  const keeps = (fn: PciFunction): string => String(finalDriver(subject, fn));
  const stays = (fn: PciFunction): string =>
    subject.returning.has(fn.address) ? 'goes back to' : 'stays with';
  const needs = blocking.flatMap((fn) => uses(snapshot, fn));
  const movable = !bind.wholeGroup && needs.length === 0 && blocking.every(comesWithGroup);
  return found(
    report(
      'VP4101',
      bind.place,
      {
        device: bind.device,
        group,
        others: listed(blocking.map((fn) => `${fn.address} (driver ${keeps(fn)})`)),
      },
      {
        causes: [
          ...blocking.map(
            (fn) =>
              `${fn.address}, ${fn.label ?? className(fn.class)}, ${stays(fn)} ${keeps(fn)}, which does DMA for the host`,
          ),
          ...needs,
        ],
        cures: [
          ...(movable ? [`take the whole group: \`bind ${bind.device} with its group to ${bind.to}\``] : []),
          'move the card to a slot whose root port isolates it (ACS), so that it gets a group of its own',
          ...(movable ? [] : ['choose a device whose group holds nothing that the host needs']),
        ],
        fixes: [...(movable ? wholeGroup(bind) : []), leaving(subject, bind)],
        kernel: kernelAnswer(subject, group, mine),
      },
    ),
    mine,
  );
}

/** What the first call answers that claims the group, by the way on which it is used. */
function kernelAnswer(subject: Subject, group: number, mine: readonly string[]): KernelAnswer {
  const ways = [...usesOf(subject)].filter(({ fn }) => mine.includes(fn.address));
  const guard = 'a function of the group is bound to a host driver, so the group is not viable';
  if (ways.length > 0 && ways.every(({ allow, fn }) => pathOf(subject, allow, fn) === 'iommufd')) {
    const citation = 'drivers/iommu/iommu.c iommu_device_claim_dma_owner (6.12)';
    return { step: `VFIO_DEVICE_BIND_IOMMUFD on ${mine[0]}`, guard, errno: 'EPERM', citation };
  }
  const claims = subject.world.profile.viability === 'claim';
  return {
    step: `VFIO_GROUP_SET_CONTAINER on /dev/vfio/${group}`,
    guard,
    errno: claims ? 'EPERM' : 'EINVAL',
    citation: claims
      ? 'drivers/iommu/iommu.c iommu_group_claim_dma_owner (6.12)'
      : 'drivers/vfio/vfio.c vfio_dev_viable (4.3)',
  };
}

/** Why the host needs a function that is in the way: it must not be offered to take it along. */
function uses(snapshot: Subject['snapshot'], fn: PciFunction): string[] {
  const causes: string[] = [];
  const kinds: readonly HoldingKind[] = ['root', 'boot', 'any', 'management'];
  for (const kind of kinds) {
    const held = holds(snapshot, fn.address, kind);
    if (held.is === 'held') causes.push(...held.chain);
    else if (held.is === 'unknown')
      causes.push(`what ${fn.address} holds for the host is not known: ${held.unknown}`);
  }
  return [...new Set(causes)];
}

function wholeGroup({ named }: Bind): Fix[] {
  return named ? [insertionAfter(named, 'with its group')] : [];
}
