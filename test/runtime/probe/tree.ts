import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A captured machine in a directory: files, links and directories by their path on the machine. */
export interface Tree {
  readonly file: (path: string, content: string | Uint8Array) => void;
  /** `target` is a path on the machine; the link is relative, as sysfs makes them. */
  readonly link: (path: string, target: string) => void;
  readonly directory: (path: string) => void;
}

function treeAt(root: string): Tree {
  const below = (path: string) => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    return join(root, path);
  };
  return {
    file: (path, content) => writeFileSync(below(path), content),
    link: (path, target) => symlinkSync(relative(dirname(path), target), below(path)),
    directory: (path) => void mkdirSync(join(root, path), { recursive: true }),
  };
}

/**
 * A server with four functions: a root port, an NVMe disk below it with /boot and LVM (root and swap), a NIC whose bond
 * carries a VLAN that a bridge carries the default route over, and an idle display.
 */
export function captureServer(root: string): void {
  const tree = treeAt(root);
  functions(tree);
  disks(tree);
  networks(tree);
  kernel(tree);
  for (const [path, content] of Object.entries({
    '/etc/passwd': 'root:x:0:0::/root:/bin/sh\ndpdk:x:1000:1000::/home/dpdk:/bin/sh\n',
    '/etc/group': 'root:x:0:\ndpdk:x:1000:\nkvm:x:78:dpdk\n',
    '/etc/security/capability.conf': '# comment\n^cap_sys_rawio,cap_net_raw dpdk\nnone *\n',
  }))
    tree.file(path, content);
  tree.directory('/dev/vfio');
}

export const addresses = {
  port: '0000:00:01.0',
  nvme: '0000:01:00.0',
  nic: '0000:00:02.0',
  display: '0000:00:03.0',
} as const;

const paths: Readonly<Record<string, string>> = {
  [addresses.port]: '/sys/devices/pci0000:00/0000:00:01.0',
  [addresses.nvme]: '/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0',
  [addresses.nic]: '/sys/devices/pci0000:00/0000:00:02.0',
  [addresses.display]: '/sys/devices/pci0000:00/0000:00:03.0',
};

function pathOf(address: string): string {
  return paths[address] ?? '';
}

/** 4096 bytes of config space with MSI, MSI-X, PCI Express and, when given, a device serial number. */
function configSpace(headerType: number, serial?: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  bytes.set([0x86, 0x80, 0x72, 0x15]);
  view.setUint16(0x06, 0x10, true);
  bytes[0x0e] = headerType | 0x80;
  bytes[0x34] = 0x40;
  bytes[0x3d] = 1;
  // MSI with 8 messages, then MSI-X with 129 entries, then PCI Express.
  bytes.set([0x05, 0x50, 0x86, 0x00], 0x40);
  bytes.set([0x11, 0x70, 0x80, 0x80], 0x50);
  view.setUint32(0x54, 0x1003, true);
  bytes.set([0x10, 0x00], 0x70);
  // Advanced error reporting first, so that the serial number is not the first in the list.
  view.setUint32(0x100, serial === undefined ? 0x0001_0001 : 0x1401_0001, true);
  if (serial !== undefined) {
    view.setUint32(0x140, 0x0001_0003, true);
    bytes.set([...serial].reverse(), 0x144);
  }
  return bytes;
}

function functions(tree: Tree): void {
  const facts: readonly [string, string, string, number | null, Uint8Array][] = [
    [addresses.port, '0x060400', 'pcieport', 1, configSpace(1)],
    [addresses.nvme, '0x010802', 'nvme', 1, configSpace(0, [1, 2, 3, 4, 5, 6, 7, 8])],
    [addresses.nic, '0x020000', 'i40e', 2, configSpace(0, [0xb4, 0x96, 0x91, 0xff, 0xfe, 0xa1, 0x02, 0x33])],
    [addresses.display, '0x030000', '', 3, configSpace(0).subarray(0, 64)],
  ];
  for (const [address, code, driver, group, config] of facts) {
    const at = pathOf(address);
    tree.link(`/sys/bus/pci/devices/${address}`, at);
    const files = {
      vendor: '0x8086\n',
      device: '0x1572\n',
      subsystem_vendor: '0x8086\n',
      subsystem_device: '0x0001\n',
      class: `${code}\n`,
      revision: '0x02\n',
      numa_node: '0\n',
      ...(address === addresses.nic ? { label: 'Onboard LAN 1\n' } : {}),
      driver_override: '(null)\n',
      reset_method: 'flr bus\n',
      resource: [
        '0x00000000fe000000 0x00000000fe7fffff 0x0000000000042208',
        ...Array(5).fill('0x0000000000000000 0x0000000000000000 0x0000000000000000'),
        '0x00000000fe800000 0x00000000fe87ffff 0x0000000000046200',
      ].join('\n'),
    };
    for (const [name, content] of Object.entries(files)) tree.file(`${at}/${name}`, content);
    tree.file(`${at}/config`, config);
    if (driver !== '') {
      tree.directory(`/sys/bus/pci/drivers/${driver}`);
      tree.link(`${at}/driver`, `/sys/bus/pci/drivers/${driver}`);
    }
    if (group !== null) tree.link(`${at}/iommu_group`, `/sys/kernel/iommu_groups/${group}`);
  }
  tree.file(`${pathOf(addresses.nic)}/sriov_totalvfs`, '64\n');
  tree.file(`${pathOf(addresses.nic)}/sriov_numvfs`, '0\n');
  for (const group of [1, 2, 3]) {
    tree.file(`/sys/kernel/iommu_groups/${group}/type`, 'DMA-FQ\n');
    tree.file(
      `/sys/kernel/iommu_groups/${group}/reserved_regions`,
      '0x00000000fee00000 0x00000000feefffff msi\n',
    );
  }
  // A unit of a server: four levels, 2 MiB and 1 GiB, snoop control.
  tree.file('/sys/class/iommu/dmar0/intel-iommu/cap', '8d2078c106f0466\n');
  tree.file('/sys/class/iommu/dmar0/intel-iommu/ecap', 'f020df\n');
  tree.link(`${pathOf(addresses.nic)}/iommu`, '/sys/class/iommu/dmar0');
}

