import { deviceFileOf } from './cdev.ts';
import { deviceNamed } from './device-name.ts';
import { dispatch } from './dispatch.ts';
import { groupOf } from './files.ts';
import { withoutIommu } from './iommufd.ts';
import { isAwaited } from './leaving.ts';
import { loadLines, refusedLoadLines, versionLine } from './log-modules.ts';
import { deviceLines, failedProbe } from './log-probes.ts';
import type { Op } from './op.ts';
import { methodsOf } from './ops/device-reset-method.ts';
import { takenBy } from './ops/group-get-device-fd.ts';
import { asking } from './ops.ts';
import type { Outcome } from './outcome.ts';
import { deviceAt } from './presence.ts';
import type { State, World } from './state.ts';
import { wholeNumber } from './text.ts';

/**
 * The kernel log of one step: what VFIO, the IOMMU code and the driver core say of it, oldest first, without time stamps.
 * A pure function of the step, so that a recorded log can be compared with it. What other parts of the kernel say (the
 * enumeration of a bus, host drivers) is not the model's.
 */

/** The operations that may log something; the others need not be asked. */
export const logs: ReadonlySet<Op['op']> = new Set([
  'driver.bind',
  'driver.unbind',
  'drivers.probe',
  'driver.new_id',
  'bus.rescan',
  'device.remove',
  'device.reset_method',
  'device.sriov_numvfs',
  'iommu_group.type',
  'module.load',
  'module.unload',
  'open',
  'close',
  'group.get_device_fd',
  'device.bind_iommufd',
  'group.set_container',
  'container.set_iommu',
  'container.map_dma',
] as const);

/**
 * Of these a success says the same whether the state before or after is asked, and a refusal asks the state before alone:
 * unless iommufd has something to say of interrupts, once for each device that it takes.
 */
export function logsTheSame({ interruptRemapping }: World, op: Op['op']): boolean {
  return same.has(op) && (interruptRemapping || !binds.has(op));
}

const binds: ReadonlySet<Op['op']> = new Set(['group.get_device_fd', 'device.bind_iommufd'] as const);

const same: ReadonlySet<Op['op']> = new Set([
  'group.get_device_fd',
  'device.bind_iommufd',
  'group.set_container',
  'container.set_iommu',
  'container.map_dma',
] as const);

/** `user` is the name of the calling program, which VFIO mentions. */
export function logOf(
  world: World,
  before: State,
  asked: Op,
  { result, state: after }: Outcome,
  user: string,
): readonly string[] {
  // What is asked of another kind of file logs what its number means there.
  const op = dispatch(before, asked);
  if (!logs.has(op.op)) return nothing;
  const insecure = binds.has(op.op)
    ? insecureLines(world, before, op, result.ok ? null : result.guard)
    : nothing;
  if (!result.ok) return [...insecure, ...refusal(world, before, after, op, result.guard)];
  switch (op.op) {
    case 'open':
      // It may load the module; nothing else that an open does is logged.
      if (before.modules === after.modules) return nothing;
      return [...versionLine(world, before, after), ...deviceLines({ world, before, after, op })];
    case 'module.load':
      return loadLines(world, before, op);
    case 'device.reset_method':
      return resetLines(world, before, op);
    case 'iommu_group.type':
      return nothing;
    case 'group.get_device_fd':
      return [...insecure, ...openedLine(world, before, op, user)];
    case 'device.bind_iommufd':
      return insecure;
    case 'group.set_container':
    case 'container.set_iommu':
    case 'container.map_dma':
      return nothing;
    default:
      return [...deviceLines({ world, before, after, op }), ...requestLines(world, before, after)];
  }
}

const nothing: readonly string[] = [];

/** drivers/vfio/group.c:vfio_device_open_file (6.1: vfio_main.c; seed: vfio.c:vfio_group_get_device_fd). */
function openedLine(
  world: World,
  before: State,
  op: Extract<Op, { op: 'group.get_device_fd' }>,
  user: string,
): readonly string[] {
  if (groupOf(before, op)?.noiommu !== true) return [];
  return [
    `${place(world, before, deviceNamed(world, before, op))}: vfio-noiommu device opened by user (${user}:${op.pid})`,
  ];
}

