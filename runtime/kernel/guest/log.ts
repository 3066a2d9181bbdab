/** The kernel log's lines for what the model does (drivers/vfio, drivers/iommu/iommu.c, drivers/base/dd.c). */
import { errnoNumbers } from '../../../src/model/errno.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Result } from '../../../src/model/outcome.ts';
import type { State, World } from '../../../src/model/state.ts';
import { commandName } from './process.ts';

/** The operations that may log something. */
export const logged: ReadonlySet<Op['op']> = new Set([
  'driver.bind',
  'driver.unbind',
  'drivers.probe',
  'module.load',
  'module.unload',
  'open',
  'group.get_device_fd',
  'group.set_container',
  'container.set_iommu',
  'container.map_dma',
] as const);

/** What the kernel logs for one operation, oldest first; most log nothing. */
export function logLines(
  world: World,
  before: State,
  after: State,
  op: Op,
  result: Result,
): readonly string[] {
  switch (op.op) {
    case 'driver.bind':
    case 'driver.unbind':
    case 'drivers.probe':
    case 'module.load':
    case 'module.unload':
      return [...refusals(world, op, result), ...changes(world, before, after)];
    case 'group.get_device_fd':
      return opened(world, after, op, result);
    case 'container.set_iommu':
    case 'group.set_container':
    case 'container.map_dma':
      return refusals(world, op, result);
    case 'open':
      return before.modules === after.modules ? [] : changes(world, before, after);
    default:
      return [];
  }
}

function changes(world: World, before: State, after: State): string[] {
  if (before === after) return [];
  const lines: string[] = [];
  if (before.modules[world.vfioModule] === null && after.modules[world.vfioModule] !== null) {
    lines.push('VFIO - User Level meta-driver version: 0.3');
  }
  for (const { index, address } of world.hardware) {
    const was = before.devices[index];
    const now = after.devices[index];
    if (was === now || was === undefined || now === undefined || was.group === now.group) continue;
    const prefix = `${now.driver ?? was.driver ?? 'pci'} ${address}:`;
    if (was.group !== null) lines.push(`${prefix} Removing from iommu group ${was.group}`);
    if (now.group === null) continue;
    lines.push(`${prefix} Adding to iommu group ${now.group}`);
    const group = after.iommuGroups.find(({ id }) => id === now.group);
    if (group?.fake === true) lines.push(`${prefix} Adding kernel taint for vfio-noiommu group on device`);
  }
  return lines;
}

/** A device of a group without an IOMMU was opened: every time, not the first only. */
function opened(
  world: World,
  after: State,
  op: Extract<Op, { op: 'group.get_device_fd' }>,
  result: Result,
): readonly string[] {
  if (!result.ok) return [];
  const address = op.name.split(' ')[0] ?? '';
  const index = world.devices.get(address)?.index ?? -1;
  const device = after.devices[index];
  const group = after.groups[device?.vfio?.group ?? -1];
  if (group?.noiommu !== true) return [];
  return [`${device?.driver} ${address}: vfio-noiommu device opened by user (${commandName}:${op.pid})`];
}

type Refusal = Extract<Result, { readonly ok: false }>;

/** What a refusal logs, by the guard that made it; most say nothing. */
function refusals(world: World, op: Op, result: Result): readonly string[] {
  if (result.ok) return [];
  if (op.op === 'driver.unbind' && result.guard === 'driver.unbind.held') {
    return [
      `${op.driver} ${op.device}: No device request channel registered, blocked until released by user`,
    ];
  }
  return op.op === 'driver.bind' ? failedProbe(world, op, result) : [];
}

/** Guards of `driver.bind` that stand in the driver's own probe; the driver core reports those alone. */
const inProbe = ['denylisted', 'bridge', 'virtual-functions', 'no-group'];

function failedProbe(
  world: World,
  op: Extract<Op, { op: 'driver.bind' }>,
  result: Refusal,
): readonly string[] {
  const guard = result.guard.replace('driver.bind.', '');
  if (!inProbe.includes(guard) || !('errno' in result)) return [];
  const prefix = `${op.driver} ${op.device}:`;
  const its = world.devices.get(op.device);
  const lines: string[] = [];
  if (guard === 'denylisted') {
    lines.push(
      `${prefix} ${its?.vendor}:${its?.device} exists in vfio-pci device denylist, driver probing disallowed.`,
    );
  }
  if (guard === 'virtual-functions') lines.push(`${prefix} Cannot bind to PF with SR-IOV enabled`);
  const number = -errnoNumbers[result.errno];
  lines.push(
    world.profile.id === '6.12'
      ? `${prefix} probe with driver ${op.driver} failed with error ${number}`
      : `${op.driver}: probe of ${op.device} failed with error ${number}`,
  );
  return lines;
}
