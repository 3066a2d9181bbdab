import { fcntl } from '../runtime/abi/fcntl.ts';
import { requests } from '../runtime/abi/ioctl.ts';
import { encode } from '../runtime/abi/layout.ts';
import { layouts, vfio } from '../runtime/abi/vfio.ts';
import { bootSandbox, type SimulatedProcess } from '../runtime/kernel/sandbox.ts';
import { machine } from '../test/machines.ts';

const nic = '0000:03:00.0';
const override = `/sys/bus/pci/devices/${nic}/driver_override`;
const root = {
  uid: 0,
  gid: 0,
  groups: [],
  capabilities: ['CAP_DAC_OVERRIDE', 'CAP_SYS_ADMIN', 'CAP_SYS_RAWIO'],
};

/**
 * Makes at least `count` system calls on a simulated machine and answers how many milliseconds a thousand of them took;
 * booting is not counted. A round is what an executor does (sysfs files read and written) and what a userspace driver
 * does when it starts and ends: container, group, device, and what regions and interrupts the device has.
 */
export async function simulatedCalls(count: number): Promise<number> {
  const functions = [
    { at: nic, id: '8086:1572', class: 'nic', driver: 'vfio-pci', driverOverride: 'vfio-pci' },
  ];
  const sandbox = await bootSandbox(machine({ functions }), { deadlineMs: 10_000 });
  const process = sandbox.process(root);
  const group = process.open(`/dev/vfio/0`, fcntl.O_RDWR);
  if (group < 0) throw new Error(`open of the group answered ${group}`);
  const from = performance.now();
  let done = 0;
  while (done < count) done += oneRound(process, group);
  const milliseconds = performance.now() - from;
  sandbox.dispose();
  return (milliseconds / done) * 1000;
}

const status = encode(layouts.vfio_group_status, { argsz: layouts.vfio_group_status.size });
const info = encode(layouts.vfio_device_info, { argsz: layouts.vfio_device_info.size });
const regions = Array.from({ length: vfio.VFIO_PCI_NUM_REGIONS }, (_, index) =>
  encode(layouts.vfio_region_info, { argsz: layouts.vfio_region_info.size, index }),
);
const interrupts = Array.from({ length: vfio.VFIO_PCI_NUM_IRQS }, (_, index) =>
  encode(layouts.vfio_irq_info, { argsz: layouts.vfio_irq_info.size, index }),
);
const text = new TextEncoder().encode('vfio-pci\n');
const name = new TextEncoder().encode(`${nic}\0`);
const descriptor = new Uint8Array(4);

/** Answers how many calls it made. */
function oneRound(process: SimulatedProcess, group: number): number {
  const container = process.open('/dev/vfio/vfio', fcntl.O_RDWR);
  new DataView(descriptor.buffer).setInt32(0, container, true);
  process.ioctl(container, requests.VFIO_GET_API_VERSION, 0);
  process.ioctl(container, requests.VFIO_CHECK_EXTENSION, 1);
  process.ioctl(group, requests.VFIO_GROUP_GET_STATUS, status);
  process.ioctl(group, requests.VFIO_GROUP_SET_CONTAINER, descriptor);
  process.ioctl(container, requests.VFIO_SET_IOMMU, 1);
  const device = process.ioctl(group, requests.VFIO_GROUP_GET_DEVICE_FD, name);
  if (device < 0) throw new Error(`GET_DEVICE_FD answered ${device}`);
  const asked = askDevice(process, device);
  process.close(device);
  process.ioctl(group, requests.VFIO_GROUP_UNSET_CONTAINER, 0);
  process.close(container);
  const file = process.open(override, fcntl.O_RDWR);
  process.write(file, text);
  process.pread(file, 64, 0n);
  process.close(file);
  return asked + 14;
}

function askDevice(process: SimulatedProcess, device: number): number {
  process.ioctl(device, requests.VFIO_DEVICE_GET_INFO, info);
  for (const region of regions) process.ioctl(device, requests.VFIO_DEVICE_GET_REGION_INFO, region);
  for (const interrupt of interrupts) process.ioctl(device, requests.VFIO_DEVICE_GET_IRQ_INFO, interrupt);
  return 1 + vfio.VFIO_PCI_NUM_REGIONS + vfio.VFIO_PCI_NUM_IRQS;
}
