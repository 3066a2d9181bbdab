import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { bootPrograms, etcState, makeFolders, said } from '../guest/etc.ts';
import type { Guest } from '../guest/guest.ts';
import { countSteps, readJournals } from '../guest/journal.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import { behindRootPort, intelChipset, intelCommandLine, noIommuChipset, virtualising } from '../machines.ts';
import type { Scenario } from '../scenario.ts';

/**
 * What a policy says shall last, as files: real modules-load, udev, modprobe and pam_limits read them, and do what the
 * policy says to functions that stand as a boot would leave them.
 */
const [ours, other] = ['0000:01:00.0', '0000:02:00.0'] as const;
const devices = '/sys/bus/pci/devices';
const iommufd = '/dev/iommu';
const dpdk = 500;

interface Lasting {
  readonly text: string;
  /** How many entries of /etc it makes, at least. */
  readonly files: number;
}

interface LastingCard extends Lasting {
  readonly node: () => string;
  readonly inForce: () => void;
}

/** A policy that is applied, found in force after what a boot does, planned again to no step, and taken back. */
async function lasts(guest: Guest, lasting: LastingCard): Promise<void> {
  const { node, inForce } = lasting;
  const took = applied(guest, lasting);
  // As the kernel leaves functions when it has booted: without an override, and these two without a driver.
  for (const address of [ours, other]) release(guest, address);
  guest.same('the node is gone', guest.shows(node()), null);
  boots(guest, [ours, other]);
  guest.same('udev wrote the override', guest.shows(`${devices}/${ours}/driver_override`), 'vfio-pci');
  guest.same('the function is bound again', guest.shows(`${devices}/${ours}/driver`), 'vfio-pci');
  guest.same('its node is given away again', guest.shows(node()), `600 ${dpdk}:0`);
  const override = guest.shows(`${devices}/${other}/driver_override`);
  guest.same('another card of the same kind is left alone', override, '(null)');
  guest.same('nothing took it', guest.shows(`${devices}/${other}/driver`), null);
  inForce();
  guest.write('/sys/bus/pci/drivers/e1000e/bind', other);
  took.isTakenBack();
}

/** Applies a policy, and answers how it is taken back once a boot has brought the same about. */
function applied(guest: Guest, { text, files }: Lasting): { readonly isTakenBack: () => void } {
  makeFolders();
  guest.addUser('dpdk', dpdk);
  const [machine, etc] = [machineState(), etcState()];
  const file = guest.file('policy.vfio', text);
  guest.vfioplan(0, 'apply', file, '--native');
  const written = changes(etc, etcState());
  guest.check('files were written', written.length >= files, written);
  const plansNothing = (when: string) => {
    const said = guest.vfioplan(0, 'plan', file, '--live');
    guest.check(`${when} nothing is to be done`, said.includes('nothing is to be done'), said);
  };
  plansNothing('the second time');
  return {
    isTakenBack: () => {
      plansNothing('after the boot');
      guest.vfioplan(0, 'revert');
      guest.same('the machine is as before', changes(machine, machineState()), []);
      guest.same('/etc is as before', changes(etc, etcState()), []);
      countSteps(guest, readJournals('/var/lib/vfioplan'));
    },
  };
}

/** What was of VFIO is gone, and a node that is always there is as the kernel made it; then the programs of a boot run. */
function boots(guest: Guest, functions: readonly string[]): void {
  for (const module of ['vfio_pci', 'vfio_pci_core', 'vfio_iommu_type1', 'vfio'])
    guest.backend.unloadModule(module);
  guest.same('vfio is gone', guest.shows('/sys/module/vfio'), null);
  chmodSync(iommufd, 0o660);
  chownSync(iommufd, 0, 0);
  bootPrograms([...functions.map((address) => `${devices}/${address}`), '/sys/class/misc/iommu']);
}

function release(guest: Guest, address: string): void {
  guest.write(`${devices}/${address}/driver/unbind`, address);
  guest.write(`${devices}/${address}/driver_override`, '\n');
}

/** A card that a user has behind an IOMMU, as the statements say. */
const keeping = (...statements: readonly string[]) => `
host lab { iommu required }
device uplink on lab { at ${ours}  id 8086:10d3 }
policy dataplane on lab {
  bind uplink to vfio-pci
  ${statements.join('\n  ')}
  persist across boots
}
`;

const withIommu = keeping(
  'allow user dpdk to use uplink via group',
  'allow service vpp to use uplink via group',
  'limit user dpdk to 3 GiB locked memory',
  'limit service vpp to 2 GiB locked memory',
);

