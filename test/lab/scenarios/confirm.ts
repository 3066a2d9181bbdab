import { setTimeout } from 'node:timers/promises';
import type { Guest } from '../guest/guest.ts';
import { countSteps, readJournals } from '../guest/journal.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import { behindRootPort, intelChipset, intelCommandLine } from '../machines.ts';
import type { Scenario } from '../scenario.ts';

const nic = '0000:01:00.0';
const driver = `/sys/bus/pci/devices/${nic}/driver`;
const asked = 'unless you type yes';

const policy = (within: string): string => `
host lab { iommu required }
device uplink on lab { at ${nic} id 8086:10d3 }
policy dataplane on lab {
  bind    uplink to vfio-pci
  confirm within ${within}
}
`;

/** Long enough for an emulated machine to see that the process goes on, short enough to wait for. */
const patience = '15 s';
const never = '1 h';

/** Whoever loses the session in which he applied a plan gets the machine back as it was. */
export const confirmation: Scenario = {
  name: 'confirm',
  about:
    'a plan that is confirmed at the terminal, in another session, or by nobody since the session is lost',
  machine: [...intelChipset, ...behindRootPort(1, 'e1000e')],
  commandLine: intelCommandLine,
  run: async (guest) => {
    // Loaded beforehand, so that what is compared is what the plans change.
    guest.same('modprobe', guest.backend.loadModule('vfio-pci'), 0);
    const before = machineState();
    const soon = guest.file('soon.vfio', policy(patience));
    const late = guest.file('late.vfio', policy(never));
    const isBack = (when: string): void =>
      guest.same(`as before ${when}`, changes(before, machineState()), []);
    await lostSession(guest, soon);
    isBack('once the session was lost and nobody confirmed');
    await confirmedAtTerminal(guest, late);
    guest.vfioplan(0, 'revert');
    isBack('after the revert');
    await confirmedElsewhere(guest, late);
    guest.vfioplan(0, 'revert');
    isBack('after the second revert');
    await killed(guest, late);
    isBack('after the recovery');
    countSteps(guest, readJournals('/var/lib/vfioplan'));
  },
};

async function lostSession(guest: Guest, file: string): Promise<void> {
  const session = guest.begin(true, 'apply', file, '--native');
  await session.says(asked);
  guest.same('the driver while it waits', guest.shows(driver), 'vfio-pci');
  session.kill();
  for (let tries = 0; tries < 240 && !hasEnded(); tries += 1) await setTimeout(500);
  guest.check('the journal says that it was rolled back', hasEnded(), readJournals('/var/lib/vfioplan'));
  guest.same('the driver is back', guest.shows(driver), 'e1000e');
}

function hasEnded(): boolean {
  return JSON.stringify(readJournals('/var/lib/vfioplan')).includes('rolled back');
}

async function confirmedAtTerminal(guest: Guest, file: string): Promise<void> {
  const session = guest.begin(true, 'apply', file, '--native');
  await session.says(asked);
  session.types('no\n');
  await setTimeout(2000);
  session.types('yes\n');
  const { code, said } = await session.ended;
  guest.check('yes at the terminal lets it stay', code === 0 && said.includes('confirmed'), { code, said });
  guest.same('the driver stays', guest.shows(driver), 'vfio-pci');
}

async function confirmedElsewhere(guest: Guest, file: string): Promise<void> {
  const session = guest.begin(true, 'apply', file, '--native');
  await session.says(asked);
  guest.vfioplan(0, 'confirm');
  const { code, said } = await session.ended;
  guest.check('another session lets it stay', code === 0 && said.includes('confirmed'), { code, said });
  guest.same('the driver stays then, too', guest.shows(driver), 'vfio-pci');
}

/** Nobody is left to take it back, and nothing new is begun before somebody does. */
async function killed(guest: Guest, file: string): Promise<void> {
  const session = guest.begin(false, 'apply', file, '--native');
  await session.says(asked);
  session.kill();
  await session.ended;
  guest.same('the driver of a process that is gone', guest.shows(driver), 'vfio-pci');
  const other = guest.file('other.vfio', policy(never).replace('to vfio-pci', 'to none'));
  const refused = guest.vfioplan(1, 'apply', other, '--native');
  guest.check('nothing new is begun', refused.includes('VP6010'), refused);
  guest.vfioplan(0, 'recover');
}
