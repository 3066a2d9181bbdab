import { dynamicIds, matchesId } from './dynamic-ids.ts';
import { isListed } from './leaving.ts';
import { loadOrder } from './modules.ts';
import type { Op } from './op.ts';
import { enabledVirtualFunctions, goingWith, goingWithDriver, onBusBehind } from './presence.ts';
import type { Device, Hardware, State, VfioDevice, World } from './state.ts';
import { goingWithModules, unloadedBy } from './unloading.ts';

/**
 * What the kernel tells udev of one step (lib/kobject_uevent.c), in its order and as far as udev makes or takes away nodes
 * and links by it. IOMMU groups send nothing. A pure function of the states before and after.
 */
export interface Uevent {
  readonly action: 'add' | 'remove' | 'change' | 'bind' | 'unbind';
  readonly subsystem: 'pci' | 'vfio' | 'vfio-dev' | 'misc' | 'module' | 'drivers';
  /** KERNEL: the last component of DEVPATH. */
  readonly name: string;
  /** DEVNAME, below /dev. */
  readonly node?: string;
  /** DRIVER of a PCI function that has one. */
  readonly driver?: string;
}

export function ueventsOf(world: World, before: State, op: Op, after: State): readonly Uevent[] {
  if (before === after) return [];
  const step = new Step(world, before, op, after);
  return [...step.gone(), ...step.modulesGone(), ...step.modulesCome(), ...step.come(), ...step.changed()];
}

class Step {
  private readonly world: World;
  private readonly before: State;
  private readonly op: Op;
  private readonly after: State;
  /** Devices of each VFIO group, by minor, as the step goes on. */
  private readonly members: number[];

  constructor(world: World, before: State, op: Op, after: State) {
    this.world = world;
    this.before = before;
    this.op = op;
    this.after = after;
    this.members = before.groups.map((group) => group?.devices.length ?? 0);
  }

  /** Drivers let go of all devices before the first one is removed, but virtual functions go one by one. */
  gone(): readonly Uevent[] {
    const events: Uevent[] = [];
    const removed = new Set<Hardware>();
    for (const hardware of this.leaving()) {
      const was = this.before.devices[hardware.index];
      const is = this.after.devices[hardware.index];
      if (was === undefined || is === undefined || was === is) continue;
      if (was.driver !== null && was.driver !== is.driver) events.push(...this.unbound(hardware, was));
      else events.push(...this.unlisted(was, is));
      if (!was.present || is.present) continue;
      if (hardware.physicalFunction === null) removed.add(hardware);
      else events.push({ action: 'remove', subsystem: 'pci', name: hardware.address });
    }
    // A bridge is the last of what goes with it.
    const first = [...removed].reverse().flatMap((hardware) => this.behindFirst(hardware));
    for (const { address } of new Set(first.filter((its) => removed.has(its)))) {
      events.push({ action: 'remove', subsystem: 'pci', name: address });
    }
    return events;
  }

  /** drivers/pci/remove.c:pci_remove_bus_device: what is behind a bridge before it, in the order of its bus. */
  private behindFirst(hardware: Hardware): readonly Hardware[] {
    const behind = onBusBehind(this.world, this.before, hardware);
    return [...behind.flatMap((its) => this.behindFirst(its)), hardware];
  }

  /** Those that the operation names last, behind what goes with them; what a close lets go of in the same order. */
  private leaving(): readonly Hardware[] {
    const { world, before, op } = this;
    const named = 'device' in op && op.device !== undefined ? world.devices.get(op.device) : undefined;
    if (named === undefined) {
      const removed = before.bus.removing.flatMap(({ device }) => world.hardware[device] ?? []);
      const order = [
        ...removed.flatMap((hardware) => [...goingWith(world, before, hardware), hardware]),
        ...goingWithModules(world, before, unloadedBy(op, before)),
      ];
      const rest = world.hardware.flatMap((hardware) => [
        ...enabledVirtualFunctions(world, before, hardware),
        hardware,
      ]);
      return [...new Set([...order, ...rest])];
    }
    if (op.op === 'device.sriov_numvfs') return enabledVirtualFunctions(world, before, named);
    const others = op.op === 'device.remove' ? goingWith : goingWithDriver;
    return [...others(world, before, named), named];
  }

  /** drivers/vfio/vfio_main.c:vfio_unregister_group_dev, drivers/base/dd.c:__device_release_driver. */
  private unbound({ address }: Hardware, device: Device): readonly Uevent[] {
    const events: Uevent[] = [];
    const { vfio } = device;
    if (vfio !== null) {
      if (this.world.profile.vfioDev && isListed(this.world, device)) events.push(vfioDevice('remove', vfio));
      const left = (this.members[vfio.group] ?? 1) - 1;
      this.members[vfio.group] = left;
      const name = this.before.groups[vfio.group]?.name;
      if (left === 0 && name !== undefined) events.push(group('remove', name));
    }
    return [...events, { action: 'unbind', subsystem: 'pci', name: address }];
  }

  /** Of a device that is waited for from now on. */
  private unlisted(was: Device, is: Device): readonly Uevent[] {
    if (was.vfio === null || is.vfio === null) return [];
    return isListed(this.world, was) && !isListed(this.world, is) ? [vfioDevice('remove', was.vfio)] : [];
  }

  modulesGone(): readonly Uevent[] {
    return this.modules(this.before, this.after).flatMap((name): Uevent[] => [
      ...this.driversOf(name).map(
        (driver) => ({ action: 'remove', subsystem: 'drivers', name: driver }) as const,
      ),
      ...(name === 'vfio' ? [container('remove')] : []),
      { action: 'remove', subsystem: 'module', name },
    ]);
  }

