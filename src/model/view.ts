import { besideOf, configurationPaths, shownConfiguration } from './configuration.ts';
import { deviceFiles, shownFile } from './device-files.ts';
import { isListed, linkedDriver } from './leaving.ts';
import { hasDirectory } from './matching.ts';
import { isGoing, loaded, moduleOf, parameterOf } from './modules.ts';
import { cdevPath, kvmPath, nodeAt } from './nodes.ts';
import type { Op } from './op.ts';
import type { Device, Hardware, IommuGroup, Node, State, World } from './state.ts';
import { step } from './step.ts';

/**
 * What files show: the model seen through sysfs, /dev and /proc. `show` is what a reader of a live machine compares with
 * what it reads there.
 */

/**
 * A file's text without its final newline, a link's last component, `660 1000:1000` for a node, `directory` for a
 * directory, null for what is absent or not the model's.
 */
export function show(world: World, state: State, path: string): string | null {
  return showParts(world, state, path, path.split('/'));
}

/** As `show`, of a path that is cut at its slashes already: the first part is what is before the first. */
function showParts(world: World, state: State, path: string, parts: readonly string[]): string | null {
  switch (parts[1]) {
    case 'dev':
      return nodeText(nodeAt(state, path)?.node ?? null);
    case 'proc':
      return path === '/proc/sys/kernel/tainted' ? `${state.taint}` : null;
    case 'etc':
      return shownConfiguration(state, path);
    case 'sys':
      return showSys(world, state, parts.slice(2));
    default:
      return null;
  }
}

/**
 * The paths that an operation names or changes, sorted: what is worth reading before and after it. Of a refused operation
 * only what it names.
 */
export function touched(world: World, before: State, op: Op): readonly string[] {
  const { state: after } = step(world, before, op);
  const paths = new Set(named(op));
  if (after !== before) {
    for (const path of changeable(world, before, after)) {
      const parts = path.split('/');
      if (showParts(world, before, path, parts) !== showParts(world, after, path, parts)) paths.add(path);
    }
  }
  return [...paths].sort();
}

/**
 * What an operation leaves behind that its undo does not take back, as sentences. That the kernel logs it is no such
 * thing: a log tells what was, and `logOf` says what it will tell.
 */
export function lastingOf(world: World, before: State, op: Op): readonly string[] {
  const { state: after } = step(world, before, op);
  const lasting: string[] = [];
  if (after.taint !== before.taint) {
    lasting.push(`the kernel stays tainted (${after.taint} in /proc/sys/kernel/tainted) until the next boot`);
  }
  return lasting;
}

function showSys(world: World, state: State, parts: readonly string[]): string | null {
  const [first, second, third, ...rest] = parts;
  if (first === 'bus' && second === 'pci' && third === 'devices') return showDevice(world, state, rest);
  if (first === 'bus' && second === 'pci' && third === 'drivers_autoprobe') {
    return rest.length === 0 ? `${state.bus.autoprobe ? 1 : 0}` : null;
  }
  if (first === 'bus' && second === 'pci' && third === 'drivers') return showDriver(world, state, rest);
  if (first === 'kernel' && second === 'iommu_groups') return showGroup(world, state, [third ?? '', ...rest]);
  if (first === 'module') return showModule(world, state, [second ?? '', third, ...rest]);
  if (first === 'class' && second === 'vfio' && rest.length === 0) {
    return state.groups.some((group) => group?.node && group.name === third) ? 'directory' : null;
  }
  return null;
}

function showDevice(
  world: World,
  state: State,
  [address, file, entry, ...more]: readonly string[],
): string | null {
  const hardware = world.devices.get(address ?? '');
  const device = hardware && state.devices[hardware.index];
  if (hardware === undefined || device?.present !== true || more.length > 0) return null;
  if (file === 'vfio-dev' && world.profile.vfioDev && device.vfio !== null && isListed(world, device)) {
    return entry === undefined || entry === device.vfio.name ? 'directory' : null;
  }
  if (entry !== undefined) return null;
  switch (file) {
    case undefined:
      return 'directory';
    case 'driver':
      return linkedDriver(device);
    case 'driver_override':
      return device.override ?? '(null)';
    case 'iommu_group':
      return device.group === null ? null : `${device.group}`;
    default:
      return shownFile(world, hardware, device, file);
  }
}

function showDriver(world: World, state: State, [name, entry, ...more]: readonly string[]): string | null {
  const driver = world.drivers.get(name ?? '');
  if (driver === undefined || more.length > 0 || !hasDirectory(world, state, driver)) return null;
  if (entry === undefined) return 'directory';
  const hardware = world.devices.get(entry);
  const device = hardware && state.devices[hardware.index];
  return device !== undefined && linkedDriver(device) === driver.name ? entry : null;
}

function showGroup(
  world: World,
  state: State,
  [name, file, entry, ...more]: readonly string[],
): string | null {
  const number = Number(name);
  const group = state.iommuGroups.find(({ id }) => id === number);
  // `07` is no name of group 7.
  if (group === undefined || `${number}` !== name || more.length > 0) return null;
  if (file === 'devices' && entry !== undefined) {
    return group.devices.some((index) => world.hardware[index]?.address === entry) ? entry : null;
  }
  if (entry !== undefined) return null;
  switch (file) {
    case undefined:
    case 'devices':
      return 'directory';
    case 'name':
      return group.name;
    case 'type':
      return group.type;
    default:
      return null;
  }
}

