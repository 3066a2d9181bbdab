import { execFileSync } from 'node:child_process';
import type { JournalRecord } from '../../../src/wire/journal.ts';
import { countSteps, readJournals } from '../guest/journal.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import {
  behindRootPort,
  intelChipset,
  intelCommandLine,
  noIommuChipset,
  type Scenario,
} from '../scenario.ts';

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
    const applied = guest.vfioplan('apply', file, '--native');
    guest.same('apply ends with 3: rolled back', applied.code, 3);
    guest.check(
      'and says EROFS',
      (applied.stdout + applied.stderr).includes('EROFS'),
      applied.stdout + applied.stderr,
    );
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

const single = '0000:01:00.0';
const held = '0000:02:00.0';
const sibling = '0000:02:00.1';

const giveBack = `
host lab { iommu required }
device mine on lab { at ${single} }
device port on lab { at ${sibling} }
policy dataplane on lab {
  bind  mine to vfio-pci
  bind  port to e1000e
  allow user dpdk to use mine via group
}
`;

/** Another process drives the group through VFIO, which no file tells: a host driver is refused with EBUSY. */
export const middleFailure: Scenario = {
  name: 'a failure in the middle, with an Intel IOMMU',
  about: 'the first function is bound, the second is refused with EBUSY because a process owns its group',
  machine: [...intelChipset, ...behindRootPort(1, 'e1000e'), ...behindRootPort(2, 'e1000e', 'e1000e')],
  commandLine: intelCommandLine,
  run: async (guest) => {
    guest.addUser('dpdk', 1500);
    guest.same('modprobe', guest.backend.loadModule('vfio-pci'), 0);
    guest.write(`/sys/bus/pci/drivers/e1000e/unbind`, sibling);
    guest.write(`/sys/bus/pci/drivers/e1000e/unbind`, held);
    guest.write(`/sys/bus/pci/devices/${held}/driver_override`, 'vfio-pci\n');
    guest.write('/sys/bus/pci/drivers/vfio-pci/bind', held);
    const node = `/dev/vfio/${guest.shows(`/sys/bus/pci/devices/${held}/iommu_group`)}`;
    const holder = await guest.hold({ uid: 0 }, [
      { call: { op: 'open', path: '/dev/vfio/vfio' }, as: 'container' },
      { call: { op: 'open', path: node }, as: 'group' },
      { call: { op: 'group.set_container', fd: 'group', container: 'container' } },
    ]);
    guest.same(
      'the other process has the group',
      holder.answers.map(({ errno }) => errno),
      [null, null, null],
    );
    const before = machineState();
    const file = guest.file('policy.vfio', giveBack);
    const applied = guest.vfioplan('apply', file, '--native');
    guest.same('apply ends with 3: rolled back', applied.code, 3);
    guest.check(
      'and says EBUSY',
      (applied.stdout + applied.stderr).includes('EBUSY'),
      applied.stdout + applied.stderr,
    );
    guest.same('everything is as before', changes(before, machineState()), []);
    const records = readJournals('/var/lib/vfioplan');
    guest.check('the journal ends rolled back', ending(records) === 'rolled back', records.at(-1));
    countSteps(guest, records, new RegExp(`${sibling}.* to e1000e|bind.*${sibling}`));
    await holder.release();
  },
};
