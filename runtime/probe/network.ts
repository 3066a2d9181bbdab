import type { Fact, Netdev, Route } from '../../src/machine/snapshot.ts';
import { isMissing, linkName, type MachineFiles, textOf } from './files.ts';
import { reason } from './functions.ts';
import { readAddresses } from './routes.ts';

/** Network devices (Documentation/ABI/testing/sysfs-class-net) and what stands on what. */
export interface Networks {
  readonly netdevs: Fact<readonly Netdev[]>;
  readonly ofFunction: Fact<ReadonlyMap<string, readonly string[]>>;
}

export function readNetworks(files: MachineFiles, routes: Fact<readonly Route[]>): Networks {
  const listed = files.list('/sys/class/net');
  if (isMissing(listed)) return { netdevs: reason(listed), ofFunction: reason(listed) };
  // bonding_masters is a file among the links (drivers/net/bonding/bond_sysfs.c).
  const names = listed.filter((name) => !isMissing(files.link(`/sys/class/net/${name}`)));
  const addresses = readAddresses(files, routes);
  const ofFunction = new Map<string, string[]>();
  const netdevs = names.map((name) => {
    const address = functionOf(files, name);
    if (address !== null) ofFunction.set(address, [...(ofFunction.get(address) ?? []), name]);
    return netdev(files, name, address, typeof addresses === 'function' ? addresses(name) : addresses);
  });
  return { netdevs, ofFunction };
}

function netdev(
  files: MachineFiles,
  name: string,
  address: string | null,
  addresses: Netdev['addresses'],
): Netdev {
  const at = `/sys/class/net/${name}`;
  const mac = textOf(files, `${at}/address`);
  const flags = textOf(files, `${at}/flags`);
  const master = linkName(files, `${at}/master`);
  const entries = files.list(at);
  const uevent = textOf(files, `${at}/uevent`);
  const kind = isMissing(uevent) ? undefined : /^DEVTYPE=(\w+)$/m.exec(uevent)?.[1];
  return {
    name,
    function: address,
    mac: isMissing(mac) ? reason(mac) : mac.trim() === '' || /^[0:]+$/.test(mac.trim()) ? null : mac.trim(),
    // IFF_UP is bit 0 (include/uapi/linux/if.h).
    up: isMissing(flags) ? reason(flags) : (Number(flags) & 1) === 1,
    master: isMissing(master) ? (master.absent ? null : reason(master)) : master,
    // Each adjacency has a link `lower_NAME` (net/core/dev.c netdev_adjacent_sysfs_add).
    lower: isMissing(entries)
      ? reason(entries)
      : entries.filter((entry) => entry.startsWith('lower_')).map((entry) => entry.slice(6)),
    addresses,
    ...(kind === undefined ? {} : { kind }),
  };
}

/** The last PCI function on the device's sysfs path: also of virtio and USB devices that hang on it. */
function functionOf(files: MachineFiles, name: string): string | null {
  const path = files.link(`/sys/class/net/${name}`);
  const parts = isMissing(path) ? [] : path.split('/');
  return parts.findLast((part) => /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/.test(part)) ?? null;
}
