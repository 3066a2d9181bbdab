import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import {
  type DeviceNode,
  type Fact,
  isUnknown,
  type PciFunction,
  type Snapshot,
} from '../../src/machine/snapshot.ts';
import { readBlocks } from './blocks.ts';
import { readConfiguration } from './configuration.ts';
import { isMissing, type MachineFiles } from './files.ts';
import { type Attached, devicesPath, readFunction, reason } from './functions.ts';
import { readIommu } from './iommu.ts';
import { factOf, readDrivers, readKernel, readModules } from './kernel.ts';
import { readMatches } from './matches.ts';
import { readNetworks } from './network.ts';
import { readPeers, readRoutes } from './routes.ts';
import { readUsers } from './users.ts';
import { readVfioDevices } from './vfio-devices.ts';

/**
 * Reads a machine, once: everything that a snapshot holds, from sysfs, procfs, /dev and /etc, of this machine or of a
 * captured tree. A fact that cannot be read is unknown, with the file that it would be in. Only the list of PCI
 * functions must be whole, because a function that is left out could be a member of a group that a policy takes.
 */
export interface ProbeOptions {
  /** The value of SSH_CONNECTION: the session that vfioplan runs in is a way in to the machine. */
  readonly sshConnection?: string;
  /** For people: how the snapshot was made. */
  readonly note?: string;
}

export interface Probed {
  /** Absent when a diagnostic is an error. */
  readonly snapshot?: Snapshot;
  readonly diagnostics: readonly Diagnostic[];
}

export function probe(files: MachineFiles, options: ProbeOptions = {}): Probed {
  const addresses = files.list(devicesPath);
  if (isMissing(addresses)) return { diagnostics: [noPci(files, addresses.unknown)] };
  const kernel = readKernel(files);
  const architecture = files.architecture ?? factOf(files, '/proc/sys/kernel/arch');
  const routes = readRoutes(files);
  const networks = readNetworks(files, routes);
  const blocks = readBlocks(files);
  const matches = readMatches(files, kernel.release);
  const functions: PciFunction[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const address of addresses) {
    const attached: Attached = {
      netdevs: below(networks.ofFunction, address),
      blockDevices: below(blocks.ofFunction, address),
      drivers: matches(address),
      release: kernel.release,
    };
    const pci = readFunction(files, address, attached);
    if (isMissing(pci)) diagnostics.push(unreadable(address, pci.unknown));
    else functions.push(pci);
  }
  if (diagnostics.length > 0) return { diagnostics: diagnostics.slice(0, 20) };
  const snapshot: Snapshot = {
    format: 'vfioplan.snapshot',
    version: 1,
    source: { kind: files.kind, ...(options.note === undefined ? {} : { note: options.note }) },
    hostname: firstOf(files, ['/proc/sys/kernel/hostname', '/etc/hostname']),
    architecture,
    kernel,
    iommu: readIommu(files, architecture),
    modules: readModules(files),
    drivers: readDrivers(files),
    functions,
    blockDevices: blocks.devices,
    netdevs: networks.netdevs,
    routes,
    managementPeers: readPeers(files, options.sshConnection),
    ...readUsers(files),
    nodes: readNodes(files),
    vfioDevices: readVfioDevices(files),
    configuration: readConfiguration(files),
  };
  return { snapshot, diagnostics };
}

function below(
  ofFunction: Fact<ReadonlyMap<string, readonly string[]>>,
  address: string,
): Fact<readonly string[]> {
  return isUnknown(ofFunction) ? ofFunction : (ofFunction.get(address) ?? []);
}

function firstOf(files: MachineFiles, paths: readonly string[]): Fact<string> {
  const facts = paths.map((path) => factOf(files, path));
  return facts.find((fact) => !isUnknown(fact)) ?? facts[0] ?? { unknown: 'nothing tells it' };
}

/** /dev/iommu, /dev/kvm and the nodes under /dev/vfio. A capture that keeps nodes as plain files has lost who owns them. */
function readNodes(files: MachineFiles): Snapshot['nodes'] {
  const nodes: DeviceNode[] = [];
  const paths = ['/dev/iommu', '/dev/kvm'];
  for (const directory of ['/dev/vfio', '/dev/vfio/devices']) {
    const names = files.list(directory);
    if (!isMissing(names)) paths.push(...names.map((name) => `${directory}/${name}`));
    else if (!names.absent) return reason(names);
  }
  if (files.kind === 'sysroot' && isMissing(files.list('/dev')))
    return { unknown: 'the captured tree has no /dev' };
  for (const path of paths) {
    const status = files.status(path);
    if (isMissing(status)) {
      if (!status.absent) return reason(status);
      continue;
    }
    if (status.directory) continue;
    if (!status.device)
      return { unknown: `${path} is not a device node here, so its owner is not that of the machine` };
    nodes.push({ path, uid: status.uid, gid: status.gid, mode: status.mode });
  }
  return nodes;
}

function noPci(files: MachineFiles, found: string): Diagnostic {
  const cures =
    files.kind === 'live'
      ? ['run vfioplan where sysfs is mounted at /sys, not in a container without it']
      : ['give the directory that holds the captured sys, proc, dev, etc and boot'];
  return report('VP3040', machinePlace(devicesPath), { path: devicesPath }, { causes: [found], cures });
}

function unreadable(address: string, found: string): Diagnostic {
  return report(
    'VP3041',
    machinePlace(`${devicesPath}/${address}`),
    { address },
    {
      causes: [found, 'a function that is left out could be a member of a group that the policy takes'],
      cures: ['read the machine again: the function may have gone away meanwhile'],
    },
  );
}

function machinePlace(file: string): Diagnostic['place'] {
  return { file, span: { start: 0, end: 0 } };
}
