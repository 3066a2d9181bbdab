/** The machines that the lab boots, as data: what QEMU is told, and which functions a test may do as it likes with. */
export interface LabMachine {
  readonly name: string;
  readonly about: string;
  /** QEMU's chipset and devices. */
  readonly arguments: readonly string[];
  /** Words on the kernel's command line. */
  readonly commandLine: string;
  /** PCI addresses, each with the driver that takes it at boot; null: none does. */
  readonly devices: Readonly<Record<string, string | null>>;
  /** A processor on which it can have virtual machines of its own: QEMU emulates AMD's way of them. */
  readonly virtualises?: true;
}

export const noIommuChipset = ['-M', 'q35'];
/** The IOMMU of a server: four levels of page tables, and snoop control. */
export const intelChipset = chipsetWith('aw-bits=48,snoop-control=on');

function chipsetWith(words: string): readonly string[] {
  return ['-M', 'q35,kernel-irqchip=split', '-device', `intel-iommu,intremap=on,${words}`];
}
export const intelCommandLine = 'intel_iommu=on';

/** A root port of its own for each device; `device` is QEMU's name of it. The n-th call's device is 0000:0n:00.0. */
export function behindRootPort(number: number, ...devices: readonly string[]): string[] {
  // A slower link is one that the emulator brings up again after a reset of the bus; where nobody plugs, that is quick.
  const port = `pcie-root-port,x-speed=5,hotplug=off,id=rp${number},bus=pcie.0,slot=${number},chassis=${number},addr=0x1${number}`;
  const functions = devices.flatMap((device, index) => [
    '-device',
    `${device},bus=rp${number},${placeOf(index, devices.length)}`,
  ]);
  return ['-device', port, ...functions];
}

/** A host bridge that bypasses the IOMMU: its device, 0000:41:00.0, has no group where the others have. */
function outsideIommu(...devices: readonly string[]): string[] {
  return [
    ...['-device', 'pxb-pcie,id=pxb,bus_nr=0x40,bypass_iommu=true'],
    ...['-device', 'pcie-root-port,x-speed=5,hotplug=off,id=rpx,bus=pxb,addr=0,slot=9,chassis=9'],
    ...devices.flatMap((device, index) => ['-device', `${device},bus=rpx,${placeOf(index, devices.length)}`]),
  ];
}

function placeOf(index: number, count: number): string {
  return `addr=0.${index}${count > 1 && index === 0 ? ',multifunction=on' : ''}`;
}

/** A device whose driver takes it and does nothing with it: bound and unbound in a moment. */
const idle = 'virtio-rng-pci';
export const idleDriver = 'virtio-pci';

/**
 * A conventional device without an interrupt and without a driver. One with an interrupt takes a third of a second behind
 * the bridge that bypasses the IOMMU whenever it is enabled: the emulated firmware computes the routes anew.
 */
const silent = 'pci-testdev';

/** An NVMe controller of which three more can be had as virtual functions: 0000:01:00.1 to .3, each with a group of its own. */
export const virtualising = [
  ...['-device', 'nvme-subsys,id=subsystem'],
  ...behindRootPort(
    1,
    'nvme,serial=vfioplan,subsys=subsystem,max_ioqpairs=8,msix_qsize=9,sriov_max_vfs=3,sriov_vq_flexible=6,sriov_vi_flexible=3',
  ),
];

export const machines: Readonly<Record<string, LabMachine>> = {
  none: {
    name: 'none',
    about: 'no IOMMU',
    arguments: [
      ...noIommuChipset,
      ...behindRootPort(1, idle),
      ...behindRootPort(2, idle),
      ...behindRootPort(3, 'e1000e'),
    ],
    commandLine: '',
    devices: { '0000:01:00.0': idleDriver, '0000:02:00.0': idleDriver, '0000:03:00.0': 'e1000e' },
  },
  intel: {
    name: 'intel',
    about: 'an Intel IOMMU of three levels, without snoop control',
    arguments: [...chipsetWith('aw-bits=39'), ...behindRootPort(1, idle, idle), ...behindRootPort(2, idle)],
    commandLine: intelCommandLine,
    devices: { '0000:01:00.0': idleDriver, '0000:01:00.1': idleDriver, '0000:02:00.0': idleDriver },
  },
  outside: {
    name: 'outside',
    about: 'an Intel IOMMU of four levels, and one function that lies outside it',
    arguments: [
      ...intelChipset,
      ...behindRootPort(1, idle, idle),
      ...behindRootPort(2, 'e1000e'),
      ...outsideIommu(silent),
    ],
    commandLine: intelCommandLine,
    devices: {
      '0000:01:00.0': idleDriver,
      '0000:01:00.1': idleDriver,
      '0000:02:00.0': 'e1000e',
      '0000:41:00.0': null,
    },
  },
  guests: {
    name: 'guests',
    about: 'the machine `outside`, with KVM',
    arguments: [
      ...intelChipset,
      ...behindRootPort(1, idle, idle),
      ...behindRootPort(2, idle),
      ...outsideIommu(silent),
    ],
    commandLine: intelCommandLine,
    devices: {
      '0000:01:00.0': idleDriver,
      '0000:01:00.1': idleDriver,
      '0000:02:00.0': idleDriver,
      '0000:41:00.0': null,
    },
    virtualises: true,
  },
  virtual: {
    name: 'virtual',
    about: 'an Intel IOMMU of four levels, and an NVMe controller with three virtual functions',
    arguments: [...intelChipset, ...virtualising, ...behindRootPort(2, idle)],
    commandLine: intelCommandLine,
    devices: {
      '0000:01:00.0': 'nvme',
      '0000:01:00.1': null,
      '0000:01:00.2': null,
      '0000:01:00.3': null,
      '0000:02:00.0': idleDriver,
    },
  },
  unsafe: {
    name: 'unsafe',
    about:
      'an Intel IOMMU that does not remap interrupts, two functions of a bus that lie outside it, one on the root bus, a bridge that may be taken, a controller with sixteen vectors of MSI, and configuration that is read-only',
    arguments: [
      ...[
        '-M',
        'q35,kernel-irqchip=split',
        '-device',
        'intel-iommu,intremap=off,aw-bits=48,snoop-control=on',
      ],
      ...behindRootPort(1, idle, idle),
      ...behindRootPort(2, 'nec-usb-xhci,msi=on,msix=off'),
      ...['-device', 'pcie-root-port,hotplug=off,id=rpb,bus=pcie.0,slot=8,chassis=8,addr=0x18'],
      ...['-device', `${silent},bus=pcie.0,addr=0x5`],
      ...outsideIommu(silent, silent),
    ],
    commandLine: `${intelCommandLine} agent_sealed=1`,
    devices: {
      '0000:01:00.0': idleDriver,
      '0000:01:00.1': idleDriver,
      '0000:02:00.0': null,
      '0000:00:05.0': null,
      '0000:00:18.0': 'pcieport',
      '0000:41:00.0': null,
      '0000:41:00.1': null,
    },
  },
};

export function machineNamed(name: string): LabMachine {
  const machine = machines[name];
  if (machine === undefined) throw new Error(`no machine ${name}`);
  return machine;
}
