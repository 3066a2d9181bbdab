import { writeLines } from '../../../src/wire/write.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import { behindRootPort, noIommuChipset } from '../machines.ts';
import type { Scenario } from '../scenario.ts';

const nic = '0000:01:00.0';
const node = '/dev/vfio/noiommu-0';

const call = (operation: object): object => ({ record: 'call', process: 'me', operation });
const each = (count: number, make: (index: number) => object): object[] =>
  Array.from({ length: count }, (_, index) => call(make(index)));

/** From the host's driver to a device descriptor and back, with refusals on the way. */
const script: readonly object[] = [
  {
    ...{ record: 'header', format: 'vfioplan.trace', version: 1, profile: '6.12' },
    about: 'a NIC without an IOMMU, from its host driver to a device descriptor, on Linux 6.12 under QEMU',
  },
  { record: 'process', name: 'me', uid: 0, gid: 0, groups: [], capabilities: [], memlock: null },
  call({ op: 'module.load', module: 'vfio_pci' }),
  call({ op: 'driver.bind', driver: 'vfio-pci', device: nic }),
  call({ op: 'parameter.write', module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text: 'Y' }),
  call({ op: 'driver.unbind', driver: 'e1000e', device: nic }),
  call({ op: 'override.write', device: nic, text: 'vfio-pci' }),
  call({ op: 'driver.bind', driver: 'vfio-pci', device: nic }),
  call({ op: 'open', path: '/dev/vfio/vfio', as: 'container' }),
  call({ op: 'container.api_version', fd: 'container' }),
  ...each(11, (extension) => ({ op: 'container.check_extension', fd: 'container', extension })),
  call({ op: 'container.set_iommu', fd: 'container', type: 8 }),
  call({ op: 'open', path: node, as: 'group' }),
  call({ op: 'open', path: node, as: 'again' }),
  call({ op: 'group.get_status', fd: 'group' }),
  call({ op: 'group.get_status', fd: 'group', argsz: 7 }),
  call({ op: 'group.get_status', fd: 'group', argsz: null }),
  call({ op: 'group.set_container', fd: 'group', container: -1 }),
  call({ op: 'group.set_container', fd: 'group', container: 'group' }),
  call({ op: 'group.set_container', fd: 'group', container: 'container' }),
  call({ op: 'group.get_status', fd: 'group' }),
  call({ op: 'group.get_device_fd', fd: 'group', name: nic, as: 'early' }),
  call({ op: 'container.set_iommu', fd: 'container', type: 1 }),
  call({ op: 'container.set_iommu', fd: 'container', type: 8 }),
  call({
    ...{ op: 'container.map_dma', fd: 'container', flags: 3, vaddr: '0x7f0000000000', iova: '0x0' },
    ...{ size: '0x200000', memory: 'writable' },
  }),
  call({ op: 'group.get_device_fd', fd: 'group', name: 'none', as: 'none' }),
  call({ op: 'group.get_device_fd', fd: 'group', name: nic, as: 'device' }),
  call({ op: 'device.get_info', fd: 'device' }),
  // BAR 3 has the MSI-X table, and shows a capability: a snapshot does not tell which BAR that is.
  ...[0, 1, 2, 4, 5, 6, 7, 8, 9].map((index) => call({ op: 'device.region_info', fd: 'device', index })),
  ...each(6, (index) => ({ op: 'device.irq_info', fd: 'device', index })),
  call({ op: 'group.unset_container', fd: 'group' }),
  call({ op: 'driver.unbind', driver: 'vfio-pci', device: nic }),
  call({ op: 'close', fd: 'device' }),
  call({ op: 'close', fd: 'device' }),
];

/** A script recorded on a real kernel: what it answers is what the simulated one answers, and nothing is left behind. */
export const recording: Scenario = {
  name: 'recording',
  about: 'a script recorded natively, what it changed taken back, and the trace replayed',
  machine: [...noIommuChipset, ...behindRootPort(1, 'e1000e')],
  commandLine: '',
  run: async (guest) => {
    const file = guest.file('script.jsonl', writeLines(script));
    // Loaded once, so that what the container's node loads by itself is there before.
    guest.same('modprobe', guest.backend.loadModule('vfio-pci'), 0);
    const before = machineState();
    guest.vfioplan(1, 'record', file, '--native', '--out', 'trace.jsonl');
    const said = guest.vfioplan(0, 'record', file, '--native', '--allow-changes', '--out', 'trace.jsonl');
    guest.check('the changes were taken back', said.includes('taken back: '), said);
    guest.same('everything is as before', changes(before, machineState()), []);
    guest.vfioplan(0, 'replay', 'trace.jsonl');
  },
};