/** drivers/pci/pci.c:reset_method_store. */
function resetLines(
  world: World,
  before: State,
  op: Extract<Op, { op: 'device.reset_method' }>,
): readonly string[] {
  const hardware = deviceAt(world, before, op.device);
  if (hardware === undefined || op.text === '') return [];
  const prefix = place(world, before, hardware.index);
  const answer = methodsOf(world, before, hardware, op.text);
  if ('refused' in answer) {
    const words = {
      invalid: `Invalid reset method '${answer.name}'`,
      unsupported: `Unsupported reset method '${answer.name}'`,
      'too many': 'Too many reset methods',
    };
    return [`${prefix}: ${words[answer.refused]}`];
  }
  if (answer.methods.length === 0 && op.text.trim() === '') {
    return [`${prefix}: All device reset methods disabled by user`];
  }
  const own = hardware.resetMethods.includes('device_specific');
  return own && answer.methods[0] !== 'device_specific'
    ? [`${prefix}: Device-specific reset disabled/de-prioritized by user`]
    : [];
}

/** What a refusal logs, by the guard that made it; most say nothing. */
function refusal(world: World, before: State, after: State, op: Op, guard: string): readonly string[] {
  switch (op.op) {
    case 'module.load':
      return /\.(invalid|range|too-large)$/.test(guard) ? refusedLoadLines(world, before, after, op) : [];
    case 'driver.bind':
      return probeOf(world, before, op, guard);
    case 'driver.unbind':
    case 'device.remove':
    case 'device.sriov_numvfs':
      if (!guard.endsWith('.held')) return sriovLines(world, before, op, guard);
      return [...deviceLines({ world, before, after, op }), ...requestLines(world, before, after)];
    case 'module.unload':
      if (!guard.endsWith('.held')) return [];
      return [...deviceLines({ world, before, after, op }), ...requestLines(world, before, after)];
    case 'device.reset_method':
      return /\.(invalid|unsupported|count)$/.test(guard) ? resetLines(world, before, op) : [];
    case 'group.get_device_fd':
      return tokenLines(world, before, deviceNamed(world, before, op), guard);
    case 'device.bind_iommufd':
      return tokenLines(world, before, deviceFileOf(before, op)?.device ?? -1, guard);
    case 'group.set_container':
    case 'container.set_iommu':
      if (guard.endsWith('.interrupts')) return [noRemapping];
      return guard.endsWith('.firmware') ? firmwareLines(world, before, op) : [];
    case 'iommu_group.type':
      return guard.endsWith('.claimed') ? claimedLine(world, before, op.group) : [];
    case 'container.map_dma':
      if (guard !== 'container.map_dma.memlock') return [];
      return [overLimit(world, op.pid)];
    default:
      return [];
  }
}

/** drivers/iommu/iommu.c:iommu_change_dev_def_domain, in the name of the group's first device. */
function claimedLine(world: World, before: State, id: number): readonly string[] {
  const first = before.iommuGroups.find((group) => group.id === id)?.devices[0];
  return first === undefined ? [] : [`${place(world, before, first)}: Group not assigned to default domain`];
}

/** drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_attach_group. */
const noRemapping =
  'vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "allow_unsafe_interrupts" to enable VFIO IOMMU support on this platform';

/**
 * drivers/iommu/iommufd/device.c:iommufd_device_bind, of a device that is taken although its interrupts are not isolated:
 * before it is asked who has the group.
 */
function insecureLines(world: World, before: State, op: Op, guard: string | null): readonly string[] {
  if (world.interruptRemapping) return nothing;
  const device =
    op.op === 'group.get_device_fd'
      ? (takenBy(world, before, op)?.device ?? -1)
      : op.op === 'device.bind_iommufd'
        ? (deviceFileOf(before, op)?.device ?? -1)
        : -1;
  const asked = asking[world.profile.id][op.op].guards;
  const at = (id: string) => asked.findIndex((its) => its.id === id);
  const refused = guard !== null && at(guard) <= at(`${op.op}.interrupts`);
  if (refused || device === -1 || withoutIommu(before, device)) return nothing;
  return [
    `${place(world, before, device)}: MSI interrupts are not secure, they cannot be isolated by the platform. Check that platform features like interrupt remapping are enabled. Use the "allow_unsafe_interrupts" module parameter to override`,
  ];
}

