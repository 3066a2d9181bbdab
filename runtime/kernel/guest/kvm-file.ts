/**
 * KVM's files, as far as VFIO needs them: /dev/kvm, a virtual machine, and its VFIO device (virt/kvm/kvm_main.c, virt/kvm/vfio.c).
 * What changes something is the model's; what only asks is answered here.
 */
import { kvm, kvmLayouts, kvmRequests } from '../../abi/kvm.ts';
import type { Machine } from './machine.ts';
import { type Argument, anonymous, type Opened, OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { put, s32, u32, u64 } from './structures.ts';
import { unknownRequest } from './unknown-request.ts';

type Kind = 'kvm' | 'vm' | 'kvm-device';

const vmFile = anonymous('kvm-vm');
const vfioFile = anonymous('kvm-vfio');

export class KvmFile extends OpenFile {
  readonly machine: Machine;
  readonly fd: number;
  private readonly kind: Kind;

  constructor(machine: Machine, fd: number, kind: Kind, named: Opened) {
    super(named);
    this.machine = machine;
    this.fd = fd;
    this.kind = kind;
  }

  override as(fd: number): OpenFile {
    return new KvmFile(this.machine, fd, this.kind, this.named);
  }

  override ioctl(process: Process, request: number, argument: Argument): number {
    const answer = requests[this.kind][request]?.(this, process, argument);
    return answer ?? unknownRequest(this, process, request, argument);
  }

  override lseek(process: Process): number {
    return this.call(process, 'lseek');
  }
  override pread(): number {
    return refuse(this.kind === 'kvm' ? 'EINVAL' : 'ESPIPE');
  }
  override pwrite(): number {
    return refuse(this.kind === 'kvm' ? 'EINVAL' : 'ESPIPE');
  }
  override mmap(process: Process): number {
    return this.call(process, 'mmap');
  }

  private call({ pid }: Process, call: 'lseek' | 'mmap'): number {
    return this.machine.value({ op: 'file.call', pid, fd: this.fd, call });
  }
}

type Handler = (file: KvmFile, process: Process, argument: Argument) => number | undefined;

const requests: Readonly<Record<Kind, Readonly<Record<number, Handler>>>> = {
  kvm: {
    [kvmRequests.KVM_GET_API_VERSION]: (_file, _process, argument) =>
      argument.number() === 0 ? kvm.KVM_API_VERSION : refuse('EINVAL'),
    [kvmRequests.KVM_CREATE_VM]: createVm,
  },
  vm: { [kvmRequests.KVM_CREATE_DEVICE]: createDevice },
  'kvm-device': {
    [kvmRequests.KVM_SET_DEVICE_ATTR]: setAttribute,
    [kvmRequests.KVM_HAS_DEVICE_ATTR]: hasAttribute,
    // The VFIO device has none to be read (kvm_device_ioctl_attr).
    [kvmRequests.KVM_GET_DEVICE_ATTR]: (file, process) => foreign(file, process) ?? refuse('EPERM'),
  },
};

/** arch/x86/kvm/x86.c:kvm_arch_init_vm: a type of 0 alone is there without more. */
function createVm({ machine, fd }: KvmFile, process: Process, argument: Argument): number {
  if (argument.number() !== 0) return refuse('EINVAL');
  const made = machine.value({ op: 'kvm.create_vm', pid: process.pid, fd });
  if (made >= 0) process.files[made] = new KvmFile(machine, made, 'vm', vmFile);
  return made;
}

/** kvm_ioctl_create_device. Other devices than VFIO's are not here. */
function createDevice(file: KvmFile, process: Process, argument: Argument): number {
  const { size, fields } = kvmLayouts.kvm_create_device;
  const its = argument.structure(size);
  const refused = foreign(file, process);
  if (refused !== undefined) return refused;
  if (its !== null && u32(its, fields.type) !== kvm.KVM_DEV_TYPE_VFIO) return refuse('ENODEV');
  if (its !== null && (u32(its, fields.flags) & kvm.KVM_CREATE_DEVICE_TEST) !== 0) return 0;
  const { machine, fd } = file;
  const { pid } = process;
  const argsz = its === null ? { argsz: null } : {};
  const made = machine.value({ op: 'kvm.create_device', pid, fd, ...argsz });
  if (made < 0) return made;
  if (its === null) return refuse('EFAULT');
  process.files[made] = new KvmFile(machine, made, 'kvm-device', vfioFile);
  put(its, fields.fd, made);
  return 0;
}

const attribute = kvmLayouts.kvm_device_attr;

/** kvm_vfio_set_attr: the address of the attribute is that of an int. */
function setAttribute(file: KvmFile, process: Process, argument: Argument): number {
  const its = argument.structure(attribute.size);
  const known = knownAttribute(file, process, its);
  if (known !== 0) return known;
  const bytes = process.memory.read(u64(its, attribute.fields.addr), 4);
  const readable = its !== null && bytes.length === 4;
  return file.machine.value({
    op:
      u64(its, attribute.fields.attr) === BigInt(kvm.KVM_DEV_VFIO_GROUP_DEL)
        ? 'kvm.del_group'
        : 'kvm.add_group',
    ...{ pid: process.pid, fd: file.fd },
    file: readable ? s32(new DataView(bytes.buffer, bytes.byteOffset), { offset: 0, kind: 's32' }) : -1,
    ...(readable ? {} : { argsz: null }),
  });
}

function hasAttribute(file: KvmFile, process: Process, argument: Argument): number {
  const its = argument.structure(attribute.size);
  return knownAttribute(file, process, its) || (its === null ? refuse('EFAULT') : 0);
}

/** kvm_vfio_has_attr: 0 too where none can be read, for then the caller says so. */
function knownAttribute(file: KvmFile, process: Process, its: DataView | null): number {
  const refused = foreign(file, process);
  if (refused !== undefined || its === null) return refused ?? 0;
  const known = [kvm.KVM_DEV_VFIO_GROUP_ADD, kvm.KVM_DEV_VFIO_GROUP_DEL].some(
    (each) => u64(its, attribute.fields.attr) === BigInt(each),
  );
  return u32(its, attribute.fields.group) === kvm.KVM_DEV_VFIO_GROUP && known ? 0 : refuse('ENXIO');
}

/** What the model says of a request that nobody knows, where that is already that the caller is another process. */
function foreign({ machine, fd }: KvmFile, { pid }: Process): number | undefined {
  const refusal = machine.refusalOf({ op: 'ioctl', pid, fd, request: 0 });
  return refusal !== null && 'errno' in refusal && refusal.errno === 'EIO' ? refuse('EIO') : undefined;
}
