/** /sys/devices/pci*, where functions lie behind their bridges, and /sys/bus/pci, where they lie by address. */
import { isUnknown, type PciFunction } from '../../../src/machine/snapshot.ts';
import { linkedDriver } from '../../../src/model/leaving.ts';
import { hasDirectory, isBindable, registered } from '../../../src/model/matching.ts';
import { collection, directory, kept, link, takes } from './build.ts';
import type { Machine } from './machine.ts';
import type { Attribute, Directory, Node } from './node.ts';
import { functionEntry, functionNames, type Placed } from './pci-function.ts';

/** Files that a function may lose, or come back without. */
const renewed: ReadonlySet<string> = new Set(['remove', 'reset', 'reset_method']);

export class PciBus {
  private readonly machine: Machine;
  private readonly functions = new Map<string, Placed>();
  /** Names of the functions directly in a directory of /sys/devices, by its path. */
  private readonly inside = new Map<string, Set<string>>();
  private readonly directories = new Map<string, Directory>();

  constructor(machine: Machine) {
    this.machine = machine;
    const paths = placeFunctions(machine.functions);
    for (const pci of machine.functions) {
      const hardware = machine.world.devices.get(pci.address);
      const path = paths.get(pci.address);
      if (hardware === undefined || path === undefined) continue;
      const parent = isUnknown(pci.physicalFunction) ? null : pci.physicalFunction;
      this.functions.set(pci.address, {
        pci,
        hardware,
        path,
        virtualFunctions: hardware.virtualFunctions.flatMap((index) => {
          const virtual = machine.world.hardware[index];
          const at = virtual === undefined ? undefined : paths.get(virtual.address);
          return virtual === undefined || at === undefined ? [] : [{ hardware: virtual, path: at }];
        }),
        physicalFunction: parent === null ? undefined : paths.get(parent),
      });
      this.put(path);
    }
  }

  /** Where a function's directory is. */
  pathOf(address: string): string | undefined {
    return this.functions.get(address)?.path;
  }

  /** /sys/devices: the host bridges. */
  readonly devices: Directory = collection(
    () => [...(this.inside.get('/sys/devices') ?? [])],
    (name) => (this.inside.get('/sys/devices')?.has(name) ? this.at(`/sys/devices/${name}`) : undefined),
  );

  /** /sys/bus/pci. */
  readonly bus: Directory = kept(
    directory({
      devices: kept(
        collection(
          () => [...this.functions.keys()].filter((address) => this.there(address)),
          (address) => this.byAddress(address),
        ),
      ),
      drivers: collection(
        () =>
          [...this.machine.world.drivers.values()]
            .filter((its) => hasDirectory(this.machine.world, this.machine.state, its))
            .map(({ name }) => name),
        (name) => this.driver(name),
      ),
      drivers_probe: this.writeOnly((address, pid) =>
        this.machine.value({ op: 'drivers.probe', pid, device: address }),
      ),
      drivers_autoprobe: takes(
        0o644,
        (text, pid) => this.machine.value({ op: 'bus.autoprobe', pid, text }),
        () => `${this.machine.state.bus.autoprobe ? 1 : 0}\n`,
      ),
      rescan: takes(0o200, (text, pid) => this.machine.value({ op: 'bus.rescan', pid, text })),
    }),
  );

  /** Notes a directory in its parent, and the parent in its own. */
  private put(path: string): void {
    const cut = path.lastIndexOf('/');
    const parent = path.slice(0, cut);
    if (!parent.startsWith('/sys/devices')) return;
    const names = this.inside.get(parent) ?? new Set();
    this.inside.set(parent, names.add(path.slice(cut + 1)));
    if (parent !== '/sys/devices') this.put(parent);
  }

  /** A host bridge, or a function with what lies behind it. */
  private at(path: string): Directory {
    const made = this.directories.get(path) ?? this.makeAt(path);
    this.directories.set(path, made);
    return made;
  }

