import { vfio } from '../../../runtime/abi/vfio.ts';
import { countSteps, readJournals } from '../guest/journal.ts';
import { liveSnapshot } from '../guest/live.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import { compareAs, driverCalls } from '../guest/user.ts';
import { behindRootPort, noIommuChipset } from '../machines.ts';
import type { Scenario } from '../scenario.ts';

const nic = '0000:01:00.0';
const node = '/dev/vfio/noiommu-0';
const dpdk = { uid: 1500 };
const TAINT_USER = 64;

const policy = (until: string): string => `
host lab {
  iommu   absent
  kernel  >= 6.12
  noiommu allowed {
    owner  "lab"
    reason "this machine has no IOMMU"
    until  ${until}
  }
}
device fastpath on lab {
  at ${nic}
  id 8086:10d3
}
policy dataplane on lab {
  bind  fastpath to vfio-pci
  allow user dpdk with CAP_SYS_RAWIO to use fastpath via noiommu
}
`;

/** A NIC for DPDK on a machine without an IOMMU: from its host driver to a user who drives it, and back. */
export const noIommu: Scenario = {
  name: 'no IOMMU',
  about: 'e1000e to vfio-pci without an IOMMU, driven by a user with CAP_SYS_RAWIO, and back',
  machine: [...noIommuChipset, ...behindRootPort(1, 'e1000e')],
  commandLine: '',
  run: async (guest) => {
    guest.addUser('dpdk', dpdk.uid);
    // Loaded beforehand, so that the parameter is there to be found at N again.
    guest.same('modprobe', guest.backend.loadModule('vfio-pci'), 0);
    const file = guest.file('policy.vfio', policy(`${new Date().getFullYear() + 1}-12-31`));
    guest.vfioplan(0, 'snapshot', '--out', 'machine.json');
    guest.vfioplan(0, 'check', file, '--machine', 'machine.json');

    const before = machineState();
    guest.vfioplan(0, 'apply', file, '--native');
    guest.same('the driver', guest.shows(`/sys/bus/pci/devices/${nic}/driver`), 'vfio-pci');
    guest.same('the node belongs to dpdk', guest.shows(node), `600 ${dpdk.uid}:0`);
    const taint = Number(guest.shows('/proc/sys/kernel/tainted'));
    guest.check('the kernel is tainted by a user (64)', (taint & TAINT_USER) !== 0, taint);

    const live = liveSnapshot();
    const calls = driverCalls(node, nic, vfio.VFIO_NOIOMMU_IOMMU, 'ENOTTY');
    await compareAs(guest, live, { ...dpdk, capabilities: ['CAP_SYS_RAWIO'] }, calls);
    await compareAs(guest, live, dpdk, [{ call: { op: 'open', path: node }, as: 'group', answers: 'EPERM' }]);
    const stranger = { uid: 1501, capabilities: ['CAP_SYS_RAWIO'] };
    await compareAs(guest, live, stranger, [
      { call: { op: 'open', path: node }, as: 'group', answers: 'EACCES' },
    ]);

    guest.vfioplan(0, 'revert');
    guest.same('everything is as before', changes(before, machineState()), []);
    guest.same('the driver is back', guest.shows(`/sys/bus/pci/devices/${nic}/driver`), 'e1000e');
    guest.same('the override is clear', guest.shows(`/sys/bus/pci/devices/${nic}/driver_override`), '(null)');
    const parameter = '/sys/module/vfio/parameters/enable_unsafe_noiommu_mode';
    guest.same('no-IOMMU mode is off', guest.shows(parameter), 'N');
    guest.same('the node is gone', guest.shows(node), null);
    countSteps(guest, readJournals('/var/lib/vfioplan'));
  },
};
