import { readFileSync } from 'node:fs';
import { bootPrograms, etcState, makeFolders, said } from '../guest/etc.ts';
import type { Guest } from '../guest/guest.ts';
import { countSteps, readJournals } from '../guest/journal.ts';
import { changes, machineState } from '../guest/machine-state.ts';
import { behindRootPort, intelChipset, intelCommandLine, noIommuChipset } from '../machines.ts';
import type { Scenario } from '../scenario.ts';

/**
 * What a policy says shall last, as files: real modules-load, udev, modprobe and pam_limits read them, and do what the
 * policy says to functions that stand as a boot would leave them.
 */
const [ours, other] = ['0000:01:00.0', '0000:02:00.0'] as const;
const devices = '/sys/bus/pci/devices';
const dpdk = 500;

/** A policy that is applied, found in force after what a boot does, planned again to no step, and taken back. */
async function lasts(guest: Guest, text: string, node: () => string, inForce: () => void): Promise<void> {
  makeFolders();
  guest.addUser('dpdk', dpdk);
  const [machine, etc] = [machineState(), etcState()];
  const file = guest.file('policy.vfio', text);
  guest.vfioplan(0, 'apply', file, '--native');
  guest.check('files were written', changes(etc, etcState()).length >= 3, changes(etc, etcState()));
  const again = guest.vfioplan(0, 'plan', file, '--live');
  guest.check('the same policy a second time plans nothing', again.includes('nothing is to be done'), again);

  // As the kernel leaves functions when it has booted: without an override, and these two without a driver.
  for (const address of [ours, other]) release(guest, address);
  guest.same('the node is gone', guest.shows(node()), null);
  for (const module of ['vfio_pci', 'vfio_pci_core', 'vfio_iommu_type1', 'vfio'])
    guest.backend.unloadModule(module);
  bootPrograms([ours, other]);
  guest.same('udev wrote the override', guest.shows(`${devices}/${ours}/driver_override`), 'vfio-pci');
  guest.same('the function is bound again', guest.shows(`${devices}/${ours}/driver`), 'vfio-pci');
  guest.same('its node is given away again', guest.shows(node()), `600 ${dpdk}:0`);
  const override = guest.shows(`${devices}/${other}/driver_override`);
  guest.same('another card of the same kind is left alone', override, '(null)');
  guest.same('nothing took it', guest.shows(`${devices}/${other}/driver`), null);
  inForce();
  const settled = guest.vfioplan(0, 'plan', file, '--live');
  guest.check('after the boot nothing is to be done', settled.includes('nothing is to be done'), settled);

  guest.write('/sys/bus/pci/drivers/e1000e/bind', other);
  guest.vfioplan(0, 'revert');
  guest.same('the machine is as before', changes(machine, machineState()), []);
  guest.same('/etc is as before', changes(etc, etcState()), []);
  countSteps(guest, readJournals('/var/lib/vfioplan'));
}

function release(guest: Guest, address: string): void {
  guest.write(`${devices}/${address}/driver/unbind`, address);
  guest.write(`${devices}/${address}/driver_override`, '\n');
}

const withIommu = `
host lab { iommu required }
device uplink on lab { at ${ours}  id 8086:10d3 }
policy dataplane on lab {
  bind    uplink to vfio-pci
  allow   user dpdk to use uplink via group
  allow   service vpp to use uplink via group
  limit   user dpdk to 3 GiB locked memory
  limit   service vpp to 2 GiB locked memory
  persist across boots
}
`;

export const lasting: Scenario = {
  name: 'what lasts, with an Intel IOMMU',
  about: 'files for a boot and for a login, read by udev, modules-load and pam_limits, and taken back',
  machine: [...intelChipset, ...behindRootPort(1, 'e1000e'), ...behindRootPort(2, 'e1000e')],
  commandLine: intelCommandLine,
  run: (guest) => {
    const node = () => `/dev/vfio/${guest.shows(`${devices}/${ours}/iommu_group`)}`;
    return lasts(guest, withIommu, node, () => {
      const limit = said('runuser', '-s', '/bin/sh', '-c', 'ulimit -l', 'dpdk').trim();
      guest.same('a login gives the limit', limit, `${3 << 20}`);
      const unit = readFileSync('/etc/systemd/system/vpp.service.d/60-vfioplan.conf', 'utf8');
      guest.check(
        "the service's drop-in has it",
        unit.endsWith('[Service]\nLimitMEMLOCK=2147483648\n'),
        unit,
      );
    });
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
    lasts(
      guest,
      withoutIommu,
      () => '/dev/vfio/noiommu-0',
      () => {
        const mode = guest.shows('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode');
        guest.same('modprobe loaded vfio with the mode on', mode, 'Y');
        const known = said('modprobe', '-c');
        guest.check('as it read', known.includes('options vfio enable_unsafe_noiommu_mode=1'), known);
      },
    ),
};
