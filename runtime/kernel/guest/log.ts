/** The kernel log: the model's lines for what it does, and what refusals say (drivers/vfio, drivers/base/dd.c). */
import { errnoNumbers } from '../../../src/model/errno.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Result } from '../../../src/model/outcome.ts';
import type { State, World } from '../../../src/model/state.ts';
import { logOf } from '../../../src/model/view.ts';

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
    case 'open':
      // Opening the container's node may load the module; nothing else that an open does is logged.
      return before.modules === after.modules ? [] : loaded(world, before, after);
    case 'module.load':
      return [...loaded(world, before, after), ...logOf(world, before, after, op)];
    case 'driver.bind':
    case 'driver.unbind':
      return result.ok ? logOf(world, before, after, op) : refusals(world, op, result);
    case 'container.set_iommu':
    case 'group.set_container':
    case 'container.map_dma':
      return result.ok ? [] : refusals(world, op, result);
    default:
      return logOf(world, before, after, op);
  }
}

/** drivers/vfio/vfio_main.c:vfio_init. */
function loaded(world: World, before: State, after: State): readonly string[] {
  const appeared = before.modules[world.vfioModule] === null && after.modules[world.vfioModule] !== null;
  return appeared ? ['VFIO - User Level meta-driver version: 0.3'] : [];
}

type Refusal = Extract<Result, { readonly ok: false }>;

/** What a refusal logs, by the guard that made it; most say nothing. */
function refusals(world: World, op: Op, result: Refusal): readonly string[] {
  if (op.op === 'driver.unbind' && result.guard === 'driver.unbind.held') {
    return [
      `${op.driver} ${op.device}: No device request channel registered, blocked until released by user`,
    ];
  }
  if (op.op === 'driver.bind') return failedProbe(world, op, result);
  if (result.guard.endsWith('.interrupts')) return [noRemapping];
  if (result.guard !== 'container.map_dma.memlock') return [];
  return [`vfio_pin_pages_remote: RLIMIT_MEMLOCK (${world.processes.get(op.pid)?.memlock}) exceeded`];
}

/** drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_attach_group. */
const noRemapping =
  'vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "allow_unsafe_interrupts" to enable VFIO IOMMU support on this platform';

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
    world.profile.probeFailure === 'device-first'
      ? `${prefix} probe with driver ${op.driver} failed with error ${number}`
      : `${op.driver}: probe of ${op.device} failed with error ${number}`,
  );
  return lines;
}
