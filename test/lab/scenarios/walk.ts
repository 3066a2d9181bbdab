import { requests } from '../../../runtime/abi/ioctl.ts';
import type { Call } from '../calls.ts';
import { Both, describeCall } from '../guest/both.ts';
import type { Guest } from '../guest/guest.ts';
import { liveSnapshot } from '../guest/live.ts';
import { behindRootPort, intelChipset, intelCommandLine, noIommuChipset, outsideIommu } from '../machines.ts';
import type { Scenario } from '../scenario.ts';
import type { Line } from '../vectors.ts';

/**
 * Calls drawn by lot, thousands in a row, each on the model and on the kernel: what no table thought of. A wrong
 * answer of the model shows with the calls that led to it; the seed makes the same walk again.
 */
const STEPS = 1500;
const HISTORY = 12;

function walk(
  name: string,
  machine: readonly string[],
  commandLine: string,
  devices: readonly string[],
): Scenario {
  return {
    name,
    about: `${STEPS} calls drawn by lot, the model against the kernel`,
    machine,
    commandLine,
    run: async (guest) => {
      const seed = guest.seed;
      const both = new Both(guest.backend, liveSnapshot());
      guest.same('the modules load', both.run({ call: { op: 'module.load', module: 'vfio_pci' } }), []);
      stroll(guest, both, new Lot(seed), devices);
    },
  };
}

function stroll(guest: Guest, both: Both, lot: Lot, devices: readonly string[]): void {
  const path: string[] = [];
  for (let made = 0; made < STEPS; ) {
    const line = draw(lot, both, devices);
    if (both.blocks(line)) continue;
    made += 1;
    const words = describeCall(line.call) + (line.unprivileged ? ' without CAP_SYS_RAWIO' : '');
    const differs = both.run(line);
    path.push(`${words} = ${both.latest}`);
    const after = differs.length === 0 ? [] : [`after ${path.slice(-HISTORY, -1).join(' | ')}`];
    guest.step(`${guest.seed}/${made}: ${words}`, [...differs, ...after]);
    // Once they have parted, everything after differs too and tells nothing.
    if (differs.length > 0) return;
  }
}

/** One seed, one walk (mulberry32). */
class Lot {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 up to but without `below`. */
  number(below: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  }

  of<T>(...choices: readonly [T, ...T[]]): T {
    return choices[this.number(choices.length)] ?? choices[0];
  }
}

const containers = ['c', 'c2'] as const;
const groups = ['g', 'g2', 'g3'] as const;
const descriptors = [...containers, ...groups, 'd', 'd2'] as const;

/** Mostly what can succeed in the state at hand: a walk that is always refused sees little. */
function draw(lot: Lot, both: Both, devices: readonly string[]): Line {
  const device = devices[lot.number(devices.length)] ?? '';
  const kind = lot.number(100);
  const unprivileged = lot.number(8) === 0 ? { unprivileged: true as const } : {};
  if (kind < 30) return { call: deed(lot, both, device), ...unprivileged };
  if (kind < 48) return { ...opening(lot, both, device), ...unprivileged };
  return { ...use(lot, both, device), ...unprivileged };
}

function deed(lot: Lot, both: Both, device: string): Call {
  const bound = both.predict(`/sys/bus/pci/devices/${device}/driver`);
  const driver = lot.of('vfio-pci', 'vfio-pci', 'e1000e', 'pci-stub');
  switch (lot.number(12)) {
    case 0:
    case 1: {
      const text = lot.of('vfio-pci', 'vfio-pci', 'vfio-pci', '', 'pci-stub', 'e1000e', 'none-such');
      return { op: 'override.write', device, text };
    }
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      if (bound === null || lot.number(6) === 0) return { op: 'driver.bind', driver, device };
      return { op: 'driver.unbind', driver: lot.number(6) === 0 ? driver : bound, device };
    case 7:
      return { op: 'drivers.probe', device };
    case 8:
      return lot.number(6) === 0
        ? { op: 'module.unload', module: lot.of('vfio_pci', 'vfio', 'vfio_iommu_type1', 'none_such') }
        : { op: 'module.load', module: 'vfio_pci' };
    default: {
      const text = lot.of('Y', 'Y', 'Y', 'Y', 'N', '2');
      return { op: 'parameter.write', module: 'vfio', parameter: 'enable_unsafe_noiommu_mode', text };
    }
  }
}

/** Nodes that exist, now and then one that does not; a name that is in use is closed first. */
function opening(lot: Lot, both: Both, device: string): Line {
  const group = both.predict(`/sys/bus/pci/devices/${device}/iommu_group`) ?? '77';
  const nodes = [`/dev/vfio/${group}`, `/dev/vfio/noiommu-${group}`];
  const node = nodes.find((path) => both.predict(path) !== null) ?? nodes[lot.number(2)] ?? '';
  const wantsGroup = both.predict(node) !== null ? lot.number(4) > 0 : lot.number(8) === 0;
  const as = wantsGroup ? lot.of(...groups) : lot.of(...containers);
  if (both.holds(as)) return lot.number(3) === 0 ? { call: { op: 'close', fd: as } } : use(lot, both, device);
  return { call: { op: 'open', path: wantsGroup ? node : '/dev/vfio/vfio' }, as };
}