  private makeAt(path: string): Directory {
    const its = this.functions.get(path.slice(path.lastIndexOf('/') + 1));
    const behind = this.inside.get(path) ?? new Set<string>();
    const files = new Map<string, Attribute>();
    const entry = (name: string): Node | undefined => {
      const made = its === undefined ? undefined : functionEntry(this.machine, its, name);
      if (made?.kind !== 'attribute') return made;
      const stays = kept(made);
      if (!renewed.has(name)) files.set(name, stays);
      return stays;
    };
    return kept(
      collection(
        () => [
          ...(its === undefined ? [] : functionNames(this.machine, its)),
          ...[...behind].filter((name) => this.there(name)),
        ],
        // A function's files stay as long as it, whatever they say; its links and directories come and go.
        (name) => {
          if (behind.has(name)) return this.there(name) ? this.at(`${path}/${name}`) : undefined;
          return files.get(name) ?? entry(name);
        },
      ),
    );
  }

  private byAddress(address: string): Node | undefined {
    const its = this.functions.get(address);
    if (its === undefined || !this.machine.present(its.hardware)) return undefined;
    const here = '/sys/bus/pci/devices';
    return its.path === `${here}/${address}` ? this.at(its.path) : kept(link(here, its.path));
  }

  /** Whether what has this name is there: a function that is absent is not, a host bridge always is. */
  private there(name: string): boolean {
    const its = this.functions.get(name);
    return its === undefined || this.machine.present(its.hardware);
  }

  private driver(name: string): Directory | undefined {
    const driver = this.machine.world.drivers.get(name);
    const { world, state } = this.machine;
    if (driver === undefined || !hasDirectory(world, state, driver)) return undefined;
    const here = `/sys/bus/pci/drivers/${name}`;
    const bound = (its: Placed) => linkedDriver(this.machine.device(its.hardware)) === name;
    const files: Record<string, Node | undefined> = {
      ...(isBindable(world, state, driver) ? this.bindFiles(name) : {}),
      ...(registered(world, state, driver) ? this.idFiles(name) : {}),
      module: driver.module === null ? undefined : link(here, `/sys/module/${driver.module}`),
    };
    const fixed = Object.keys(files).filter((file) => files[file] !== undefined);
    return collection(
      () => [...fixed, ...[...this.functions.values()].filter(bound).map(({ pci }) => pci.address)],
      (entry) => {
        if (Object.hasOwn(files, entry)) return files[entry];
        const its = this.functions.get(entry);
        return its !== undefined && bound(its) ? link(here, its.path) : undefined;
      },
    );
  }

  private bindFiles(name: string): Record<string, Node> {
    return {
      bind: this.writeOnly((device, pid) =>
        this.machine.value({ op: 'driver.bind', pid, driver: name, device }),
      ),
      unbind: this.writeOnly((device, pid) =>
        this.machine.value({ op: 'driver.unbind', pid, driver: name, device }),
      ),
    };
  }

  private idFiles(name: string): Record<string, Node> {
    return {
      new_id: takes(0o200, (text, pid) =>
        this.machine.value({ op: 'driver.new_id', pid, driver: name, text }),
      ),
      remove_id: takes(0o200, (text, pid) =>
        this.machine.value({ op: 'driver.remove_id', pid, driver: name, text }),
      ),
    };
  }

  /** Takes a device's address, with or without one newline (lib/string_helpers.c:sysfs_streq). */
  private writeOnly(write: (address: string, pid: number) => number): Attribute {
    return {
      kind: 'attribute',
      mode: 0o200,
      size: 4096,
      write: (text, pid) => Math.min(0, write(text.replace(/\n$/, ''), pid)),
    };
  }
}

/**
 * Directories of the functions. A function whose place is not known has none under /sys/devices and is itself the entry
 * of /sys/bus/pci/devices, which Linux has as a link: so its place is not to be read from it. A bridge that the
 * snapshot does not list is a directory without files, named by what is known of its address.
 */
function placeFunctions(functions: readonly PciFunction[]): ReadonlyMap<string, string> {
  const bySlot = new Map<string, string>();
  for (const { address, slot } of functions) if (!isUnknown(slot)) bySlot.set(slot.join('/'), address);
  const placed = functions.map(({ address, slot }): [string, string] => {
    if (isUnknown(slot) || slot.length < 2) return [address, `/sys/bus/pci/devices/${address}`];
    const [host = ''] = slot;
    const bridges = slot.slice(1, -1).map((place, depth) => {
      const listed = bySlot.get(slot.slice(0, depth + 2).join('/'));
      // The root bus has its number in its name.
      return listed ?? (depth === 0 ? `${host.replace(/^pci/, '')}:${place}` : place);
    });
    return [address, `/sys/devices/${[host, ...bridges, address].join('/')}`];
  });
  return new Map(placed);
}
