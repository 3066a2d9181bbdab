import { type HoldingKind, holds } from '../../src/machine/holdings.ts';
import { type Fact, isUnknown, known, type PciFunction, type Snapshot } from '../../src/machine/snapshot.ts';
import { topologyOf } from '../../src/machine/topology.ts';
import { counted, printable } from './words.ts';

/** A snapshot as a person reads it: the machine in a few lines, then its functions by IOMMU group. */
export function snapshotView(snapshot: Snapshot): string {
  const lines = [...machineLines(snapshot), ''];
  const { groups } = topologyOf(snapshot);
  for (const [id, members] of [...groups].sort(([a], [b]) => a - b)) {
    lines.push(`group ${id}`, ...members.flatMap((member) => functionLines(snapshot, member)));
  }
  const rest = snapshot.functions.filter(({ iommuGroup }) => iommuGroup === null);
  if (rest.length > 0) {
    lines.push('in no group', ...rest.flatMap((member) => functionLines(snapshot, member)));
  }
  const doubtful = snapshot.functions.filter(({ iommuGroup }) => isUnknown(iommuGroup));
  if (doubtful.length > 0) {
    lines.push(
      'in a group that is not known',
      ...doubtful.flatMap((member) => functionLines(snapshot, member)),
    );
  }
  return `${lines.map(printable).join('\n').trimEnd()}\n`;
}

function machineLines({
  hostname,
  architecture,
  kernel,
  iommu,
  functions,
  source,
}: Snapshot): readonly string[] {
  const count = counted(functions.length, 'PCI function') || 'no PCI functions';
  const units = told(iommu.units, (names) => (names.length === 0 ? 'none is active' : names.join(', ')));
  const { VFIO, VFIO_PCI, VFIO_NOIOMMU, IOMMUFD } = kernel.options;
  const options = Object.entries({ VFIO, VFIO_PCI, VFIO_NOIOMMU, IOMMUFD });
  return [
    `host     ${told(hostname, same)}; ${count} (${source.kind})`,
    `kernel   ${told(kernel.release, same)}`,
    `machine  ${told(architecture, same)}`,
    `options  ${options.map(([name, value]) => `${name}=${known(value, '?')}`).join(' ')}`,
    `IOMMU    ${units}`,
  ];
}

const same = (text: string): string => text;

const kinds: readonly HoldingKind[] = ['root', 'boot', 'swap', 'mounted', 'stacked', 'signed', 'management'];

function functionLines(snapshot: Snapshot, pci: PciFunction): readonly string[] {
  const driver = told(pci.driver, (name) => name ?? 'no driver');
  const label = pci.label === undefined ? '' : `  ${pci.label}`;
  const lines = [`  ${pci.address}  ${pci.vendor}:${pci.device}  class ${pci.class}  ${driver}${label}`];
  const doubts: string[] = [];
  for (const kind of kinds) {
    const held = holds(snapshot, pci.address, kind);
    if (held.is === 'held') lines.push(`      holds ${kind}: ${held.chain.join(', ')}`);
    if (held.is === 'unknown') doubts.push(kind);
  }
  if (doubts.length === kinds.length) lines.push('      what it holds is not known');
  else if (doubts.length > 0) lines.push(`      not known whether it holds: ${doubts.join(', ')}`);
  return lines;
}

function told<T>(fact: Fact<T>, words: (value: T) => string): string {
  return isUnknown(fact) ? `not known (${fact.unknown})` : words(fact);
}