/** A name of that kind whose descriptor is open, else any; now and then one of another kind. */
function held(lot: Lot, both: Both, kind: readonly string[]): string {
  if (lot.number(15) === 0) return lot.of(...descriptors);
  const open = kind.filter((name) => both.holds(name));
  const among = open.length > 0 ? open : kind;
  return among[lot.number(among.length)] ?? 'c';
}

function use(lot: Lot, both: Both, device: string): Line {
  const container = held(lot, both, containers);
  const group = held(lot, both, groups);
  const argsz = lot.number(9) === 0 ? { argsz: lot.of(null, 7, 8, 15, 200) } : {};
  switch (lot.number(13)) {
    case 0:
    case 1: {
      const into = lot.number(15) === 0 ? -1 : container;
      return { call: { op: 'group.set_container', fd: group, container: into, ...nullOnly(argsz) } };
    }
    case 2:
    case 3:
      return { call: { op: 'container.set_iommu', fd: container, type: lot.of(1, 3, 8, 8, 0, 6, 9) } };
    case 4:
      return { call: { op: 'group.unset_container', fd: group } };
    case 5:
    case 6: {
      const as = lot.of('d', 'd2');
      if (both.holds(as)) return { call: { op: 'close', fd: as } };
      const name = lot.number(8) === 0 ? 'nope' : device;
      return { call: { op: 'group.get_device_fd', fd: group, name, ...nullOnly(argsz) }, as };
    }
    case 7:
      return { call: { op: 'group.get_status', fd: group, ...argsz } };
    case 8:
      return { call: { op: 'container.check_extension', fd: container, extension: lot.number(12) } };
    case 9:
      return { call: { op: 'close', fd: lot.of(...descriptors) } };
    case 10:
    case 11:
      return { call: mapping(lot, container, argsz) };
    default:
      return { call: other(lot, both, argsz) };
  }
}

function mapping(lot: Lot, fd: string, argsz: { argsz?: number | null }): Call {
  const size = lot.of(4096n, 8192n, 65536n, 0n, 100n);
  const iova = lot.of(0n, 4096n, 65536n, 0xfee00000n, 0x10n);
  if (lot.number(3) === 0)
    return { op: 'container.unmap_dma', fd, flags: lot.of(0, 0, 2, 1), iova, size, ...argsz };
  const flags = lot.of(3, 3, 1, 0, 8);
  return {
    op: 'container.map_dma',
    fd,
    flags,
    vaddr: 0n,
    iova,
    size,
    memory: lot.of('writable', 'read-only', 'none'),
    ...argsz,
  };
}

function other(lot: Lot, both: Both, argsz: { argsz?: number | null }): Call {
  const fd = held(lot, both, ['d', 'd2']);
  switch (lot.number(7)) {
    case 0:
      return { op: 'device.get_info', fd, ...argsz };
    case 1:
      return { op: 'device.region_info', fd, index: lot.number(11), ...argsz };
    case 2:
      return { op: 'device.irq_info', fd, index: lot.number(7), ...argsz };
    case 3:
      return { op: 'device.reset', fd };
    case 4:
      return {
        op: 'file.call',
        fd: held(lot, both, ['c', 'g', 'c2', 'g2']),
        call: lot.of('read', 'write', 'mmap', 'lseek'),
      };
    case 5:
      return { op: 'container.api_version', fd };
    default:
      return {
        op: 'ioctl',
        fd,
        request: lot.of(requests.VFIO_IOMMU_GET_INFO + 0x1000, 0x1234, 0xdead),
        ...nullOnly(argsz),
      };
  }
}

/** Where the argument is no structure, it can only be missing. */
function nullOnly({ argsz }: { argsz?: number | null }): { argsz?: null } {
  return argsz === null ? { argsz } : {};
}

export const walkWithoutIommu = walk(
  'a walk without an IOMMU',
  [...noIommuChipset, ...behindRootPort(1, 'e1000e'), ...behindRootPort(2, 'e1000e')],
  '',
  ['0000:01:00.0', '0000:02:00.0'],
);

export const walkBesideIntel = walk(
  'a walk with an Intel IOMMU',
  [
    ...intelChipset,
    ...behindRootPort(1, 'e1000e', 'e1000e'),
    ...behindRootPort(2, 'e1000e'),
    ...outsideIommu('e1000e'),
  ],
  intelCommandLine,
  ['0000:01:00.0', '0000:01:00.1', '0000:02:00.0', '0000:41:00.0'],
);
