import { type FunctionWords, type MachineWords, withIommufd } from '../machines.ts';

const port: FunctionWords = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' };
const disk: FunctionWords = { at: '02:00.0', id: '144d:a80a', class: 'nvme', driver: 'nvme' };

const functions: readonly FunctionWords[] = [
  { at: '01:00.0', id: '10de:2684', class: 'gpu', driver: 'nouveau', group: 1 },
  { at: '01:00.1', id: '10de:22ba', class: 'audio', driver: 'snd_hda_intel', group: 1 },
  { ...disk, group: 2 },
  { ...port, group: 3, serial: 'B4-96-91-FF' },
  { ...port, at: '03:00.1', group: 4, serial: 'B4-96-92-FF', numaNode: 1 },
  { ...disk, at: '04:00.0', group: 5 },
  { ...disk, at: '05:00.0', group: 6, subsystemVendor: '1028' },
  { at: '06:00.0', id: '8086:15b8', class: 'nic', driver: 'e1000e', group: 7, firmwareLabel: 'LAN 1' },
  {
    ...{ at: '07:00.0', id: '8086:10c9', class: 'nic', driver: 'igb', group: 8 },
    ...{ slot: ['pci0000:00', '1c.0', '00.0'], resetMethods: ['pm'] },
    sriov: { totalVfs: 7, numVfs: 0, routing: { offset: 128, stride: 2, device: '10ca' } },
  },
  // Its group sibling holds swap.
  { at: '08:00.0', id: '1b21:2142', class: 'usb', driver: 'xhci_hcd', group: 9 },
  { at: '08:00.1', id: '1b21:0612', class: 'sata', driver: 'ahci', group: 9 },
];

/** A machine with an IOMMU and everything that the language speaks of. */
export const box: MachineWords = {
  hostname: 'box',
  functions: functions.map((fn) => ({ firmwareLabel: null, ...fn })),
  disks: [
    {
      name: 'nvme0n1',
      on: '02:00.0',
      parts: [
        { name: 'nvme0n1p1', mounts: ['/boot'], signature: 'vfat' },
        { name: 'nvme0n1p2', mounts: ['/'], signature: 'ext4' },
      ],
    },
    { name: 'nvme1n1', on: '04:00.0' },
    { name: 'nvme2n1', on: '05:00.0', mounts: ['/srv'], signature: 'xfs' },
    { name: 'sda', on: '08:00.1', swap: true, signature: 'swap' },
  ],
  nics: [
    { name: 'eth0', on: '03:00.0', mac: 'b4:96:91:00:00:01' },
    { name: 'eno1', on: '06:00.0', addresses: ['192.0.2.7/24'] },
  ],
  routes: { default: 'eno1' },
  users: [
    { name: 'dpdk', uid: 1000 },
    { name: 'spdk', uid: 1001 },
    { name: 'mallory', uid: 1002, groups: ['mallory', 'kvm'] },
  ],
  replace: withIommufd,
};

/** A machine without an IOMMU. */
export const edge: MachineWords = {
  hostname: 'edge',
  iommu: 'none',
  functions: [port],
  users: [
    { name: 'dpdk', uid: 1000, capabilities: ['CAP_SYS_RAWIO'] },
    { name: 'mallory', uid: 1002 },
  ],
};

/** What permits no-IOMMU mode on it. */
export const permitted = 'host edge { noiommu allowed { owner "net" reason "no vIOMMU" until 2027-03-01 } }';

/** The same machine with no-IOMMU mode switched on. */
export const switchedOn: MachineWords = {
  ...edge,
  replace: {
    modules: { vfio: { parameters: { enable_unsafe_noiommu_mode: 'Y' } }, vfio_pci: { parameters: {} } },
  },
};
