import { changeInPlace } from '../src/model/draft.ts';
import type { Op } from '../src/model/op.ts';
import { step } from '../src/model/step.ts';
import { ROOT } from '../src/model/world.ts';
import { bare, single, testWorld } from '../test/src/model/machine.ts';

/** One round: two ways through VFIO, with and without an IOMMU, refusals among them, that ends where it began. */
const round: readonly Op[] = [
  { op: 'parameter.write', pid: ROOT, module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text: 'Y' },
  ...binding(bare),
  ...binding(single),
  { op: 'node.own', pid: ROOT, path: '/dev/vfio/8', uid: 1000, gid: 1000, mode: 0o660 },
  ...use('/dev/vfio/noiommu-0', 8, bare),
  ...use('/dev/vfio/8', 3, single),
  ...unbinding(single),
  ...unbinding(bare),
  { op: 'parameter.write', pid: ROOT, module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text: 'N' },
];

/**
 * Makes at least `count` steps of the model in whole rounds, and answers how many it made. In place, as the simulated kernel
 * makes them, or so that every state before stays what it was, as plans need it.
 */
export function modelSteps(count: number, inPlace: boolean): number {
  const { world, state } = testWorld('6.12');
  let now = inPlace ? structuredClone(state) : state;
  changeInPlace(inPlace ? now : null);
  let made = 0;
  while (made < count) {
    for (const op of round) now = step(world, now, op).state;
    made += round.length;
  }
  changeInPlace(null);
  if (now.files.length > 0 || now.groups.length > 0) throw new Error('a round did not end where it began');
  return made;
}

function binding(device: string): readonly Op[] {
  return [
    { op: 'driver.unbind', pid: ROOT, driver: 'e1000e', device },
    { op: 'override.write', pid: ROOT, device, text: 'vfio-pci' },
    { op: 'driver.bind', pid: ROOT, driver: 'vfio-pci', device },
  ];
}

function unbinding(device: string): readonly Op[] {
  return [
    { op: 'driver.unbind', pid: ROOT, driver: 'vfio-pci', device },
    { op: 'override.write', pid: ROOT, device, text: '' },
    { op: 'driver.bind', pid: ROOT, driver: 'e1000e', device },
  ];
}

function use(group: string, type: number, name: string): readonly Op[] {
  const call = { pid: ROOT, fd: 3 } as const;
  const inGroup = { pid: ROOT, fd: 4 } as const;
  const inDevice = { pid: ROOT, fd: 5 } as const;
  const memory = { vaddr: 0x7f0000000000n, iova: 0x10000n, size: 0x1000n } as const;
  return [
    { op: 'open', pid: ROOT, path: '/dev/vfio/vfio' },
    { op: 'container.api_version', ...call },
    { op: 'container.check_extension', ...call, extension: type },
    { op: 'open', pid: ROOT, path: group },
    { op: 'open', pid: ROOT, path: group },
    { op: 'group.get_status', ...inGroup },
    { op: 'group.set_container', ...inGroup, container: 3 },
    { op: 'container.set_iommu', ...call, type },
    { op: 'container.map_dma', ...call, ...memory, flags: 3, memory: 'writable' },
    { op: 'group.get_device_fd', ...inGroup, name },
    { op: 'device.get_info', ...inDevice },
    { op: 'device.region_info', ...inDevice, index: 0 },
    { op: 'device.irq_info', ...inDevice, index: 0 },
    { op: 'group.unset_container', ...inGroup },
    { op: 'container.unmap_dma', ...call, ...memory, flags: 0 },
    { op: 'ioctl', ...inDevice, request: 0x1234 },
    { op: 'close', ...inDevice },
    { op: 'group.unset_container', ...inGroup },
    { op: 'close', ...inGroup },
    { op: 'close', ...call },
  ];
}