  /** The devices that a driver takes when it registers are bound before it is told of itself (bus_add_driver). */
  modulesCome(): readonly Uevent[] {
    return this.modules(this.after, this.before).flatMap((name): Uevent[] => [
      { action: 'add', subsystem: 'module', name },
      ...(name === 'vfio' ? [container('add')] : []),
      ...this.driversOf(name).flatMap((driver): Uevent[] => [
        ...this.boundTo(driver, (hardware) => !this.byId(driver, hardware)),
        { action: 'add', subsystem: 'drivers', name: driver },
        ...dynamicIds(this.after, driver).flatMap((_id, place, all) =>
          this.boundTo(
            driver,
            (hardware) =>
              this.byId(driver, hardware) &&
              all.findIndex((other) => matchesId(other, hardware.id)) === place,
          ),
        ),
      ]),
    ]);
  }

  /** Modules that were loaded, in the order in which modprobe did it, or unloaded. */
  private modules(has: State, lacks: State): readonly string[] {
    const { world, before, op } = this;
    if (has.modules === lacks.modules) return [];
    const loads = op.op === 'module.load' || op.op === 'open';
    const names = loads
      ? loadOrder(world, before, op.op === 'module.load' ? op.module : 'vfio').map(({ name }) => name)
      : unloadedBy(op, before);
    return names.filter((name) => {
      const place = world.modules.get(name)?.index ?? -1;
      return has.modules[place] !== null && lacks.modules[place] === null;
    });
  }

  private driversOf(module: string): readonly string[] {
    return [...this.world.drivers.values()].flatMap((its) => (its.module === module ? [its.name] : []));
  }

  private boundTo(driver: string, which: (hardware: Hardware) => boolean): readonly Uevent[] {
    return this.order().flatMap((hardware) => {
      const is = this.after.devices[hardware.index];
      return is?.driver === driver && which(hardware) ? this.bound(hardware, is) : [];
    });
  }

  /** Whether it is an id given at load time that makes the driver match, which it gets once it is there. */
  private byId(driver: string, hardware: Hardware): boolean {
    return this.after.devices[hardware.index]?.override === null && !hardware.drivers.includes(driver);
  }

  /** drivers/base/core.c:device_add, then the driver; a scan adds all that it finds before it asks a driver. */
  come(): readonly Uevent[] {
    const loaded = new Set(this.modules(this.after, this.before));
    const added: Uevent[] = [];
    const bound: Uevent[] = [];
    for (const hardware of this.order()) {
      const was = this.before.devices[hardware.index];
      const is = this.after.devices[hardware.index];
      if (was === undefined || is === undefined || was === is) continue;
      const events = this.op.op === 'bus.rescan' ? added : bound;
      if (!was.present && is.present) events.push(...arrived(hardware));
      const module = is.driver === null ? null : this.world.drivers.get(is.driver)?.module;
      const told = module !== null && module !== undefined && loaded.has(module);
      if (is.driver !== null && is.driver !== was.driver && !told) bound.push(...this.bound(hardware, is));
    }
    return [...added, ...bound];
  }

  /** The devices as the bus has them after the step. */
  private order(): readonly Hardware[] {
    const late = this.after.bus.arrived;
    const first = this.world.hardware.filter(({ index }) => !late.includes(index));
    return [...first, ...late.flatMap((index) => this.world.hardware[index] ?? [])];
  }

  /** __vfio_register_dev makes group and device; drivers/base/dd.c:driver_bound comes at the end. */
  private bound({ address }: Hardware, { driver, vfio }: Device): readonly Uevent[] {
    const events: Uevent[] = [];
    if (vfio !== null) {
      const before = this.members[vfio.group] ?? 0;
      this.members[vfio.group] = before + 1;
      const name = this.after.groups[vfio.group]?.name;
      if (before === 0 && name !== undefined) events.push(group('add', name));
      if (this.world.profile.vfioDev) events.push(vfioDevice('add', vfio));
    }
    return [
      ...events,
      { action: 'bind', subsystem: 'pci', name: address, ...(driver === null ? {} : { driver }) },
    ];
  }

  /** drivers/pci/iov.c:sriov_enable, after the last virtual function. */
  changed(): readonly Uevent[] {
    const { op } = this;
    const hardware = op.op === 'device.sriov_numvfs' ? this.world.devices.get(op.device) : undefined;
    const is = hardware && this.after.devices[hardware.index];
    const was = hardware && this.before.devices[hardware.index];
    // Where they are to go, and one is waited for, there are some yet.
    if (hardware === undefined || is === undefined || was?.settings.virtualFunctions !== 0) return [];
    if (is.settings.virtualFunctions === 0) return [];
    const driver = is.driver === null ? {} : { driver: is.driver };
    return [{ action: 'change', subsystem: 'pci', name: hardware.address, ...driver }];
  }
}

/** A virtual function is told a second time when its links are made (drivers/pci/iov.c:pci_iov_sysfs_link). */
function arrived({ address, physicalFunction }: Hardware): readonly Uevent[] {
  const add = { action: 'add', subsystem: 'pci', name: address } as const;
  return physicalFunction === null ? [add] : [add, { ...add, action: 'change' }];
}

function group(action: 'add' | 'remove', name: string): Uevent {
  return { action, subsystem: 'vfio', name, node: `vfio/${name}` };
}

function container(action: 'add' | 'remove'): Uevent {
  return { action, subsystem: 'misc', name: 'vfio', node: 'vfio/vfio' };
}

function vfioDevice(action: 'add' | 'remove', { name, node }: VfioDevice): Uevent {
  const event = { action, subsystem: 'vfio-dev', name } as const;
  return node === null ? event : { ...event, node: `vfio/devices/${name}` };
}
