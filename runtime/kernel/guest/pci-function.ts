/** The directory of one PCI function, with the files that Linux has and that the snapshot or the model can fill. */
import { type Fact, isUnknown, type PciFunction } from '../../../src/machine/snapshot.ts';
import { isListed, isWithdrawn, linkedDriver } from '../../../src/model/leaving.ts';
import type { Hardware } from '../../../src/model/state.ts';
import { directory, link, shows } from './build.ts';
import type { Machine } from './machine.ts';
import type { Attribute, Node } from './node.ts';
import { config, modalias, resources } from './pci-text.ts';
import { writableEntries } from './pci-writes.ts';

export interface Placed {
  readonly pci: PciFunction;
  readonly hardware: Hardware;
  /** Its directory under /sys/devices. */
  readonly path: string;
  /** Its virtual functions, enabled or not, in their order. */
  readonly virtualFunctions: readonly { readonly hardware: Hardware; readonly path: string }[];
  /** Path of its physical function. */
  readonly physicalFunction: string | undefined;
}

/** What the function's own directory holds, beside the functions behind a bridge. */
export function functionEntry(machine: Machine, its: Placed, name: string): Node | undefined {
  const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (entry !== undefined) return entry(machine, its);
  const virtual = /^virtfn(0|[1-9]\d*)$/.exec(name);
  const target = virtual === null ? undefined : its.virtualFunctions[Number(virtual[1])];
  return target === undefined || !isLinked(machine, target.hardware)
    ? undefined
    : link(its.path, target.path);
}

export function functionNames(machine: Machine, its: Placed): readonly string[] {
  const there = Object.keys(entries).filter((name) => entries[name]?.(machine, its) !== undefined);
  const enabled = its.virtualFunctions.flatMap(({ hardware }, index) =>
    isLinked(machine, hardware) ? [`virtfn${index}`] : [],
  );
  return [...there, ...enabled];
}

/** Whether a virtual function and its physical one have links to each other. */
function isLinked({ world, state }: Machine, hardware: Hardware): boolean {
  return state.devices[hardware.index]?.present === true && !isWithdrawn(world, state, hardware);
}

function routing(
  { sriov }: PciFunction,
  say: (its: { readonly offset: number; readonly stride: number; readonly device: string }) => string,
): string | undefined {
  return isUnknown(sriov) || sriov?.routing === undefined ? undefined : say(sriov.routing);
}

export type Entry = (machine: Machine, its: Placed) => Node | undefined;

/** drivers/pci/pci-sysfs.c. Files that take writes which the model does not know (msi_bus, config …) are read-only. */
const entries: Readonly<Record<string, Entry>> = {
  class: (_, { pci }) => shows(`0x${pci.class}`),
  vendor: (_, { pci }) => shows(`0x${pci.vendor}`),
  device: (_, { pci }) => shows(`0x${pci.device}`),
  subsystem_vendor: (_, { pci }) => shows(told(pci.subsystemVendor, (id) => `0x${id}`)),
  subsystem_device: (_, { pci }) => shows(told(pci.subsystemDevice, (id) => `0x${id}`)),
  revision: (_, { pci }) => shows(told(pci.revision, (id) => `0x${id}`)),
  modalias: (_, { pci }) => shows(modalias(pci)),
  label: (_, { pci }) => shows(told(pci.firmwareLabel ?? null, (label) => label ?? undefined)),
  numa_node: (_, { pci }) => shows(told(pci.numaNode, String)),
  resource: (_, { pci }) => shows(told(pci.bars, resources)),
  config: (_, { pci }) => config(pci),
  sriov_totalvfs: (_, { pci }) => shows(told(pci.sriov, (sriov) => sriov?.totalVfs.toString())),
  sriov_offset: (_, { pci }) => shows(routing(pci, ({ offset }) => `${offset}`)),
  sriov_stride: (_, { pci }) => shows(routing(pci, ({ stride }) => `${stride}`)),
  sriov_vf_device: (_, { pci }) => shows(routing(pci, ({ device }) => device)),
  physfn: (machine, { path, hardware, physicalFunction }) =>
    physicalFunction === undefined || !isLinked(machine, hardware) ? undefined : link(path, physicalFunction),
  subsystem: (_, { path }) => link(path, '/sys/bus/pci'),
  driver: (machine, { path, hardware }) => {
    const driver = linkedDriver(machine.device(hardware));
    return driver === null ? undefined : link(path, `/sys/bus/pci/drivers/${driver}`);
  },
  driver_override: driverOverride,
  ...writableEntries,
  iommu_group: (machine, { path, hardware }) => {
    const { group } = machine.device(hardware);
    return group === null ? undefined : link(path, `/sys/kernel/iommu_groups/${group}`);
  },
  iommu: (_, { path, pci }) => {
    const unit = pci.iommuUnit;
    return typeof unit === 'string' ? link(path, `/sys/class/iommu/${unit}`) : undefined;
  },
  'vfio-dev': (machine, { hardware }) => {
    const device = machine.device(hardware);
    const { vfio } = device;
    if (vfio === null || !machine.world.profile.vfioDev || !isListed(machine.world, device)) return undefined;
    return directory({ [vfio.name]: directory({}) });
  },
};

/** drivers/pci/pci-sysfs.c:driver_override_store: the text ends at the first newline, and `\n` or `\0` clears. */
function driverOverride(machine: Machine, { hardware }: Placed): Attribute {
  return {
    kind: 'attribute',
    mode: 0o644,
    size: 4096,
    read: () => `${machine.device(hardware).override ?? '(null)'}\n`,
    write: (written, pid) => {
      const text = /^[^\n\0]*/.exec(written)?.[0] ?? '';
      return Math.min(0, machine.value({ op: 'override.write', pid, device: hardware.address, text }));
    },
  };
}

function told<T, U>(fact: Fact<T>, say: (known: T) => U): U | undefined {
  return isUnknown(fact) ? undefined : say(fact);
}
