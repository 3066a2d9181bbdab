import { replacement } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown, type PciFunction, type Snapshot } from '../../machine/snapshot.ts';
import type { Allow } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { byAllow, groupOf, groupText, listed, pathOf, type Subject, uses } from '../subject.ts';

/** The path of an allow, against what the function and the kernel have. */
export function* paths(subject: Subject): Iterable<Finding> {
  const iommufd: { allow: Allow; fn: PciFunction }[] = [];
  for (const use of uses(subject)) {
    const { allow, fn } = use;
    const { address } = fn;
    const group = groupOf(subject, fn);
    const path = pathOf(subject, allow, fn);
    if (isUnknown(group)) {
      const sentence = `${address} has ${path === 'noiommu' ? 'no' : 'an'} IOMMU group`;
      yield needed({
        fact: `/functions/${address}/iommuGroup`,
        sentence,
        unknown: group.unknown,
        place: allow.place,
      });
      continue;
    }
    if (path === 'iommufd' && group !== null) iommufd.push(use);
    const wrong = path === 'noiommu' ? group !== null : group === null;
    // An allowed no-IOMMU mode was checked at the bind; here the words and the machine differ.
    if (!wrong || (path !== 'noiommu' && !subject.policy.noiommu.allowed && subject.wanted.has(address)))
      continue;
    const has = group === null ? 'no IOMMU group' : groupText(group);
    yield found(
      report(
        'VP3120',
        allow.place,
        { address, via: path ?? allow.via, has },
        {
          cures: [
            group === null
              ? 'write `via noiommu`, or switch the IOMMU on'
              : 'write `via group`, which is the safer path',
          ],
          fixes: allow.viaPlace ? [replacement(allow.viaPlace, group === null ? 'noiommu' : 'group')] : [],
        },
      ),
      [address],
    );
  }
  for (const { allow, addresses } of byAllow(iommufd)) yield* byIommufd(subject, allow, addresses);
  yield* groupsBuilt(subject);
}

/** /dev/vfio/devices is there only with CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV. */
function* byIommufd(
  { snapshot, policy }: Subject,
  allow: Allow,
  addresses: readonly string[],
): Iterable<Finding> {
  const names = ['IOMMUFD', 'VFIO_DEVICE_CDEV'] as const;
  const missing = names.filter((name) => snapshot.kernel.options[name] === 'n');
  const address = listed(addresses);
  if (missing.length > 0) {
    yield found(
      report(
        'VP4108',
        allow.place,
        { address, via: 'iommufd', host: policy.host, option: listed(missing) },
        {
          cures: ['write `via group`, or boot a kernel with these options'],
          fixes: allow.viaPlace ? [replacement(allow.viaPlace, 'group')] : [],
          kernel: {
            step: 'open /dev/vfio/devices/vfioX',
            guard: 'the node does not exist: device nodes are compiled only with CONFIG_VFIO_DEVICE_CDEV',
            errno: 'ENOENT',
            citation: 'drivers/vfio/device_cdev.c vfio_init_device_cdev (6.12)',
          },
        },
      ),
      addresses,
    );
    return;
  }
  for (const name of names) {
    const told = snapshot.kernel.options[name];
    if (!isUnknown(told)) continue;
    const sentence = `the kernel was built with CONFIG_${name}`;
    const fact = `/kernel/options/${name}`;
    // No value will do: which nodes there are to give away depends on it.
    yield needed({ fact, sentence, unknown: told.unknown, place: allow.place });
  }
}

/** Groups and containers can be left out of a kernel since 6.2; then nothing but iommufd is there. */
function* groupsBuilt(subject: Subject): Iterable<Finding> {
  const missing = legacyMissing(subject.snapshot);
  if (missing.length === 0 || !subject.world.profile.knowsIommufd) return;
  const used = [...uses(subject)].filter(({ allow, fn }) => pathOf(subject, allow, fn) !== 'iommufd');
  const { cdev, iommufd } = subject.world.profile.build;
  for (const { allow, addresses } of byAllow(used)) {
    const via = allow.via === 'any' ? 'group' : allow.via;
    // Without an IOMMU it is not the same way with another node.
    const node = allow.via === 'group' && cdev && iommufd !== 'n';
    yield found(
      report(
        'VP4108',
        allow.place,
        { address: listed(addresses), via, host: subject.policy.host, option: listed(missing) },
        {
          cures: [
            ...(node ? ['write `via iommufd`, which this kernel has'] : []),
            'boot a kernel with these options',
          ],
          fixes: node && allow.viaPlace ? [replacement(allow.viaPlace, 'iommufd')] : [],
          kernel: {
            step: missing.includes('VFIO_GROUP') ? 'open /dev/vfio/GROUP' : 'open /dev/vfio/vfio',
            guard: 'the node does not exist: it is compiled only with the option',
            errno: 'ENOENT',
            citation: 'drivers/vfio/Kconfig VFIO_GROUP, VFIO_CONTAINER (6.12)',
          },
        },
      ),
      addresses,
    );
  }
}

function legacyMissing({ kernel }: Snapshot): string[] {
  return (['VFIO_GROUP', 'VFIO_CONTAINER'] as const).filter((name) => kernel.options[name] === 'n');
}
