/**
 * iommufd's self-test as a kernel for the model's operations (drivers/iommu/iommufd/selftest.c). It has devices of its own,
 * without PCI and without VFIO, and what VFIO would ask of iommufd for a device the self-test is asked for: a device that
 * is bound is one of its own, on an address space that nobody else knows; an attach makes it anew on what it shall be
 * attached to (iommufd_device_attach), a further one replaces that (iommufd_device_replace); a detach, or a descriptor
 * that is closed, destroys it (iommufd_device_detach, iommufd_device_unbind). Its ids are others than the model's: each of
 * the model's has one that it goes by there.
 */
import { errnoOf } from '../../runtime/abi/errno.ts';
import { fcntl } from '../../runtime/abi/fcntl.ts';
import type { Backend } from '../../runtime/backend.ts';
import { lower } from '../../runtime/lower/lower.ts';
import { deviceFileOf } from '../../src/model/cdev.ts';
import { iommufdOf } from '../../src/model/files.ts';
import { iommuOf } from '../../src/model/ioas.ts';
import { objectOf } from '../../src/model/iommufd.ts';
import type { Op } from '../../src/model/op.ts';
import { handled } from '../../src/model/ops/iommufd-hwpt-invalidate.ts';
import type { Result } from '../../src/model/outcome.ts';
import type { State, World } from '../../src/model/state.ts';
import { ROOT } from '../../src/model/world.ts';
import { type IommufdOp, iommufdCall } from './calls-iommufd.ts';
import { nestedData } from './calls-pagetables.ts';
import { checkIotlb, dirtyPage, type Mock, makeMock, replaceTable } from './selftest-calls.ts';

interface Context {
  readonly fd: number;
  /** An address space for devices that are attached to nothing. */
  readonly rest: number;
  /** The kernel's id of each of the model's. */
  readonly ids: Map<number, number>;
}

interface Device {
  readonly context: Context;
  readonly id: number;
  readonly flags: number;
  mock: Mock;
  attached: boolean;
}

/** What was asked of the model, and what that said. */
export interface Step {
  readonly world: World;
  readonly before: State;
  readonly op: Op;
  readonly result: Result;
  readonly after: State;
}

interface Answer {
  readonly errno: string | null;
  readonly value: number;
  readonly out: Readonly<Record<string, number | bigint>>;
}

/** No object has an id from here on. */
const nowhere = 0x10_0000;
/** MOCK_FLAGS_DEVICE_NO_DIRTY and IOMMU_TEST_INVALIDATE_FLAG_ALL. */
const noDirty = 1;
const all = 1;
/** MOCK_NESTED_DOMAIN_IOTLB_NUM lines as a page table begins with them. */
const full = [nestedData, nestedData, nestedData, nestedData];
/** Fields of requests and of answers that are ids. */
const given = ['id', 'ioas', 'dst', 'src', 'deviceId', 'target', 'hwpt', 'faultId'];
const answered = ['out_ioas_id', 'out_hwpt_id', 'out_fault_id', 'pt_id'];

export class SelftestKernel {
  /** What the kernel was asked. */
  asked = 0;
  private readonly backend: Backend;
  /** By the model's descriptors. */
  private readonly contexts = new Map<number, Context>();
  private readonly devices = new Map<number, Device>();
  private readonly queues = new Map<number, number>();
  /** What the lines of nested page tables' IOTLBs hold, by the model's ids. */
  private readonly lines = new Map<number, readonly number[]>();

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** What differs from the model. */
  follow(step: Step): readonly string[] {
    const { before, op, result, after } = step;
    const answer = this.perform(step);
    if (answer === null) return [];
    this.asked += 1;
    const said = result.ok ? null : 'errno' in result ? result.errno : 'blocked';
    const found = answer.errno === said ? [] : [`answers ${answer.errno}, the model says ${said}`];
    const expected: Record<string, unknown> = result.ok ? { ...result.out } : {};
    if (op.op === 'iommufd.hwpt_get_dirty_bitmap' && result.ok) expected['bitmap'] ??= 0n;
    const context = op.op === 'iommufd.hwpt_invalidate' ? iommufdOf(before, op) : null;
    if (context !== null && op.op === 'iommufd.hwpt_invalidate') expected['entry_num'] = handled(context, op);
    for (const [field, is] of Object.entries(expected)) {
      if (answer.out[field] !== is) found.push(`writes ${field} ${answer.out[field]}, the model says ${is}`);
    }
    if (op.op === 'iommufd.hwpt_alloc' && result.ok)
      this.lines.set(Number(result.out?.['out_hwpt_id']), full);
    if (context !== null && op.op === 'iommufd.hwpt_invalidate')
      found.push(...this.invalidated(op, handled(context, op)));
    this.forget(after);
    return found;
  }

