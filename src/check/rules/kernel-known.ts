import { isUnknown, type Snapshot } from '../../machine/snapshot.ts';
import { type Finding, needed } from '../finding.ts';
import { groupOf, pathOf, type Subject, uses } from '../subject.ts';

/**
 * What the model of the kernel rests on: the release, which chooses the profile, and the build options that the path
 * of a group needs. Options that are known to be missing are refused by other rules or by the model.
 */
export function* kernelKnown(subject: Subject): Iterable<Finding> {
  const { snapshot, policy, world } = subject;
  const { release, options } = snapshot.kernel;
  const place = policy.binds[0]?.place ?? policy.allows[0]?.place;
  if (place && isUnknown(release)) {
    const sentence = `the kernel behaves as ${world.profile.id}`;
    yield needed({ fact: '/kernel/release', sentence, unknown: release.unknown, place });
  }
  const used = [...uses(subject)].filter(({ allow, fn }) => {
    const path = pathOf(subject, allow, fn);
    return path === 'noiommu' || (path === 'group' && groupOf(subject, fn) !== null);
  });
  for (const { allow, fn } of used) {
    const real = groupOf(subject, fn) !== null;
    for (const option of asked(snapshot, real)) {
      const told = options[option];
      if (!isUnknown(told)) continue;
      const fact = `/kernel/options/${option}`;
      const sentence = `the kernel was built with CONFIG_${option}`;
      const expects = option === 'VFIO_IOMMU_TYPE1' ? ['y', 'm'] : ['y'];
      yield needed({ fact, sentence, unknown: told.unknown, expects, place: allow.place });
    }
  }
}

/** Groups and containers became options in 6.2; before that a snapshot has nothing to tell of them. */
function asked(
  { kernel, modules }: Snapshot,
  real: boolean,
): readonly (keyof Snapshot['kernel']['options'])[] {
  const type1 = !isUnknown(modules) && Object.hasOwn(modules, 'vfio_iommu_type1');
  const always = !isUnknown(kernel.release) && /^([1-5]\.|6\.[01](\.|$|-))/.test(kernel.release);
  return [
    ...(type1 || !real ? [] : (['VFIO_IOMMU_TYPE1'] as const)),
    ...(always ? [] : (['VFIO_GROUP', 'VFIO_CONTAINER'] as const)),
  ];
}
