/** What most sequences begin with, so that what is drawn meets open devices often: steps of a driver's way, and stray ones. */
import { cdevPath } from '../../src/model/nodes.ts';
import type { Op } from '../../src/model/op.ts';
import type { State, World } from '../../src/model/state.ts';
import { step } from '../../src/model/step.ts';
import type { Context, Maker } from '../runtime/kernel/random-context.ts';
import type { Cast } from '../runtime/kernel/random-operations.ts';
import { actors, regions } from './cast.ts';
import type { Lot } from './lot.ts';
import type { Theme } from './themes.ts';

const [{ pid }] = actors;

export function prelude(lot: Lot, world: World, start: State, cast: Cast): readonly Op[] {
  const way = new Way(lot, world, start);
  // One in six begins with nothing.
  if (lot.number(6) === 0) return [];
  if (lot.number(4) > 0) way.add(allowFake(world));
  // All of a group at once: one that keeps its host driver keeps the others from being used.
  const groups = new Map(cast.devices.map((device) => [way.of(device)?.group ?? device, lot.number(10) < 8]));
  const taken = cast.devices.filter((device) => groups.get(way.of(device)?.group ?? device) === true);
  for (const device of taken) if (lot.number(10) > 0) bindToVfio(way, device);
  const uses = lot.of([0, 1, 1, 1, 2, 2]);
  for (let use = 0; use < uses; use += 1) {
    const device = taken[lot.number(taken.length)];
    if (device === undefined) continue;
    const ways = world.profile.build.iommufd === 'n' ? [open] : [open, openWithIommufd, openCdev];
    lot.of(ways as [typeof open])(way, lot, device);
  }
  return way.ops;
}

/** The right steps before a theme's wrong ones: all devices at VFIO, one or two of them open. */
export function themedPrelude(lot: Lot, world: World, start: State, cast: Cast, theme: Theme): readonly Op[] {
  const way = new Way(lot, world, start);
  if (lot.number(4) > 0) way.add(allowFake(world));
  const there = cast.devices.filter((device) => way.of(device)?.present === true);
  if (theme.binds !== false) for (const device of there) bindToVfio(way, device);
  const pids = actors.map((actor) => actor.pid);
  const context = (): Context => {
    const [a, b, c] = [lot.number(10_000), lot.number(10_000), lot.number(10_000)];
    return { kind: 0, pid, a, b, c, pids, world, state: way.state, regions, cast };
  };
  for (const make of theme.before ?? []) way.add(make(context()));
  const came = cast.devices.filter((device) => way.of(device)?.present === true && !there.includes(device));
  for (const device of came) if (way.of(device)?.driver !== 'vfio-pci') bindToVfio(way, device);
  const ways = theme.ways.filter((name) => name === 'container' || world.profile.build.iommufd !== 'n');
  for (let use = 0; use < 1 + lot.number(2) && ways.length > 0; use += 1) {
    const device = cast.devices[lot.number(cast.devices.length)];
    const name = ways[lot.number(ways.length)];
    if (device === undefined || name === undefined) continue;
    if (name === 'cdev') openCdev(way, lot, device, theme.attaches ?? lot.number(4) > 0);
    else if (name === 'compat') openWithIommufd(way, lot, device);
    else open(way, lot, device);
  }
  const scripts = (theme.scripts ?? []).map((script) => script(context())).filter(({ length }) => length > 0);
  if (scripts.length > 0) {
    for (const make of lot.of(scripts as [Script])) way.add(make(context()), theme.goesOn);
  }
  return way.ops;
}

type Script = readonly Maker[];

class Way {
  readonly ops: Op[] = [];
  readonly world: World;
  state: State;
  private readonly lot: Lot;

  constructor(lot: Lot, world: World, start: State) {
    this.lot = lot;
    this.world = world;
    this.state = start;
  }

  /** Adds it, but now and then leaves it out; answers the value, -1 when there is none. `goesOn`: it may begin, and wait. */
  add(op: Op, goesOn = false): number {
    if (this.lot.number(20) === 0) return -1;
    const { result, state } = step(this.world, this.state, op);
    // What would not return can only end a sequence.
    if (!result.ok && 'blocks' in result && !(goesOn && state !== this.state)) return -1;
    this.ops.push(op);
    this.state = state;
    return result.ok ? result.value : -1;
  }

  of(device: string) {
    return this.state.devices[this.world.devices.get(device)?.index ?? -1];
  }
}

const allowFake = ({ profile }: World): Op => ({
  op: 'parameter.write',
  pid,
  module: 'vfio',
  parameter: profile.noiommuParameter,
  text: 'Y',
});

function bindToVfio(way: Way, device: string): void {
  const bound = way.of(device)?.driver ?? null;
  way.add({ op: 'override.write', pid, device, text: 'vfio-pci' });
  if (bound !== null) way.add({ op: 'driver.unbind', pid, driver: bound, device });
  way.add({ op: 'driver.bind', pid, driver: 'vfio-pci', device });
}

/** Container, group and device, as far as they come. */
function open(way: Way, lot: Lot, device: string): void {
  const group = way.state.groups[way.of(device)?.vfio?.group ?? -1];
  if (!group) return;
  const container = way.add({ op: 'open', pid, path: '/dev/vfio/vfio' });
  const fd = way.add({ op: 'open', pid, path: `/dev/vfio/${group.name}` });
  way.add({ op: 'group.set_container', pid, fd, container });
  if (lot.number(8) === 0) return;
  const type = group.noiommu ? 8 : lot.of([1, 3, 3]);
  way.add({ op: 'container.set_iommu', pid, fd: container, type });
  if (lot.number(5) > 0) way.add({ op: 'group.get_device_fd', pid, fd, name: device });
}

/** An iommufd in the place of the container. */
function openWithIommufd(way: Way, lot: Lot, device: string): void {
  const group = way.state.groups[way.of(device)?.vfio?.group ?? -1];
  if (!group) return;
  const context = way.add({ op: 'open', pid, path: '/dev/iommu' });
  const fd = way.add({ op: 'open', pid, path: `/dev/vfio/${group.name}` });
  way.add({ op: 'group.set_container', pid, fd, container: context });
  if (lot.number(2) === 0) {
    way.add({ op: 'iommufd.set_iommu', pid, fd: context, type: group.noiommu ? 8 : lot.of([1, 3]) });
  }
  if (lot.number(5) > 0) way.add({ op: 'group.get_device_fd', pid, fd, name: device });
}

/** The device's own node, bound to an iommufd and attached to an address space of it. */
function openCdev(way: Way, lot: Lot, device: string, attaches?: boolean): void {
  const vfio = way.of(device)?.vfio;
  if (!vfio) return;
  const context = way.add({ op: 'open', pid, path: '/dev/iommu' });
  const target = way.add({ op: 'iommufd.ioas_alloc', pid, fd: context, flags: 0 }) === 0 ? 1 : 99;
  const fd = way.add({ op: 'open', pid, path: cdevPath(vfio) });
  if (lot.number(8) === 0) return;
  way.add({ op: 'device.bind_iommufd', pid, fd, iommufd: context, flags: 0 });
  if (attaches ?? lot.number(4) > 0) way.add({ op: 'device.attach_ioas', pid, fd, target, flags: 0 });
}
