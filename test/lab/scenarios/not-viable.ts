import { Both, describeCall } from '../guest/both.ts';
import { liveSnapshot } from '../guest/live.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import { bind, type Line, open, override, unbind } from '../lines.ts';
import { behindRootPort, intelChipset, intelCommandLine } from '../machines.ts';
import type { Scenario } from '../scenario.ts';

const first = '0000:01:00.0';
const second = '0000:01:00.1';

const policy = `
host lab { iommu required }
device fastpath on lab { at ${first} }
policy dataplane on lab {
  bind  fastpath to vfio-pci
  allow user dpdk to use fastpath via group
}
`;

/** Two functions of one group, one of which stays with the host: refused in words, and by the kernel if one insists. */
export const notViable: Scenario = {
  name: 'a group that is not viable',
  about: 'check refuses it; the kernel, asked without the checker, answers what the model says',
  machine: [...intelChipset, ...behindRootPort(1, 'e1000e', 'e1000e')],
  commandLine: intelCommandLine,
  run: async (guest) => {
    guest.addUser('dpdk', 1500);
    const before = machineState();
    const file = guest.file('policy.vfio', policy);
    guest.vfioplan(0, 'snapshot', '--out', 'machine.json');
    const words = guest.vfioplan(1, 'check', file, '--machine', 'machine.json');
    guest.check(
      'with a code of the model, naming the sibling',
      words.includes('VP4') && words.includes(second),
      words,
    );
    guest.vfioplan(1, 'apply', file, '--native');
    guest.same('nothing was touched', changes(before, machineState()), []);

    const node = `/dev/vfio/${guest.shows(`/sys/bus/pci/devices/${first}/iommu_group`)}`;
    const both = new Both(guest.backend, liveSnapshot());
    for (const line of insist(node)) guest.step(describeCall(line.call), both.run(line));
    guest.same('drivers are back by hand', changesOfDrivers(before), []);
  },
};

function insist(node: string): readonly Line[] {
  return [
    { call: { op: 'module.load', module: 'vfio_pci' }, answers: 0 },
    ...[override(first, 'vfio-pci'), unbind(first, 'e1000e'), bind(first, 'vfio-pci')],
    ...[open('/dev/vfio/vfio', 'container'), open(node, 'group')],
    { call: { op: 'group.get_status', fd: 'group' }, answers: 0, out: { flags: 0 } },
    { call: { op: 'group.set_container', fd: 'group', container: 'container' }, answers: 'EPERM' },
    { call: { op: 'group.get_device_fd', fd: 'group', name: first }, as: 'device', answers: 'EINVAL' },
    { call: { op: 'close', fd: 'group' }, answers: 0 },
    { call: { op: 'close', fd: 'container' }, answers: 0 },
    ...[unbind(first, 'vfio-pci'), override(first, ''), bind(first, 'e1000e')],
  ];
}

/** Drivers and overrides that are not as they were; the modules stay loaded. */
function changesOfDrivers(before: { readonly [path: string]: string }): readonly string[] {
  return changes(before, machineState()).filter((change) => / driver/.test(change));
}