export const lasting: Scenario = {
  name: 'what lasts, with an Intel IOMMU',
  about: 'files for a boot and for a login, read by udev, modules-load and pam_limits, and taken back',
  machine: [...intelChipset, ...behindRootPort(1, 'e1000e'), ...behindRootPort(2, 'e1000e')],
  commandLine: intelCommandLine,
  run: (guest) => {
    const node = () => `/dev/vfio/${guest.shows(`${devices}/${ours}/iommu_group`)}`;
    const inForce = () => {
      const limit = said('runuser', '-s', '/bin/sh', '-c', 'ulimit -l', 'dpdk').trim();
      guest.same('a login gives the limit', limit, `${3 << 20}`);
      const unit = readFileSync('/etc/systemd/system/vpp.service.d/60-vfioplan.conf', 'utf8');
      guest.check(
        "the service's drop-in has it",
        unit.endsWith('[Service]\nLimitMEMLOCK=2147483648\n'),
        unit,
      );
    };
    return lasts(guest, { text: withIommu, files: 3, node, inForce });
  },
};

const throughIommufd = keeping('allow user dpdk to use uplink via iommufd');

export const lastingThroughIommufd: Scenario = {
  name: 'what lasts, through iommufd',
  about: "a device's own node and /dev/iommu, which udev gives away as the plan did",
  machine: lasting.machine,
  commandLine: intelCommandLine,
  run: (guest) => {
    const node = () => '/dev/vfio/devices/vfio0';
    const inForce = () => guest.same('/dev/iommu is given away again', guest.shows(iommufd), `600 ${dpdk}:0`);
    return lasts(guest, { text: throughIommufd, files: 2, node, inForce });
  },
};

const virtual = ['0000:01:00.1', '0000:01:00.2'] as const;
const created = `
host lab { iommu required }
device  disk  on lab { at ${ours}  class storage.nvme }
devices parts on lab { virtual functions 0..1 of disk }
policy dataplane on lab {
  create  2 virtual functions on disk
  bind    parts to vfio-pci
  allow   user dpdk to use parts via group
  persist across boots
}
`;

export const lastingVirtual: Scenario = {
  name: 'what lasts, virtual functions',
  about: 'udev makes them anew, and they get drivers and owners as they come',
  machine: [...intelChipset, ...virtualising],
  commandLine: intelCommandLine,
  run: async (guest) => {
    const took = applied(guest, { text: created, files: 2 });
    const nodes = virtual.map((address) => `/dev/vfio/${guest.shows(`${devices}/${address}/iommu_group`)}`);
    guest.write(`${devices}/${ours}/sriov_numvfs`, '0');
    guest.same('they are gone', guest.shows(`${devices}/${virtual[0]}`), null);
    boots(guest, [ours]);
    guest.same('udev made them', guest.shows(`${devices}/${ours}/sriov_numvfs`), '2');
    for (const address of virtual)
      guest.same(`${address} is bound`, guest.shows(`${devices}/${address}/driver`), 'vfio-pci');
    for (const node of nodes) guest.same(`${node} is given away`, guest.shows(node), `600 ${dpdk}:0`);
    took.isTakenBack();
  },
};

const withoutIommu = `
host lab {
  iommu   absent
  noiommu allowed {
    owner  "lab"
    reason "this machine has no IOMMU"
    until  ${new Date().getFullYear() + 1}-12-31
  }
}
device uplink on lab { at ${ours}  id 8086:10d3 }
policy dataplane on lab {
  bind    uplink to vfio-pci
  allow   user dpdk with CAP_SYS_RAWIO to use uplink via noiommu
  persist across boots, before drivers
}
`;

export const lastingWithoutIommu: Scenario = {
  name: 'what lasts, without an IOMMU',
  about: 'the same for a fake group, whose mode modprobe switches on',
  machine: [...noIommuChipset, ...behindRootPort(1, 'e1000e'), ...behindRootPort(2, 'e1000e')],
  commandLine: '',
  run: (guest) =>
    lasts(guest, {
      text: withoutIommu,
      files: 3,
      node: () => '/dev/vfio/noiommu-0',
      inForce: () => {
        const mode = guest.shows('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode');
        guest.same('modprobe loaded vfio with the mode on', mode, 'Y');
        const known = said('modprobe', '-c');
        guest.check('as it read', known.includes('options vfio enable_unsafe_noiommu_mode=1'), known);
      },
    }),
};