function showModule(
  world: World,
  state: State,
  [name, file, entry, ...more]: readonly (string | undefined)[],
): string | null {
  if (name === undefined || name.includes('-') || more.length > 0 || loaded(world, state, name) === null)
    return null;
  if (file === undefined) return 'directory';
  // Built in it has no such file.
  if (file === 'initstate' && entry === undefined && moduleOf(world, name)?.builtIn === false)
    return isGoing(state, name) ? 'going' : 'live';
  if (file !== 'parameters' || entry === undefined) return null;
  return parameterOf(world, state, name, entry);
}

function nodeText(node: Node | null): string | null {
  return node === null ? null : `${node.mode.toString(8)} ${node.uid}:${node.gid}`;
}

/** The files that an operation itself names. */
function named(op: Op): readonly string[] {
  switch (op.op) {
    case 'module.load':
      return [`/sys/module/${op.module.replaceAll('-', '_')}`];
    case 'module.unload':
      return [op.module, ...(op.also ?? [])].map((name) => `/sys/module/${name.replaceAll('-', '_')}`);
    case 'parameter.write':
      return [`/sys/module/${op.module.replaceAll('-', '_')}/parameters/${op.parameter}`];
    case 'override.write':
      return [`/sys/bus/pci/devices/${op.device}/driver_override`];
    case 'driver.bind':
    case 'driver.unbind':
    case 'drivers.probe':
    case 'device.remove':
      return [`/sys/bus/pci/devices/${op.device}/driver`];
    case 'node.own':
    case 'open':
    case 'config.make_directory':
    case 'config.remove_directory':
      return [op.path];
    case 'config.write':
    case 'config.remove':
      // What a process that was stopped in the middle would leave is looked for, too.
      return [op.path, besideOf(op.path)];
    default:
      return [];
  }
}

/** Every path whose text may differ between two states. */
function* changeable(world: World, before: State, after: State): Iterable<string> {
  yield '/proc/sys/kernel/tainted';
  for (const hardware of before.devices === after.devices ? [] : world.hardware) {
    const was = before.devices[hardware.index];
    const is = after.devices[hardware.index];
    if (was !== is) yield* devicePaths(hardware, was, is);
  }
  if (before.bus !== after.bus) yield '/sys/bus/pci/drivers_autoprobe';
  if (before.bus.unloading !== after.bus.unloading) {
    for (const { modules } of [...before.bus.unloading, ...after.bus.unloading])
      yield `/sys/module/${modules[0]}/initstate`;
  }
  if (before.configuration !== after.configuration) yield* configurationPaths(before, after);
  yield* changedNodes(before, after);
  for (const id of changedGroups(before, after)) {
    for (const file of ['', '/name', '/type']) yield `/sys/kernel/iommu_groups/${id}${file}`;
  }
  for (const { name, index } of before.modules === after.modules ? [] : world.modules.values()) {
    const was = before.modules[index];
    const is = after.modules[index];
    if (was === is) continue;
    yield `/sys/module/${name}`;
    for (const parameter of Object.keys({ ...was, ...is }))
      yield `/sys/module/${name}/parameters/${parameter}`;
    for (const driver of world.drivers.values()) {
      if (driver.module === name) yield `/sys/bus/pci/drivers/${driver.name}`;
    }
  }
}

/** Nodes of what differs: comparing all of them would make a plan's cost quadratic in its functions. */
function* changedNodes(before: State, after: State): Iterable<string> {
  if (before.containerNode !== after.containerNode) yield '/dev/vfio/vfio';
  if (before.iommuNode !== after.iommuNode) yield '/dev/iommu';
  if (before.kvmNode !== after.kvmNode) yield kvmPath;
  const count = Math.max(before.groups.length, after.groups.length);
  for (let minor = 0; minor < count; minor += 1) {
    const was = before.groups[minor];
    const is = after.groups[minor];
    if (was === is) continue;
    for (const group of [was, is]) {
      if (group?.node) yield* [`/dev/vfio/${group.name}`, `/sys/class/vfio/${group.name}`];
    }
  }
}

/** Ids of IOMMU groups that came, went or changed. */
function* changedGroups(before: State, after: State): Iterable<number> {
  const [were, are] = [before.iommuGroups, after.iommuGroups];
  if (were === are) return;
  const rest = new Map<number, IommuGroup>();
  for (let place = 0; place < were.length; place += 1) {
    const was = were[place];
    // Most stay what they are, and where they are.
    if (was !== undefined && was !== are[place]) rest.set(was.id, was);
  }
  for (let place = 0; place < are.length; place += 1) {
    const is = are[place];
    if (is === undefined || is === were[place]) continue;
    if (rest.get(is.id) !== is) yield is.id;
    rest.delete(is.id);
  }
  yield* rest.keys();
}

function* devicePaths({ address }: Hardware, ...devices: readonly (Device | undefined)[]): Iterable<string> {
  const directory = `/sys/bus/pci/devices/${address}`;
  yield `${directory}/driver`;
  yield `${directory}/driver_override`;
  yield `${directory}/iommu_group`;
  for (const file of deviceFiles) yield `${directory}/${file}`;
  for (const device of devices) {
    if (device?.vfio) yield `${directory}/vfio-dev/${device.vfio.name}`;
    if (device?.vfio?.node) yield cdevPath(device.vfio);
  }
}
