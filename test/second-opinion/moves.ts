import type { Op } from '../../src/model/op.ts';
import type { State, World } from '../../src/model/state.ts';
import { descriptorOf, deviceHolders, type Seen } from './state.ts';
import { addressOf, type Bounds, drivers, layoutOf, pids } from './world.ts';

/** What may happen in a state within the bounds: vfio.pml's words for it, and the operation of the model. */
export interface Move {
  readonly words: string;
  readonly op: Op;
}

const types = [1, 8, 9] as const;

export function movesIn(bounds: Bounds, world: World, state: State, seen: Seen): readonly Move[] {
  const moves: Move[] = [];
  administer(bounds, world, moves);
  for (const process of pids.keys()) {
    const hand = new Hand(bounds, state, seen, process, moves);
    hand.open();
    hand.onContainers();
    hand.onGroups();
    hand.onRevoked();
    hand.onDevices();
  }
  return moves;
}

function administer(bounds: Bounds, { profile }: World, moves: Move[]): void {
  const [pid = 0] = pids;
  const parameter = profile.noiommuParameter;
  for (const [value, text] of ['N', 'Y'].entries()) {
    const op = { op: 'parameter.write', pid, module: 'vfio', parameter, text } as const;
    moves.push({ words: `0 parameter ${value}`, op });
  }
  for (const place of bounds.groups.keys()) {
    const device = addressOf(place);
    for (const [number, driver] of drivers.entries()) {
      if (driver === null) continue;
      moves.push({ words: `0 bind ${place} ${number}`, op: { op: 'driver.bind', pid, driver, device } });
      moves.push({ words: `0 unbind ${place} ${number}`, op: { op: 'driver.unbind', pid, driver, device } });
    }
  }
}

/** The moves of one process. */
class Hand {
  private readonly bounds: Bounds;
  private readonly state: State;
  private readonly seen: Seen;
  private readonly process: number;
  private readonly moves: Move[];
  private readonly pid: number;
  /** Containers that it has descriptors of: place and descriptor. */
  private readonly containers: readonly (readonly [number, number])[];
  private readonly mayOpenDevices: boolean;

  constructor(bounds: Bounds, state: State, seen: Seen, process: number, moves: Move[]) {
    this.bounds = bounds;
    this.state = state;
    this.seen = seen;
    this.process = process;
    this.moves = moves;
    this.pid = pids[process] ?? -1;
    this.containers = seen.containers.flatMap((index, place) => {
      const fd = this.descriptor(state.containers[index]?.file);
      return fd === null ? [] : [[place, fd] as const];
    });
    this.mayOpenDevices = state.files.filter((file) => file?.kind === 'device').length < bounds.deviceFiles;
  }

  open(): void {
    const { bounds, state, seen, pid } = this;
    if (seen.containers.length < bounds.containers)
      this.may('open_container', { op: 'open', pid, path: '/dev/vfio/vfio' });
    const files = state.files.filter((file) => file?.kind === 'group').length;
    layoutOf(bounds).places.forEach(({ real }, place) => {
      const group = state.groups[seen.groups[place] ?? -1];
      if (files >= bounds.groupFiles && (group?.file ?? null) === null) return;
      const path = `/dev/vfio/${group?.name ?? real ?? 'noiommu-0'}`;
      this.may(`open_group ${place}`, { op: 'open', pid, path });
    });
  }

  onContainers(): void {
    const { bounds, state, seen, pid } = this;
    const range = { iova: 0x1000n, size: 0x1000n } as const;
    for (const [place, fd] of this.containers) {
      this.may(`close_container ${place}`, { op: 'close', pid, fd });
      this.pass(`pass_container ${place}`, fd, state.containers[seen.containers[place] ?? -1]?.file);
      for (const type of types) {
        this.may(`check_extension ${place} ${type}`, {
          op: 'container.check_extension',
          pid,
          fd,
          extension: type,
        });
        this.may(`set_iommu ${place} ${type}`, { op: 'container.set_iommu', pid, fd, type });
      }
      if (!bounds.maps) continue;
      const memory = { vaddr: 0x10000n, memory: 'writable' } as const;
      this.may(`map_dma ${place}`, { op: 'container.map_dma', pid, fd, flags: 3, ...range, ...memory });
      this.may(`unmap_dma ${place}`, { op: 'container.unmap_dma', pid, fd, flags: 0, ...range });
    }
  }

  onGroups(): void {
    this.seen.groups.forEach((minor, place) => {
      this.onGroup('', minor, place);
    });
  }

  onRevoked(): void {
    this.seen.revoked.forEach((minor, place) => {
      this.onGroup('revoked_', minor, place);
    });
  }

  onDevices(): void {
    this.state.files.forEach((file, id) => {
      if (file?.kind !== 'device' || !this.has(id)) return;
      const fd = descriptorOf(this.state, this.process, id);
      this.may(`close_device ${file.device}`, { op: 'close', pid: this.pid, fd });
    });
  }

  private onGroup(kind: '' | 'revoked_', minor: number, place: number): void {
    const { state, seen, pid, process } = this;
    const file = state.groups[minor]?.file;
    const fd = this.descriptor(file);
    if (fd === null) return;
    const live = kind === '';
    this.may(live ? `close_group ${place}` : `revoked_close ${place}`, { op: 'close', pid, fd });
    this.pass(live ? `pass_group ${place}` : `revoked_pass ${place}`, fd, file);
    this.may(live ? `get_status ${place}` : `revoked_status ${place}`, { op: 'group.get_status', pid, fd });
    this.may(`${kind}unset_container ${place}`, { op: 'group.unset_container', pid, fd });
    for (const [at, container] of this.containers)
      this.may(`${kind}set_container ${place} ${at}`, { op: 'group.set_container', pid, fd, container });
    if (live) {
      this.may(`set_no_container ${place} 0`, { op: 'group.set_container', pid, fd, container: -1 });
      this.may(`set_no_container ${place} 1`, { op: 'group.set_container', pid, fd, container: fd });
    }
    if (!this.mayOpenDevices) return;
    for (const device of layoutOf(this.bounds).homes.keys()) {
      if ((deviceHolders(state, seen.holders, device) & (1 << process)) !== 0) continue;
      const name = addressOf(device);
      this.may(`${kind}get_device_fd ${place} ${device}`, { op: 'group.get_device_fd', pid, fd, name });
    }
  }

  private pass(words: string, fd: number, file: number | null | undefined): void {
    const [first = -1, to = -1] = pids;
    if (!this.bounds.passes || this.process !== 0 || file == null) return;
    if ((this.seen.holders[file] ?? 0) === 1) this.may(words, { op: 'descriptor.pass', pid: first, fd, to });
  }

  private has(file: number): boolean {
    return ((this.seen.holders[file] ?? 0) & (1 << this.process)) !== 0;
  }

  private descriptor(file: number | null | undefined): number | null {
    return file == null || !this.has(file) ? null : descriptorOf(this.state, this.process, file);
  }

  private may(words: string, op: Op): void {
    this.moves.push({ words: `${this.process} ${words}`, op });
  }
}
