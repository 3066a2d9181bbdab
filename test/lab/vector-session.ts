/**
 * The model's test vectors on a machine of the lab: the test machine's devices, groups and processes stand for those that
 * are there. What the session asks of the model is then asked of the kernel.
 */
import type { Memory, Op } from '../../src/model/op.ts';
import type { Result } from '../../src/model/outcome.ts';
import type { Device, State, World } from '../../src/model/state.ts';
import { ROOT } from '../../src/model/world.ts';
import type { Actor } from '../conformance/cast.ts';
import { regions } from '../conformance/cast.ts';
import { IommufdSession } from '../src/model/iommufd-session.ts';
import { bare, bareToo, bridge, nobody, pair, sibling, single, user } from '../src/model/machine.ts';

/** Thrown where a vector names a device that the machine has not. */
export class NotHere extends Error {
  override readonly name = 'NotHere';
}

/** The test machine's devices, each with the one that stands for it here. */
export type Parts = Readonly<Record<string, string>>;

const everything = [
  ...['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_IPC_LOCK'],
  ...['CAP_SYS_ADMIN', 'CAP_SYS_MODULE', 'CAP_SYS_RAWIO', 'CAP_SYS_RESOURCE'],
];

/** The processes of the vectors, each with its number in the guest. */
const numbers = new Map([
  [ROOT, 1],
  [user.pid, 2],
  [nobody.pid, 3],
]);

export const vectorActors: readonly [Actor, ...Actor[]] = [
  { pid: 1, uid: 0, gid: 0, groups: [], capabilities: everything, memlock: null, nofile: 1024 },
  { ...user, pid: 2, capabilities: [...user.capabilities], nofile: 1024 },
  { ...nobody, pid: 3, capabilities: [...nobody.capabilities], nofile: 1024 },
];

const known = [pair, sibling, single, bridge, bare, bareToo];
const hostDriver = 'e1000e';

export class LabSession extends IommufdSession {
  private readonly parts: Parts;
  private readonly drivers: Readonly<Record<string, string | null>>;
  /** What the first group without an IOMMU is numbered. */
  private readonly firstFree: number;

  constructor(
    made: { world: World; state: State },
    parts: Parts,
    drivers: Readonly<Record<string, string | null>>,
  ) {
    super(made.world.profile.id, made);
    this.parts = parts;
    this.drivers = drivers;
    const ids = new Set(made.state.iommuGroups.map(({ id }) => id));
    let free = 0;
    while (ids.has(free)) free += 1;
    this.firstFree = free;
  }

  override result(op: Op): Result {
    return super.result(this.here(op));
  }

  override call(op: Op): number | string {
    const answer = super.call(op);
    return answer === 'blocked by 1' ? `blocked by ${ROOT}` : answer;
  }

  override of(address: string): Device | undefined {
    const device = super.of(this.there(address));
    const host = device !== undefined && device.driver === this.drivers[this.there(address)];
    return host && device.driver !== null ? { ...device, driver: hostDriver } : device;
  }

  override nodeOf(address: string): string | undefined {
    return super.nodeOf(address)?.replace(/\d+$/, (id) => `${Number(id) - this.firstFree}`);
  }

  override shows(path: string): string | null {
    return super.shows(this.path(path));
  }

  private there(address: string): string {
    const part = this.parts[address];
    if (part === undefined && known.includes(address)) throw new NotHere(address);
    return part ?? address;
  }

  private text(text: string): string {
    const address = known.find((each) => text.includes(each));
    return address === undefined ? text : text.replaceAll(address, this.there(address));
  }

  private path(path: string): string {
    return this.text(path)
      .replace(/^\/dev\/vfio\/noiommu-(\d+)$/, (_, id) => `/dev/vfio/noiommu-${this.group(Number(id))}`)
      .replace(/^\/dev\/vfio\/(\d+)$/, (_, id) => `/dev/vfio/${this.group(Number(id))}`);
  }

  /** Group 7 is the pair's, 8 the single one's; those that are made up begin with the first free number. */
  private group(id: number): number {
    if (id === 7 || id === 8) return super.of(this.there(id === 7 ? pair : single))?.group ?? -1;
    return this.firstFree + id;
  }

  private here(op: Op): Op {
    const its: Record<string, unknown> = { ...op, pid: numbers.get(op.pid) ?? op.pid };
    if ('to' in op) its['to'] = numbers.get(op.to) ?? op.to;
    if ('device' in op && op.device !== undefined) its['device'] = this.there(op.device);
    if ('driver' in op && 'device' in op) its['driver'] = this.driver(op.driver, op.device);
    if ('name' in op) its['name'] = this.text(op.name);
    if ('path' in op) its['path'] = this.path(op.path);
    if (op.op === 'iommu_group.type') its['group'] = this.group(op.group);
    if (op.op === 'override.write') its['text'] = this.driver(op.text, op.device);
    if ('vaddr' in op) its['vaddr'] = memoryAt(op.vaddr, op.memory);
    return its as unknown as Op;
  }

  /** The host's driver is another for other devices. */
  private driver(name: string, address: string): string {
    return name === hostDriver ? (this.drivers[this.there(address)] ?? name) : name;
  }
}

/** The vectors' memory begins here; what lies elsewhere is not there. */
const start = 0x7f00_0000_0000n;

/** Where the guest's processes have memory of that kind. */
export function memoryAt(vaddr: bigint, memory: Memory): bigint {
  const offset = vaddr - start;
  if (offset < 0n || offset >= regions.size) return vaddr;
  const { writable, untouched, readOnly } = regions;
  return { writable, untouched, 'read-only': readOnly, none: 0x1000n }[memory] + offset;
}
