import { vfio } from '../../../runtime/abi/vfio.ts';
import { countSteps, readJournals } from '../guest/journal.ts';
import { liveSnapshot } from '../guest/live.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import { compareAs, driverCalls } from '../guest/user.ts';
import { behindRootPort, intelChipset, intelCommandLine } from '../machines.ts';
import type { Scenario } from '../scenario.ts';

const nic = '0000:01:00.0';
const dpdk = { uid: 1500 };

const policy = `
host lab {
  iommu  required
  kernel >= 6.12
}
device fastpath on lab {
  at ${nic}
  id 8086:10d3
}
policy dataplane on lab {
  bind    fastpath to vfio-pci
  allow   user dpdk to use fastpath via group
  require fastpath isolated
}
policy baseline on * {
  protect devices that hold root, boot, swap, management
  forbid  unsafe interrupts
}
`;

/** The same NIC behind an Intel IOMMU, with no module loaded before: the user maps memory, and all goes back. */
export const intelIommu: Scenario = {
  name: 'Intel IOMMU',
  about: 'e1000e to vfio-pci by its real group, DMA mapped by an ordinary user, and back',
  machine: [...intelChipset, ...behindRootPort(1, 'e1000e')],
  commandLine: intelCommandLine,
  run: async (guest) => {
    guest.addUser('dpdk', dpdk.uid);
    const before = machineState();
    const node = `/dev/vfio/${guest.shows(`/sys/bus/pci/devices/${nic}/iommu_group`)}`;
    const file = guest.file('policy.vfio', policy);
    guest.vfioplan(0, 'snapshot', '--out', 'machine.json');
    guest.vfioplan(0, 'check', file, '--machine', 'machine.json');
    guest.vfioplan(0, 'apply', file, '--native');
    guest.same('the driver', guest.shows(`/sys/bus/pci/devices/${nic}/driver`), 'vfio-pci');
    guest.same('the node belongs to dpdk', guest.shows(node), `600 ${dpdk.uid}:0`);
    guest.same('the kernel is not tainted', guest.shows('/proc/sys/kernel/tainted'), '0');

    const live = liveSnapshot();
    const ordinary = { ...dpdk, memlock: 8 << 20 };
    await compareAs(guest, live, ordinary, driverCalls(node, nic, vfio.VFIO_TYPE1_IOMMU, 0));
    await compareAs(guest, live, ordinary, driverCalls(node, nic, vfio.VFIO_TYPE1v2_IOMMU, 0));
    const poor = { ...dpdk, memlock: 64 << 10 };
    await compareAs(guest, live, poor, driverCalls(node, nic, vfio.VFIO_TYPE1v2_IOMMU, 'ENOMEM'));
    const stranger = [{ call: { op: 'open', path: node }, as: 'group', answers: 'EACCES' }] as const;
    await compareAs(guest, live, { uid: 1501 }, stranger);

    guest.vfioplan(0, 'revert');
    guest.same('everything is as before', changes(before, machineState()), []);
    countSteps(guest, readJournals('/var/lib/vfioplan'));
  },
};