function disks(tree: Tree): void {
  const disk = `${pathOf(addresses.nvme)}/nvme/nvme0/nvme0n1`;
  const block = (name: string, path: string, device: string, holders: readonly string[] = []) => {
    tree.link(`/sys/class/block/${name}`, path);
    tree.file(`${path}/dev`, `${device}\n`);
    tree.file(`${path}/size`, '2097152\n');
    tree.directory(`${path}/holders`);
    for (const holder of holders)
      tree.link(`${path}/holders/${holder}`, `/sys/devices/virtual/block/${holder}`);
  };
  tree.file(`${pathOf(addresses.nvme)}/nvme/nvme0/serial`, 'S64G           \n');
  block('nvme0n1', disk, '259:0');
  tree.link(`${disk}/device`, `${pathOf(addresses.nvme)}/nvme/nvme0`);
  block('nvme0n1p1', `${disk}/nvme0n1p1`, '259:1');
  block('nvme0n1p2', `${disk}/nvme0n1p2`, '259:2', ['dm-0', 'dm-1']);
  for (const number of [1, 2]) tree.file(`${disk}/nvme0n1p${number}/partition`, `${number}\n`);
  for (const [number, name] of ['root', 'swap'].entries()) {
    block(`dm-${number}`, `/sys/devices/virtual/block/dm-${number}`, `253:${number}`);
    tree.file(`/sys/devices/virtual/block/dm-${number}/dm/name`, `vg-${name}\n`);
  }
  const head = Buffer.alloc(1024 * 1024);
  head.write('EFI PART', 512, 'latin1');
  tree.file('/dev/nvme0n1', head);
  tree.file('/dev/nvme0n1p1', '');
  const mounts = [
    '25 1 253:0 / / rw shared:1 - ext4 /dev/mapper/vg-root rw',
    '26 25 259:1 / /boot\\040disk rw - vfat /dev/nvme0n1p1 rw',
    '27 25 259:1 / /boot rw - vfat /dev/nvme0n1p1 rw',
    '28 25 0:22 / /sys rw - sysfs sysfs rw',
  ];
  tree.file('/proc/self/mountinfo', `${mounts.join('\n')}\n`);
  tree.file('/proc/swaps', 'Filename Type Size Used Priority\n/dev/dm-1 partition 1048572 0 -2\n');
}

