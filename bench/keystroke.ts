import { readDocument } from '../src/syntax/read.ts';

/** A fleet's policy of `lines` lines, no two declarations alike, as a generator of policies might write it. */
export function fleetPolicy(lines: number): string {
  const parts: string[] = [];
  for (let host = 0; parts.length * 22 < lines; host++) {
    parts.push(`host edge-${host} {
  snapshot "machines/edge-${host}.json"
  iommu    required
  kernel   >= 6.1
  label    role "lab"
}

device uplink-${host} on edge-${host} {
  at 0000:${(host % 256).toString(16).padStart(2, '0')}:00.0   # the first port
  id 8086:1572
}

policy dataplane-${host} on edge-${host} {
  bind    uplink-${host} with its group to vfio-pci
  allow   user dpdk with CAP_SYS_RAWIO to use uplink-${host} via group
  allow   service vpp to use uplink-${host} via any unless host role is "prod"
  require uplink-${host} isolated
  protect devices that hold root, boot, swap, management
  forbid  unsafe interrupts
}
`);
  }
  return parts.join('\n').split('\n').slice(0, lines).join('\n');
}

/**
 * Types statements into a policy of 5,500 lines, a key at a time, and reads the whole after each: milliseconds from
 * the key to the diagnostics of the words, in the order of the keys.
 */
export function keystrokes(count: number, now: () => number): number[] {
  const text = fleetPolicy(5500);
  const typed = '  bind  uplink-7 to vfio-pci\n  allow user "a b" to use uplink-7 via any {';
  readDocument('fleet.vfio', text);
  const times: number[] = [];
  for (let key = 0; key < count; key++) {
    const burst = Math.floor(key / typed.length);
    const at = text.indexOf('\n', (burst * 9973) % text.length) + 1;
    const before = now();
    readDocument('fleet.vfio', text.slice(0, at) + typed.slice(0, (key % typed.length) + 1) + text.slice(at));
    times.push(now() - before);
  }
  return times;
}
