import { guardsOf } from '../../../src/model/guards.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Result } from '../../../src/model/outcome.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { Device, IommuGroup, State, World } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { show } from '../../../src/model/view.ts';
import { ROOT } from '../../../src/model/world.ts';
import { testWorld, user } from './machine.ts';

/** A hand on the model: makes calls one after another and answers a number, or the name of the errno. */
export class Session {
  world: World;
  state: State;
  readonly guards = new Set<string>();
  /** Every call: the state before it, and what was asked. */
  readonly calls: { readonly world: World; readonly state: State; readonly op: Op }[] = [];
  readonly profile: ProfileId;

  constructor(profile: ProfileId, made: { world: World; state: State } = testWorld(profile)) {
    this.profile = profile;
    this.world = made.world;
    this.state = made.state;
  }

  result(op: Op): Result {
    this.calls.push({ world: this.world, state: this.state, op });
    const { result, state } = step(this.world, this.state, op);
    if (!result.ok) {
      this.guards.add(result.guard);
      const leaves = guardsOf(this.world.profile).get(result.guard)?.leaves !== undefined;
      if (state !== this.state && !leaves)
        throw new Error(`${result.guard} refused, and yet the state changed`);
    }
    this.state = state;
    return result;
  }

  /** A device as it is now. */
  of(address: string): Device | undefined {
    return this.state.devices[this.world.devices.get(address)?.index ?? -1];
  }

  /** The IOMMU group of a device. */
  groupOf(address: string): IommuGroup | undefined {
    const id = this.of(address)?.group ?? null;
    return this.state.iommuGroups.find((group) => group.id === id);
  }

  /** The name of its VFIO group. */
  nodeOf(address: string): string | undefined {
    return this.state.groups[this.of(address)?.vfio?.group ?? -1]?.name;
  }

  /** What a file shows. */
  shows(path: string): string | null {
    return show(this.world, this.state, path);
  }

  call(op: Op): number | string {
    const result = this.result(op);
    if (result.ok) return result.value;
    return 'errno' in result ? result.errno : `blocked by ${result.blocks.join()}`;
  }

  out(op: Op): Readonly<Record<string, unknown>> | string {
    const result = this.result(op);
    if (result.ok) return result.out ?? {};
    return 'errno' in result ? result.errno : 'blocked';
  }

  parameter(text: string): number | string {
    const parameter = this.world.profile.noiommuParameter;
    return this.call({ op: 'parameter.write', pid: ROOT, module: 'vfio', parameter, text });
  }

  unbind(device: string, driver = 'e1000e'): number | string {
    return this.call({ op: 'driver.unbind', pid: ROOT, driver, device });
  }

  bind(device: string, driver = 'vfio-pci'): number | string {
    return this.call({ op: 'driver.bind', pid: ROOT, driver, device });
  }

  override(device: string, text = 'vfio-pci'): number | string {
    return this.call({ op: 'override.write', pid: ROOT, device, text });
  }

  /** From its host driver to vfio-pci. */
  take(device: string): number | string {
    this.unbind(device);
    this.override(device);
    return this.bind(device);
  }

  open(path: string, pid = ROOT): number {
    const fd = this.call({ op: 'open', pid, path: `/dev/vfio/${path}` });
    if (typeof fd !== 'number') throw new Error(`open ${path}: ${fd}`);
    return fd;
  }

  tryOpen(path: string, pid = ROOT): number | string {
    return this.call({ op: 'open', pid, path: `/dev/vfio/${path}` });
  }

  close(fd: number, pid = ROOT): number | string {
    return this.call({ op: 'close', pid, fd });
  }

  pass(fd: number, to = user.pid): number {
    return Number(this.call({ op: 'descriptor.pass', pid: ROOT, fd, to }));
  }

  extension(fd: number, extension: number): number | string {
    return this.call({ op: 'container.check_extension', pid: ROOT, fd, extension });
  }

  setIommu(fd: number, type: number, pid = ROOT): number | string {
    return this.call({ op: 'container.set_iommu', pid, fd, type });
  }

  setContainer(fd: number, container: number, pid = ROOT): number | string {
    return this.call({ op: 'group.set_container', pid, fd, container });
  }

  unsetContainer(fd: number, pid = ROOT): number | string {
    return this.call({ op: 'group.unset_container', pid, fd });
  }

  status(fd: number): unknown {
    const out = this.out({ op: 'group.get_status', pid: ROOT, fd });
    return typeof out === 'string' ? out : out['flags'];
  }

  device(fd: number, name: string, pid = ROOT): number | string {
    return this.call({ op: 'group.get_device_fd', pid, fd, name });
  }

  /** A new virtual machine. */
  vm(): number {
    const fd = Number(this.call({ op: 'open', pid: ROOT, path: '/dev/kvm' }));
    return Number(this.call({ op: 'kvm.create_vm', pid: ROOT, fd }));
  }

  /** Its VFIO device. */
  kvm(vm = this.vm()): number {
    return Number(this.call({ op: 'kvm.create_device', pid: ROOT, fd: vm }));
  }

  kvmAdd(fd: number, file: number): number | string {
    return this.call({ op: 'kvm.add_group', pid: ROOT, fd, file });
  }

  kvmDel(fd: number, file: number): number | string {
    return this.call({ op: 'kvm.del_group', pid: ROOT, fd, file });
  }

  ioctl(fd: number, request: number, argsz?: number | null): number | string {
    return this.call({ op: 'ioctl', pid: ROOT, fd, request, ...(argsz === undefined ? {} : { argsz }) });
  }

  map(
    fd: number,
    iova: bigint,
    size: bigint,
    over: Partial<Extract<Op, { op: 'container.map_dma' }>> = {},
  ): number | string {
    const vaddr = 0x7f0000000000n;
    return this.call({
      op: 'container.map_dma',
      pid: ROOT,
      fd,
      flags: 3,
      vaddr,
      iova,
      size,
      memory: 'writable',
      ...over,
    });
  }

  unmap(
    fd: number,
    iova: bigint,
    size: bigint,
    over: Partial<Extract<Op, { op: 'container.unmap_dma' }>> = {},
  ): unknown {
    const out = this.out({ op: 'container.unmap_dma', pid: ROOT, fd, flags: 0, iova, size, ...over });
    return typeof out === 'string' ? out : out['size'];
  }

  info(fd: number, argsz?: number | null): Readonly<Record<string, unknown>> | string {
    return this.out({ op: 'container.get_info', pid: ROOT, fd, ...(argsz === undefined ? {} : { argsz }) });
  }

  dirty(
    fd: number,
    flags: number,
    over: Partial<Extract<Op, { op: 'container.dirty_pages' }>> = {},
  ): number | string {
    return this.call({ op: 'container.dirty_pages', pid: ROOT, fd, flags, iova: 0n, size: 0n, ...over });
  }
}