  /** A device writes to a page of which the model says what comes of it. */
  write(
    fd: number,
    hwpt: number,
    iova: bigint,
    said: 'marked' | 'unmapped' | 'untracked' | 'missing',
  ): readonly string[] {
    const context = this.of(fd);
    const { answer, count } = dirtyPage(this.backend, context.fd, context.ids.get(hwpt) ?? nowhere, iova);
    this.asked += 1;
    const refusals: Readonly<Record<string, string>> = { EINVAL: 'untracked', ENOENT: 'missing' };
    const errno = errnoOf(answer);
    const is = errno === null ? (count === 1n ? 'marked' : 'unmapped') : (refusals[errno] ?? errno);
    return is === said ? [] : [`a page at ${iova} is ${is}, the model says ${said}`];
  }

  end(): void {
    for (const { fd } of this.contexts.values()) this.backend.close(fd);
    for (const fd of this.queues.values()) this.backend.close(fd);
  }

  /** Whether the lines that the first entries name are empty, and no others. */
  private invalidated(op: Extract<Op, { op: 'iommufd.hwpt_invalidate' }>, done: number): readonly string[] {
    const context = this.of(op.fd);
    const before = this.lines.get(op.hwpt);
    const hwpt = context.ids.get(op.hwpt);
    if (before === undefined || hwpt === undefined || done === 0) return [];
    const lines = [...before];
    for (let entry = 0; entry < done; entry += 1) {
      const [flags, line] = [op.content?.[2 * entry] ?? 0, op.content?.[2 * entry + 1] ?? 0];
      if (flags === all) lines.fill(0);
      else lines[line] = 0;
    }
    this.lines.set(op.hwpt, lines);
    return lines.flatMap((value, line) => {
      const answer = checkIotlb(this.backend, context.fd, hwpt, line, value);
      return answer === 0 ? [] : [`line ${line} does not hold ${value}: ${errnoOf(answer)}`];
    });
  }

  private of(fd: number): Context {
    const context = this.contexts.get(fd);
    if (context === undefined) throw new Error(`${fd} is no iommufd here`);
    return context;
  }

  private device(fd: number): Device {
    const device = this.devices.get(fd);
    if (device === undefined) throw new Error(`${fd} is no device here`);
    return device;
  }

  /** Null where nothing of it is the self-test's affair. */
  private perform({ world, before, op, result }: Step): Answer | null {
    switch (op.op) {
      case 'open':
        return op.path === '/dev/iommu' && result.ok ? this.open(result.value) : null;
      case 'close':
        return this.close(op.fd);
      case 'device.bind_iommufd': {
        const device = deviceFileOf(before, op)?.device ?? -1;
        const flags = iommuOf(world, before, device)?.tracksDirty === true ? 0 : noDirty;
        const id = result.ok ? Number(result.out?.['out_devid']) : 0;
        return this.bind(op.fd, { context: this.of(op.iommufd), id, flags });
      }
      case 'device.attach_ioas':
        return this.attach(this.device(op.fd), op.target, result);
      case 'device.detach_ioas':
        return this.detach(this.device(op.fd));
      case 'iommufd.ioas_allow_iovas':
        return this.allow(op);
      default:
        return op.op.startsWith('iommufd.') ? this.request(op as IommufdOp, result) : null;
    }
  }

  private open(fd: number): Answer {
    const its = this.backend.open('/dev/iommu', fcntl.O_RDWR | fcntl.O_CLOEXEC);
    const rest = iommufdCall(this.backend, { op: 'iommufd.ioas_alloc', pid: ROOT, fd: its, flags: 0 });
    this.contexts.set(fd, { fd: its, rest: Number(rest.out['out_ioas_id']), ids: new Map() });
    return plain(Math.min(its, rest.answer));
  }

