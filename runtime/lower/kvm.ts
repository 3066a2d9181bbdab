import type { Op, OpKind } from '../../src/model/op.ts';
import { kvm, kvmLayouts, kvmRequests } from '../abi/kvm.ts';
import { decode, encode } from '../abi/layout.ts';
import type { Backend } from '../backend.ts';
import { withGiven } from './pointed.ts';

/** KVM's requests as far as VFIO needs them. Each answers a value or a negative errno. */

type Of<Kind extends OpKind> = Extract<Op, { op: Kind }>;

export function createVm(backend: Backend, { fd }: Of<'kvm.create_vm'>): number {
  return backend.ioctl(fd, kvmRequests.KVM_CREATE_VM, 0);
}

/** The descriptor comes back in the structure; it is what the operation answers. */
export function createDevice(backend: Backend, { fd, argsz }: Of<'kvm.create_device'>): number {
  const layout = kvmLayouts.kvm_create_device;
  const bytes = encode(layout, { type: kvm.KVM_DEV_TYPE_VFIO });
  const answer = backend.ioctl(fd, kvmRequests.KVM_CREATE_DEVICE, argsz === null ? null : bytes);
  return answer < 0 ? answer : decode(layout, bytes).fd;
}

/** The attribute points to the int that holds the descriptor. */
export function tellFile(
  backend: Backend,
  { op, fd, file, argsz }: Of<'kvm.add_group' | 'kvm.del_group'>,
): number {
  const ask = (argument: Uint8Array | null) => backend.ioctl(fd, kvmRequests.KVM_SET_DEVICE_ATTR, argument);
  if (argsz === null) return ask(null);
  const adds = op === 'kvm.add_group';
  return withGiven(backend, new Uint8Array(Int32Array.of(file).buffer), (addr) =>
    ask(
      encode(kvmLayouts.kvm_device_attr, {
        group: kvm.KVM_DEV_VFIO_GROUP,
        attr: BigInt(adds ? kvm.KVM_DEV_VFIO_GROUP_ADD : kvm.KVM_DEV_VFIO_GROUP_DEL),
        addr,
      }),
    ),
  );
}