/** drivers/iommu/iommu.c:__iommu_device_set_domain; earlier drivers/iommu/intel/iommu.c:intel_iommu_attach_device. */
function firmwareLines(
  world: World,
  before: State,
  op: Extract<Op, { op: 'group.set_container' | 'container.set_iommu' }>,
): readonly string[] {
  const text =
    world.profile.reservedAt === 'set-container'
      ? 'Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.'
      : 'Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.';
  if (op.op !== 'group.set_container') return [];
  const group = groupOf(before, op);
  const iommuGroup = before.iommuGroups.find(({ id }) => id === group?.iommuGroup);
  const first = iommuGroup?.devices.find((index) => world.hardware[index]?.firmwareReserved === true);
  return first === undefined ? [] : [`${place(world, before, first)}: ${text}`];
}

function probeOf(
  world: World,
  before: State,
  op: Extract<Op, { op: 'driver.bind' }>,
  guard: string,
): readonly string[] {
  const hardware = deviceAt(world, before, op.device);
  const driver = world.drivers.get(op.driver);
  const inProbe = /\.(denylisted|bridge|virtual-functions|no-group|incoherent)$/.test(guard);
  if (!inProbe || hardware === undefined || driver === undefined) return [];
  return failedProbe(world, before, hardware, driver);
}

/** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_request, of devices that are waited for from now on. */
export function requestLines(world: World, before: State, after: State): readonly string[] {
  if (before.devices === after.devices) return nothing;
  return world.hardware.flatMap(({ index }) =>
    isAwaited(after.devices[index]) && !isAwaited(before.devices[index])
      ? [requestLine(world, before, index)]
      : [],
  );
}

/** The request that a device be given back. */
export function requestLine(world: World, state: State, index: number): string {
  const asked = state.devices[index]?.vfio?.core?.request === true;
  const words = asked
    ? 'Relaying device request to user (#0)'
    : 'No device request channel registered, blocked until released by user';
  return `${place(world, state, index)}: ${words}`;
}

/** drivers/pci/iov.c:sriov_numvfs_store. */
function sriovLines(world: World, before: State, op: Op, guard: string): readonly string[] {
  const hardware = op.op === 'device.sriov_numvfs' ? deviceAt(world, before, op.device) : undefined;
  if (hardware === undefined || op.op !== 'device.sriov_numvfs') return [];
  const enabled = before.devices[hardware.index]?.settings.virtualFunctions ?? 0;
  const wanted = wholeNumber(op.text) ?? 0n;
  const words: Readonly<Record<string, string>> = {
    'no-driver': 'no driver bound to device; cannot configure SR-IOV',
    driver: 'driver does not support SR-IOV configuration via sysfs',
    enabled: `${enabled} VFs already enabled. Disable before enabling ${wanted} VFs`,
  };
  const said = words[guard.slice(guard.lastIndexOf('.') + 1)];
  return said === undefined ? [] : [`${place(world, before, hardware.index)}: ${said}`];
}

/** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_validate_vf_token; the kernel says it so often a second at most. */
function tokenLines(world: World, before: State, index: number, guard: string): readonly string[] {
  const virtual = (world.hardware[index]?.physicalFunction ?? null) !== null;
  const words: Readonly<Record<string, string>> = {
    'token-required': 'VF token required to access device',
    token: 'Incorrect VF token provided for device',
    'token-unasked': `VF token incorrectly provided, ${virtual ? 'PF not bound to vfio-pci' : 'not a PF or VF'}`,
  };
  const said = words[guard.slice(guard.lastIndexOf('.') + 1)];
  return said === undefined ? [] : [`${place(world, before, index)}: ${said}`];
}

/** What the kernel puts before a device's lines: its driver or bus, and its name (drivers/base/core.c:dev_driver_string). */
function place(world: World, state: State, index: number): string {
  return `${state.devices[index]?.driver ?? 'pci'} ${world.hardware[index]?.address}`;
}

/** vfio_pin_pages_remote tells the limit in whole pages. */
function overLimit(world: World, pid: number): string {
  const limit = Math.floor((world.processes.get(pid)?.memlock ?? 0) / 4096) * 4096;
  return `${world.profile.pinningFunction}: RLIMIT_MEMLOCK (${limit}) exceeded`;
}
