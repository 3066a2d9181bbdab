import { fileOf } from '../../../src/model/files.ts';
import type { Op } from '../../../src/model/op.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { State, World } from '../../../src/model/state.ts';
import { ROOT } from '../../../src/model/world.ts';
import type { Bounded } from './bounded.ts';
import { iommufdWorld } from './iommufd-session.ts';
import { token } from './provocations-bus.ts';
import { sharing } from './provocations-cdev.ts';

/** A physical function that vfio-pci shares with its virtual one, and every way to open the two. */

export function sharedWorld(profile: ProfileId): Bounded {
  const { world, state } = iommufdWorld(profile, {}, sharing);
  return { world, initial: state };
}

/** One container, one iommufd and two groups or cdevs at a time; GET_DEVICE_FD and BIND with and without a token. */
export function openings(world: World, state: State): Op[] {
  const pid = ROOT;
  const ops: Op[] = [];
  const table = state.descriptors.find((other) => other.pid === pid)?.files ?? [];
  const held = table.flatMap((_id, place) => {
    const file = fileOf(state, { pid, fd: place + 3 });
    return file === null ? [] : [[place + 3, file] as const];
  });
  const has = (kind: string) => held.filter(([, file]) => file.kind === kind).length;
  if (has('container') === 0) ops.push({ op: 'open', pid, path: '/dev/vfio/vfio' });
  if (has('iommufd') === 0 && state.iommuNode) ops.push({ op: 'open', pid, path: '/dev/iommu' });
  if (has('group') + has('device') < 2) {
    for (const group of state.groups)
      if (group) ops.push({ op: 'open', pid, path: `/dev/vfio/${group.name}` });
    for (const { vfio } of state.devices) {
      if (vfio?.node) ops.push({ op: 'open', pid, path: `/dev/vfio/devices/${vfio.name}` });
    }
  }
  for (const [fd, file] of held) {
    ops.push({ op: 'close', pid, fd });
    if (file.kind === 'container') ops.push({ op: 'container.set_iommu', pid, fd, type: 1 });
    for (const [other, { kind }] of held) {
      if (file.kind === 'group' && (kind === 'container' || kind === 'iommufd'))
        ops.push({ op: 'group.set_container', pid, fd, container: other });
      if (file.kind !== 'device' || !file.cdev || kind !== 'iommufd') continue;
      ops.push({ op: 'device.bind_iommufd', pid, fd, iommufd: other, flags: 0 });
      if (world.profile.bindTakesToken)
        ops.push({ op: 'device.bind_iommufd', pid, fd, iommufd: other, flags: 1, token });
    }
    if (file.kind !== 'group' || has('device') > 0) continue;
    for (const index of state.groups[file.group]?.devices ?? []) {
      const name = `${world.hardware[index]?.address}`;
      for (const option of ['', ` vf_token=${token}`])
        ops.push({ op: 'group.get_device_fd', pid, fd, name: `${name}${option}` });
    }
  }
  return ops;
}
