import { Both, describeCall } from '../guest/both.ts';
import type { Guest } from '../guest/guest.ts';
import { liveSnapshot } from '../guest/live.ts';
import { behindRootPort, intelChipset, intelCommandLine, noIommuChipset, outsideIommu } from '../machines.ts';
import type { Scenario } from '../scenario.ts';
import {
  bind,
  containerVectors,
  fakeGroupVectors,
  type Line,
  override,
  parameter,
  realGroupVectors,
  unbind,
  type Vector,
} from '../vectors.ts';

/**
 * The vectors on the model and on the kernel at once, every answer compared three ways, and after each call every
 * file that it touches.
 */
export const vectorsWithoutIommu: Scenario = {
  name: 'vectors without an IOMMU',
  about: 'T1 to T31: table = model = kernel',
  machine: [...noIommuChipset, ...behindRootPort(1, 'e1000e')],
  commandLine: '',
  run: async (guest) => {
    const both = new Both(guest.backend, liveSnapshot());
    guest.same('the probe leaves nothing to assume', both.assumed(), []);
    const fake = '0000:01:00.0';
    run(guest, both, [loadModules, ...containerVectors]);
    run(guest, both, fakeGroupVectors({ fake, fakeNode: '/dev/vfio/noiommu-0' }));
    run(guest, both, [{ id: 'back', lines: giveBack(fake) }]);
  },
};

const first = '0000:01:00.0';
const second = '0000:01:00.1';
const single = '0000:02:00.0';
/** The only function of the bus behind the bridge that bypasses the IOMMU: its root port has the next bus number. */
const fake = '0000:41:00.0';

export const vectorsBesideIntel: Scenario = {
  name: 'vectors with an Intel IOMMU',
  about: 'T1 to T42 on a machine where one function lies outside the IOMMU',
  machine: [
    ...intelChipset,
    ...behindRootPort(1, 'e1000e', 'e1000e'),
    ...behindRootPort(2, 'e1000e'),
    ...outsideIommu('e1000e'),
  ],
  commandLine: intelCommandLine,
  run: async (guest) => {
    const both = new Both(guest.backend, liveSnapshot());
    guest.same('the probe leaves nothing to assume', both.assumed(), []);
    const nodeOf = (device: string) =>
      `/dev/vfio/${guest.shows(`/sys/bus/pci/devices/${device}/iommu_group`)}`;
    const cast = { fake, single, singleNode: nodeOf(single), first, second, pairNode: nodeOf(first) };
    run(guest, both, [loadModules, ...containerVectors]);
    // The fake group's number is the kernel's next free one; what the model foretells is what we open.
    const made = [override(fake, 'vfio-pci'), unbind(fake, 'e1000e'), parameter('Y'), bind(fake, 'vfio-pci')];
    run(guest, both, [{ id: 'fake group', lines: made }]);
    const fakeNode = `/dev/vfio/noiommu-${both.predict(`/sys/bus/pci/devices/${fake}/iommu_group`)}`;
    run(guest, both, [
      { id: 'undo', lines: [unbind(fake, 'vfio-pci'), override(fake, ''), bind(fake, 'e1000e')] },
    ]);
    run(guest, both, [{ id: 'undo', lines: [parameter('N')] }]);
    run(guest, both, fakeGroupVectors({ fake, fakeNode }));
    run(guest, both, realGroupVectors({ ...cast, fakeNode }));
    run(guest, both, [{ id: 'back', lines: [fake, single, first].flatMap(giveBack) }]);
    run(guest, both, [{ id: 'back', lines: [bind(second, 'e1000e')] }]);
  },
};

const loadModules: Vector = {
  id: 'modules',
  lines: [{ call: { op: 'module.load', module: 'vfio_pci' }, answers: 0 }],
};

function giveBack(device: string): readonly Line[] {
  return [unbind(device, 'vfio-pci'), override(device, ''), bind(device, 'e1000e')];
}

function run(guest: Guest, both: Both, vectors: readonly Vector[]): void {
  for (const { id, lines } of vectors) {
    for (const line of lines) guest.step(`${id}: ${describeCall(line.call)}`, both.run(line));
  }
}
