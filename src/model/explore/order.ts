import { byProcess } from '../key.ts';
import type { OpenFile, State } from '../state.ts';

/** What has numbers that the kernel hands out. */
export type Numbered = Pick<State, 'groups' | 'containers' | 'files' | 'descriptors'>;

/**
 * Where these numbers go: groups by their first device and behind all devices those that are revoked, containers by their
 * groups, files by what they are of and who has them. By the old number the new one, -1 where nothing is; what is behind
 * the last old one has no meaning.
 */
export class Order {
  readonly minors: number[] = [];
  readonly containers: number[] = [];
  readonly files: number[] = [];
  private readonly devices: number;
  /** By file a number that tells which processes have descriptors of it. */
  private readonly holders: number[] = [];
  private readonly weights: number[] = [];

  constructor(devices: number) {
    this.devices = devices;
  }

  /** False where two groups have one device, as only a defect brings, or a file is open to which more refers. */
  find(state: Numbered): boolean {
    for (let place = 0; place < state.files.length; place += 1) {
      const kind = state.files[place]?.kind;
      if (kind === 'eventfd' || kind === 'iommufd') return false;
    }
    this.findHolders(state);
    if (!this.findMinors(state)) return false;
    this.findContainers(state);
    this.findFiles(state);
    return true;
  }

  private findHolders({ files, descriptors }: Numbered): void {
    const { holders } = this;
    for (let place = 0; place < files.length; place += 1) holders[place] = 1;
    for (const { pid, files: its } of byProcess(descriptors)) {
      for (let fd = 0; fd < its.length; fd += 1) {
        const id = its[fd] as number;
        if (id !== -1) holders[id] = (33 * (holders[id] as number) + pid) % many;
      }
    }
  }

  private heldBy(file: number | null): number {
    return file === null ? 0 : (this.holders[file] as number);
  }

  private findMinors({ groups }: Numbered): boolean {
    const { minors, weights, devices } = this;
    let revoked = false;
    for (let minor = 0; minor < groups.length; minor += 1) {
      const group = groups[minor] ?? null;
      let first = -1;
      if (group !== null) {
        first = most;
        for (let each = 0; each < group.devices.length; each += 1) {
          const device = group.devices[each] as number;
          if (device < first) first = device;
        }
      }
      minors[minor] = first;
      if (first === most) revoked = true;
      else if (first !== -1 && minors.indexOf(first) < minor) return false;
    }
    if (!revoked) return true;
    for (let minor = 0; minor < groups.length; minor += 1) {
      const group = groups[minor] ?? null;
      const gone = group !== null && minors[minor] === most;
      weights[minor] = gone ? many * numberOf(group.name) + this.heldBy(group.file) : -1;
    }
    for (let minor = 0; minor < groups.length; minor += 1)
      if (minors[minor] === most) minors[minor] = devices + rank(weights, minor, groups.length);
    return true;
  }

  private findContainers({ containers }: Numbered): void {
    const { weights, minors } = this;
    for (let place = 0; place < containers.length; place += 1) {
      const container = containers[place] ?? null;
      weights[place] = -1;
      if (container === null) continue;
      const { groups, file, iommu } = container;
      const first = groups.length === 0 ? most : (minors[groups[0] as number] as number);
      weights[place] = 2 * (many * first + this.heldBy(file)) + (iommu === null ? 0 : 1);
    }
    for (let place = 0; place < containers.length; place += 1)
      this.containers[place] = rank(weights, place, containers.length);
  }

  private findFiles({ files }: Numbered): void {
    const { weights, holders } = this;
    for (let place = 0; place < files.length; place += 1) {
      const file = files[place] ?? null;
      weights[place] = -1;
      if (file !== null)
        weights[place] = most * (many * this.objectOf(file) + (holders[place] as number)) + file.refs;
    }
    for (let place = 0; place < files.length; place += 1)
      this.files[place] = rank(weights, place, files.length);
  }

  private objectOf(file: OpenFile): number {
    switch (file.kind) {
      case 'container':
        return this.containers[file.container] as number;
      case 'group':
        return most + (this.minors[file.group] as number);
      case 'device':
        return 2 * most + file.device;
      default:
        return 3 * most;
    }
  }
}

const most = 2 ** 10;
const many = 2 ** 16;

function numberOf(name: string): number {
  let number = 0;
  for (let at = 0; at < name.length; at += 1) number = (31 * number + name.charCodeAt(at)) % many;
  return number;
}

/** How many of the first `count` stand before one in the order of their weights; those of -1 stand nowhere. */
function rank(weights: readonly number[], place: number, count: number): number {
  const weight = weights[place] as number;
  if (weight === -1) return -1;
  let before = 0;
  for (let other = 0; other < count; other += 1) {
    const its = weights[other] as number;
    if (its !== -1 && (its < weight || (its === weight && other < place))) before += 1;
  }
  return before;
}