  private close(fd: number): Answer | null {
    const device = this.devices.get(fd);
    const queue = this.queues.get(fd);
    this.devices.delete(fd);
    this.queues.delete(fd);
    if (device !== undefined) return plain(this.destroy(device));
    return queue === undefined ? null : plain(this.backend.close(queue));
  }

  private bind(fd: number, its: Omit<Device, 'mock' | 'attached'>): Answer {
    const { answer, mock } = makeMock(this.backend, its.context.fd, its.context.rest, its.flags);
    its.context.ids.set(its.id, mock.device);
    this.devices.set(fd, { ...its, mock, attached: false });
    return { ...plain(answer), out: { out_devid: its.id } };
  }

  private attach(device: Device, target: number, result: Result): Answer {
    const { context } = device;
    const place = context.ids.get(target) ?? nowhere;
    // Nobody can be asked to be attached to himself once he is gone.
    const { answer, table } =
      device.attached || place === device.mock.device
        ? replaceTable(this.backend, context.fd, device.mock, place)
        : this.anew(device, place);
    if (answer < 0) return plain(answer);
    device.attached = true;
    return { ...plain(answer), out: this.named(context, { pt_id: table }, result) };
  }

  /** A device that is attached to nothing, on what it shall be attached to; on nothing again, where that is refused. */
  private anew(device: Device, target: number): { readonly answer: number; readonly table: number } {
    this.destroy(device);
    const answer = this.make(device, target);
    if (answer < 0) this.make(device, device.context.rest);
    return { answer, table: device.mock.table };
  }

  private detach(device: Device): Answer {
    const destroyed = this.destroy(device);
    device.attached = false;
    return plain(destroyed < 0 ? destroyed : this.make(device, device.context.rest));
  }

  private make(device: Device, target: number): number {
    const { context, id, flags } = device;
    const { answer, mock } = makeMock(this.backend, context.fd, target, flags);
    if (answer < 0) return answer;
    device.mock = mock;
    context.ids.set(id, mock.device);
    return answer;
  }

  private destroy({ context, mock }: Device): number {
    const op = { op: 'iommufd.destroy', pid: ROOT, fd: context.fd, id: mock.object } as const;
    return iommufdCall(this.backend, op).answer;
  }

  private allow(op: Extract<Op, { op: 'iommufd.ioas_allow_iovas' }>): Answer {
    const context = this.of(op.fd);
    const ioas = context.ids.get(op.ioas) ?? nowhere;
    const reply = lower(this.backend, { ...op, fd: context.fd, ioas });
    return { errno: reply.ok ? null : reply.errno, value: 0, out: {} };
  }

  private request(op: IommufdOp, result: Result): Answer {
    const context = this.of(op.fd);
    const its: Record<string, unknown> = { ...op, fd: context.fd };
    const known = (id: unknown) => context.ids.get(Number(id)) ?? nowhere + Number(id);
    for (const field of given) if (its[field] !== undefined) its[field] = known(its[field]);
    if (op.op === 'iommufd.option' && op.option === 1) its['object'] = known(op.object);
    const { answer, out } = iommufdCall(this.backend, its as unknown as IommufdOp);
    if (op.op === 'iommufd.fault_queue_alloc' && result.ok) this.queues.set(result.value, answer);
    return { ...plain(answer), out: this.named(context, out, result) };
  }

  /** Ids of an answer as the model has them; a new object gets its name from the model. */
  private named({ ids }: Context, out: Answer['out'], result: Result): Answer['out'] {
    const told: Record<string, number | bigint> = { ...out };
    for (const field of answered) {
      const [is, said] = [out[field], result.ok ? result.out?.[field] : undefined];
      if (typeof is !== 'number' || typeof said !== 'number') continue;
      const name = [...ids].find(([, id]) => id === is)?.[0];
      if (name === undefined && !ids.has(said)) ids.set(said, is);
      told[field] = name ?? (ids.get(said) === is ? said : nowhere + is);
    }
    return told;
  }

  /** What is gone in the model has no name any more. */
  private forget(after: State): void {
    for (const [fd, { ids }] of this.contexts) {
      const context = iommufdOf(after, { pid: ROOT, fd });
      for (const id of ids.keys()) if (objectOf(context, id) === null) ids.delete(id);
    }
  }
}

function plain(value: number): Answer {
  return { errno: errnoOf(value), value, out: {} };
}
