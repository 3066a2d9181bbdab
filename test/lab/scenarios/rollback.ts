import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import type { JournalRecord } from '../../../src/wire/journal.ts';
import { countSteps, readJournals } from '../guest/journal.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import { behindRootPort, intelChipset, intelCommandLine, noIommuChipset } from '../machines.ts';
import type { Scenario } from '../scenario.ts';

/**
 * Failures in the middle that no snapshot can foresee, given by the kernel itself: the rehearsal passes, the deed does
 * not, and every file that was touched must show again what it showed.
 */
const twoNics = (until: string): string => `
host lab {
  iommu   absent
  noiommu allowed {
    owner  "lab"
    reason "this machine has no IOMMU"
    until  ${until}
  }
}
device one on lab { at 0000:01:00.0 }
device two on lab { at 0000:02:00.0 }
policy dataplane on lab {
  bind  one to vfio-pci
  bind  two to vfio-pci
  allow user dpdk with CAP_SYS_RAWIO to use one via noiommu
  allow user dpdk with CAP_SYS_RAWIO to use two via noiommu
}
`;

/** The nodes cannot change hands: /dev/vfio is mounted read-only, which chown answers with EROFS. */
export const lateFailure: Scenario = {
  name: 'a failure at the end, without an IOMMU',
  about: 'two functions bound, then chown fails with EROFS: all steps are undone',
  machine: [...noIommuChipset, ...behindRootPort(1, 'e1000e'), ...behindRootPort(2, 'e1000e')],
  commandLine: '',
  run: async (guest) => {
    guest.addUser('dpdk', 1500);
    guest.same('modprobe', guest.backend.loadModule('vfio-pci'), 0);
    execFileSync('mount', ['--bind', '/dev/vfio', '/dev/vfio']);
    execFileSync('mount', ['-o', 'remount,bind,ro', '/dev/vfio']);
    const before = machineState();
    const file = guest.file('policy.vfio', twoNics(`${new Date().getFullYear() + 1}-12-31`));
    const said = guest.vfioplan(3, 'apply', file, '--native');
    guest.check('and says EROFS', said.includes('EROFS'), said);
    guest.same('everything is as before', changes(before, machineState()), []);
    const records = readJournals('/var/lib/vfioplan');
    guest.check('the journal ends rolled back', ending(records) === 'rolled back', records.at(-1));
    const bound = records.filter((each) => each.record === 'intent' && each.operation.op === 'driver.bind');
    guest.same('both functions had been bound', bound.length, 2);
    countSteps(guest, records, /noiommu-/);
  },
};

/** The verdict with which the journal ends. */
function ending(records: readonly JournalRecord[]): string | undefined {
  const last = records.at(-1);
  return last?.record === 'end' ? last.verdict : undefined;
}

const first = '0000:01:00.0';
const second = '0000:02:00.0';

const twoGroups = `
host lab { iommu required }
device one on lab { at ${first} }
device two on lab { at ${second} }
policy dataplane on lab {
  bind  one to vfio-pci
  bind  two to vfio-pci
  allow user dpdk to use one via group
  allow user dpdk to use two via group
}
`;

/** The second function's folder in sysfs is mounted read-only: its override cannot be written, and its group stays. */
export const middleFailure: Scenario = {
  name: 'a failure in the middle, with an Intel IOMMU',
  about: 'modules loaded, one function bound, the other unbound, then EROFS: all of it is undone',
  machine: [...intelChipset, ...behindRootPort(1, 'e1000e'), ...behindRootPort(2, 'e1000e')],
  commandLine: intelCommandLine,
  run: async (guest) => {
    guest.addUser('dpdk', 1500);
    const folder = realpathSync(`/sys/bus/pci/devices/${second}`);
    execFileSync('mount', ['--bind', folder, folder]);
    execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
    const before = machineState();
    const file = guest.file('policy.vfio', twoGroups);
    const said = guest.vfioplan(3, 'apply', file, '--native');
    guest.check('and says EROFS', said.includes('EROFS'), said);
    guest.same('everything is as before', changes(before, machineState()), []);
    const records = readJournals('/var/lib/vfioplan');
    guest.check('the journal ends rolled back', ending(records) === 'rolled back', records.at(-1));
    const intents = records.filter((each) => each.record === 'intent').map(({ operation }) => operation.op);
    guest.check('a function had been bound', intents.includes('driver.bind'), intents);
    countSteps(guest, records, new RegExp(`let only .* bind ${second}`));
  },
};
