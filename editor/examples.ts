/** The scenarios of `examples/`, bundled with the page: policies to begin with, and machines to try them on. */

export interface Example {
  /** `01-nic-without-iommu/policy.vfio` */
  readonly name: string;
  readonly text: string;
}

const policyFiles = import.meta.glob<string>('../examples/*/*.vfio', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const machineFiles = import.meta.glob<string>('../examples/*/*.json', {
  query: '?raw',
  import: 'default',
  eager: true,
});

function listed(files: Record<string, string>): Example[] {
  return Object.entries(files).map(([path, text]) => ({ name: path.replace('../examples/', ''), text }));
}

export const policies: readonly Example[] = listed(policyFiles);
export const machines: readonly Example[] = listed(machineFiles);

/** The machine that stands beside a policy, or the first. */
export function machineBeside(policy: string): Example | undefined {
  const folder = policy.slice(0, policy.lastIndexOf('/') + 1);
  return machines.find(({ name }) => folder !== '' && name.startsWith(folder)) ?? machines[0];
}
