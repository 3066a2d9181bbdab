import { countSteps, readJournals } from '../guest/journal.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import { behindRootPort, intelChipset, intelCommandLine } from '../machines.ts';
import type { Scenario } from '../scenario.ts';

const [first, second] = ['0000:01:00.0', '0000:02:00.0'];
const dpdk = 1500;

const devices = `
device one on lab { at ${first} id 8086:10d3 }
device two on lab { at ${second} id 8086:10d3 }
`;
const wanted = (name: string): string =>
  `bind ${name} to vfio-pci allow user dpdk to use ${name} via iommufd`;

/** Policies that name less than the ones before: what nobody names any more is as it was found, and comes back by a revert. */
export const puttingBack: Scenario = {
  name: 'put back',
  about:
    'two functions to vfio-pci, then one, then none; and the way back, with other numbers of their nodes',
  machine: [...intelChipset, ...behindRootPort(1, 'e1000e'), ...behindRootPort(2, 'e1000e')],
  commandLine: intelCommandLine,
  run: (guest) => {
    guest.addUser('dpdk', dpdk);
    const before = machineState();
    const both = guest.file('both.vfio', `${devices} policy p on lab { ${wanted('one')} ${wanted('two')} }`);
    const less = guest.file('less.vfio', `${devices} policy p on lab { ${wanted('two')} }`);
    const none = guest.file('none.vfio', 'policy p on lab {}');
    const driver = (address: string) => guest.shows(`/sys/bus/pci/devices/${address}/driver`);
    const node = (number: number) => guest.shows(`/dev/vfio/devices/vfio${number}`);

    guest.vfioplan(0, 'apply', both, '--native');
    const given = `600 ${dpdk}:0`;
    guest.same('both nodes are given away', [node(0), node(1)], [given, given]);
    const untouched = guest.shows(`/sys/bus/pci/devices/${second}/vfio-dev/vfio1/uevent`);

    guest.vfioplan(0, 'apply', less, '--native');
    guest.same('the first function is back', driver(first), 'e1000e');
    guest.same('its node is gone', node(0), null);
    guest.same('the second one stays', [driver(second), node(1)], ['vfio-pci', given]);
    const still = guest.shows(`/sys/bus/pci/devices/${second}/vfio-dev/vfio1/uevent`);
    guest.same('and was not touched', still, untouched);
    guest.vfioplan(0, 'plan', less, '--live', '--detailed-exitcode');

    guest.vfioplan(2, 'plan', none, '--live', '--detailed-exitcode');
    guest.vfioplan(0, 'apply', none, '--native');
    guest.same('everything is as before', changes(before, machineState()), []);

    guest.vfioplan(0, 'revert');
    guest.same('the second is back, with the lowest number', [driver(second), node(0)], ['vfio-pci', given]);
    guest.vfioplan(0, 'revert');
    guest.same('the first has the next', [driver(first), node(1)], ['vfio-pci', given]);
    guest.vfioplan(0, 'revert');
    guest.same('everything is as before once more', changes(before, machineState()), []);
    countSteps(guest, readJournals('/var/lib/vfioplan'));
    return Promise.resolve();
  },
};