function networks(tree: Tree): void {
  const netdev = (name: string, path: string, facts: Readonly<Record<string, string>>) => {
    tree.link(`/sys/class/net/${name}`, path);
    const { lower = '', master, type, mac = '02:00:00:00:00:01' } = facts;
    tree.file(`${path}/address`, `${mac}\n`);
    tree.file(`${path}/flags`, '0x1003\n');
    tree.file(`${path}/uevent`, `${type === undefined ? '' : `DEVTYPE=${type}\n`}INTERFACE=${name}\n`);
    if (lower !== '') tree.link(`${path}/lower_${lower}`, `/sys/class/net/${lower}`);
    if (master !== undefined) tree.link(`${path}/master`, `/sys/devices/virtual/net/${master}`);
  };
  netdev('eno1', `${pathOf(addresses.nic)}/net/eno1`, { master: 'bond0' });
  netdev('bond0', '/sys/devices/virtual/net/bond0', { lower: 'eno1', type: 'bond' });
  netdev('bond0.10', '/sys/devices/virtual/net/bond0.10', { lower: 'bond0', type: 'vlan', master: 'br0' });
  netdev('br0', '/sys/devices/virtual/net/br0', { lower: 'bond0.10', type: 'bridge' });
  netdev('lo', '/sys/devices/virtual/net/lo', { mac: '00:00:00:00:00:00' });
  tree.file('/sys/class/net/bonding_masters', 'bond0\n');
  tree.file(
    '/proc/net/route',
    [
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
      'br0\t00000000\t0101000A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'br0\t0001000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    ].join('\n'),
  );
  const zero = '0'.repeat(32);
  tree.file(
    '/proc/net/ipv6_route',
    [
      `fd00000000000000000000000000000a 80 ${zero} 00 ${zero} 00000000 00000002 00000000 80200001       lo`,
      `fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001      br0`,
      `${zero} 00 ${zero} 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003      br0`,
    ].join('\n'),
  );
  tree.file('/proc/net/if_inet6', 'fd00000000000000000000000000000a 05 40 00 80      br0\n');
  tree.file(
    '/proc/net/fib_trie',
    'Local:\n  +-- 10.0.1.0/24 2 0 2\n     |-- 10.0.1.5\n        /32 host LOCAL\n     |-- 10.0.1.255\n        /32 link BROADCAST\n',
  );
  tree.file(
    '/proc/net/tcp',
    [
      '  sl  local_address rem_address   st tx_queue rx_queue',
      '   0: 00000000:0016 00000000:0000 0A 0 0',
      '   1: 0501000A:0016 0902000A:D431 01 0 0',
      '   2: 0501000A:1F90 0802000A:D431 01 0 0',
      '   3: 0501000A:08AE 0702000A:D431 01 0 0',
    ].join('\n'),
  );
  tree.file(
    '/proc/net/tcp6',
    '  sl\n   0: 000000FD000000000000000000000000:0016 000000FD000000000000000001000000:D431 01 0 0\n',
  );
  tree.file('/etc/ssh/sshd_config', '#Port 1\nPort 2222\n');
}

function kernel(tree: Tree): void {
  for (const [path, content] of Object.entries({
    '/proc/sys/kernel/osrelease': '6.12.9-amd64\n',
    '/proc/sys/kernel/tainted': '64\n',
    '/proc/sys/kernel/hostname': 'edge-01\n',
    '/proc/sys/kernel/arch': 'x86_64\n',
    '/proc/cmdline': 'BOOT_IMAGE=/vmlinuz intel_iommu=on  quiet\n',
    '/sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
    '/sys/kernel/irq/9/chip_name': 'IR-IO-APIC\n',
    '/sys/kernel/irq/40/chip_name': 'IR-PCI-MSIX-0000:01:00.0\n',
    '/sys/module/vfio/initstate': 'live\n',
    '/sys/module/vfio/parameters/enable_unsafe_noiommu_mode': 'N\n',
    '/sys/module/vfio/refcnt': '2\n',
    '/sys/module/i40e/initstate': 'live\n',
    '/boot/config-6.12.9-amd64':
      'CONFIG_PCI=y\nCONFIG_VFIO=m\nCONFIG_VFIO_PCI=m\nCONFIG_VFIO_GROUP=y\n# CONFIG_VFIO_NOIOMMU is not set\nCONFIG_IOMMUFD=m\n',
    '/lib/modules/6.12.9-amd64/modules.alias':
      'alias pci:v00008086d00001572sv*sd*bc*sc*i* i40e\nalias pci:v*d*sv*sd*bc01sc08i02* nvme\nalias pci:v000010DEd*sv*sd*bc03sc*i* nouveau\n',
    '/lib/modules/6.12.9-amd64/modules.builtin.modinfo': 'pcieport.alias=x\0',
  }))
    tree.file(path, content);
  tree.link('/sys/module/vfio/holders/vfio_pci_core', '/sys/module/vfio_pci_core');
  tree.link('/sys/module/i40e/drivers/pci:i40e', '/sys/bus/pci/drivers/i40e');
  tree.link('/sys/bus/pci/drivers/i40e/module', '/sys/module/i40e');
  tree.link('/sys/bus/pci/drivers/nvme/module', '/sys/module/nvme');
  tree.directory('/sys/bus/pci/drivers/simple-gpu');
  tree.file(
    `${pathOf(addresses.display)}/modalias`,
    'pci:v00001234d00001111sv00001AF4sd00001100bc03sc00i00\n',
  );
  const alias = 'pci:v00008086d00001572sv00008086sd00000001bc02sc00i00\n';
  tree.file(`${pathOf(addresses.nic)}/modalias`, alias);
  tree.file(`${pathOf(addresses.nvme)}/modalias`, alias.replace('bc02sc00i00', 'bc01sc08i02'));
}
