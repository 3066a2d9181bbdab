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
